"""Control sockets: bounded, for the service user alone, and none the worse for nonsense (P6, L-3)."""

import asyncio
import json
import os
import select
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.service.asking import Object
from paperpath.service.control import (
    DESCRIPTORS,
    MOST_DESCRIPTORS,
    MOST_REQUEST_OCTETS,
    ControlServer,
    ask,
    list_programs,
)
from paperpath.service.errors import ServiceError
from paperpath.service.socket_folder import SocketFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ("a-long-path-" * 10) / "control"  # longer than a socket's address may be


async def answer_greeting(request: Object) -> Object:
    return {"greeting": f"hello {request['name']}"}


async def fail(request: Object) -> Object:
    raise ServiceError("no paper")


async def read_files(request: Object) -> Object:
    return {"contents": [os.pread(descriptor, 100, 0).decode() for descriptor in request[DESCRIPTORS]]}


async def fail_to_configure(request: Object) -> Object:
    raise ServiceError("no ink", os.EX_CONFIG)


COMMANDS = {"greet": answer_greeting, "fail": fail, "configure": fail_to_configure, "read": read_files}


def serving(folder: Path, ask_it: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with ControlServer(folder, "smtprd.1", COMMANDS):
            async with asyncio.timeout(20):
                await ask_it()

    asyncio.run(run())


def send(folder: Path, octets: bytes) -> bytes:
    """Send octets as they are, and read the answer."""
    with closing(SocketFolder(folder)) as sockets, socket.socket(socket.AF_UNIX) as asker:
        asker.connect(str(sockets.address("smtprd.1.sock")))
        asker.sendall(octets)
        asker.shutdown(socket.SHUT_WR)
        with asker.makefile("rb") as answers:
            return answers.read()


def test_a_command_is_answered_and_a_failure_is_told(folder: Path) -> None:
    async def ask_it() -> None:
        assert await asyncio.to_thread(ask, folder, "smtprd.1", "greet", name="joe") == {
            "greeting": "hello joe"
        }
        with pytest.raises(ServiceError, match=r"smtprd\.1: no paper"):
            await asyncio.to_thread(ask, folder, "smtprd.1", "fail")
        with pytest.raises(ServiceError, match=r"smtprd\.1: no ink") as caught:
            await asyncio.to_thread(ask, folder, "smtprd.1", "configure")
        assert caught.value.exit_code == os.EX_CONFIG
        assert list_programs(folder) == ["smtprd.1"]

    serving(folder, ask_it)
    assert list_programs(folder) == []


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\n",
        b"\xff\xfe\n",
        b"5\n",
        b"[" * 100_000 + b"\n",
        b'{"command": "drop"}\n',
        b'{"command": ["greet"]}\n',
        b'{"command": "greet"}\n',
        b"x" * (MOST_REQUEST_OCTETS + 1),
    ],
)
def test_P6_nonsense_is_answered_with_an_error_and_the_next_is_served(folder: Path, octets: bytes) -> None:
    async def ask_it() -> None:
        answer = json.loads(await asyncio.to_thread(send, folder, octets))
        assert list(answer) == ["error"]
        assert await asyncio.to_thread(ask, folder, "smtprd.1", "greet", name="joe")

    serving(folder, ask_it)


def test_P6_whoever_says_nothing_does_not_keep_others_out_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperpath.service.control._LISTEN_S", 0.05)
    monkeypatch.setattr("paperpath.service.control._MOST_ASKERS", 2)

    async def ask_it() -> None:
        with closing(SocketFolder(folder)) as sockets:
            address = str(sockets.address("smtprd.1.sock"))
            silent = [await asyncio.open_unix_connection(address) for _ in range(3)]
            for reader, writer in silent:
                assert await reader.read() == b""
                writer.close()
        assert await asyncio.to_thread(ask, folder, "smtprd.1", "greet", name="joe")

    serving(folder, ask_it)


