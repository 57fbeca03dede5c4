"""Control sockets: bounded, for the service user alone, and none the worse for nonsense (P6, L-3)."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.service.control import MOST_REQUEST_OCTETS, ControlServer, Object, ask, list_programs
from paperpath.service.errors import ServiceError
from paperpath.service.socket_folder import SocketFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ("a-long-path-" * 10) / "control"  # longer than a socket's address may be


async def answer_greeting(request: Object) -> Object:
    return {"greeting": f"hello {request['name']}"}


async def fail(request: Object) -> Object:
    raise ServiceError("no paper")


def serving(folder: Path, ask_it: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with ControlServer(folder, "smtprd.1", {"greet": answer_greeting, "fail": fail}):
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