def test_L3_only_the_owner_may_enter_and_a_stale_socket_is_taken_over(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX) as dead:
        patch.chdir(folder)
        dead.bind("smtprd.1.sock")
        dead.listen()

    async def ask_it() -> None:
        assert await asyncio.to_thread(ask, folder, "smtprd.1", "greet", name="joe")
        modes = [path.stat().st_mode & 0o777 for path in (folder / "smtprd.1.sock", folder)]
        assert modes == [0o600, 0o700]

    serving(folder, ask_it)


def test_a_second_program_of_the_name_refuses(folder: Path) -> None:
    async def ask_it() -> None:
        with pytest.raises(ServiceError, match=r"smtprd\.1 is running already"):
            await ControlServer(folder, "smtprd.1", {}).__aenter__()

    serving(folder, ask_it)


def test_who_is_not_there_is_said_not_to_run(folder: Path) -> None:
    with pytest.raises(ServiceError, match="smtprd is not running") as caught:
        ask(folder, "smtprd", "status")
    assert caught.value.exit_code == os.EX_UNAVAILABLE
    assert not folder.exists()


def open_files(folder: Path, count: int) -> list[int]:
    folder.mkdir()
    files = [folder / str(number) for number in range(count)]
    for file in files:
        file.write_text(file.name)
    return [os.open(file, os.O_RDONLY) for file in files]


def count_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def test_open_files_go_with_a_request_and_are_closed_again(folder: Path, tmp_path: Path) -> None:
    descriptors = open_files(tmp_path / "files", 3)
    os.read(descriptors[0], 1)  # where the asker is in a file is nothing to whoever reads it

    async def ask_it() -> None:
        before = count_open()
        for _ in range(2):
            answer = await asyncio.to_thread(
                ask, folder, "smtprd.1", "read", descriptors=descriptors, padding="x" * 500_000
            )
            assert answer == {"contents": ["0", "1", "2"]}
        assert await asyncio.to_thread(ask, folder, "smtprd.1", "read") == {"contents": []}
        assert count_open() == before

    serving(folder, ask_it)
    close(descriptors)


def test_L3_no_line_names_descriptors_that_did_not_come_with_it(folder: Path) -> None:
    async def ask_it() -> None:
        forged = b'{"command": "read", "descriptors": [0]}\n'
        assert json.loads(await asyncio.to_thread(send, folder, forged)) == {"contents": []}

    serving(folder, ask_it)


def test_an_answer_counts_though_its_program_closed_while_we_were_sending(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_fds = socket.send_fds

    def send_until_closed(asker: socket.socket, buffers: list[bytes], descriptors: Sequence[int]) -> int:
        sent = send_fds(asker, buffers, descriptors)
        closed = select.poll()
        closed.register(asker, 0)  # a hang-up is told in any case
        assert closed.poll(20_000)
        return sent

    monkeypatch.setattr(socket, "send_fds", send_until_closed)
    descriptors = open_files(tmp_path / "files", 1)

    async def ask_it() -> None:
        answer = await asyncio.to_thread(ask, folder, "smtprd.1", "read", descriptors=descriptors)
        assert len(answer["contents"]) == 1

    serving(folder, ask_it)
    close(descriptors)


def test_P6_too_many_files_are_refused_and_closed(folder: Path, tmp_path: Path) -> None:
    descriptors = open_files(tmp_path / "files", 1) * (MOST_DESCRIPTORS + 1)

    async def ask_it() -> None:
        before = count_open()
        for count in (MOST_DESCRIPTORS, MOST_DESCRIPTORS + 1):
            with pytest.raises(
                ServiceError, match="no paper" if count == MOST_DESCRIPTORS else "files at most"
            ):
                await asyncio.to_thread(ask, folder, "smtprd.1", "fail", descriptors=descriptors[:count])
        assert count_open() == before

    serving(folder, ask_it)
    close(descriptors[:1])
