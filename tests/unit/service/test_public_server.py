"""The socket open to all users: it knows who asks, and none of them can stall the program (P6, L-3)."""

import asyncio
import json
import os
import pwd
import select
import socket
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from paperpath.service import public_server
from paperpath.service.asking import Object, exchange
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log
from paperpath.service.public_server import MOST_OF_ALL, MOST_OF_ONE, MOST_REQUEST_OCTETS, Asker, PublicServer
from paperpath.service.socket_folder import SocketFolder
from tests.support.installation import wait_until

NAME = "open.sock"
LOGIN = pwd.getpwuid(os.geteuid()).pw_name
SLOW_S = 0.02


def tell_who_asks(asker: Asker, _: Object) -> Object:
    return {"uid": asker.uid, "login": asker.login, "is_operator": asker.is_operator}


def refuse(_: Asker, __: Object) -> Object:
    raise ServiceError("that is no place", os.EX_USAGE)


def break_down(_: Asker, __: Object) -> Object:
    raise ValueError("/the/secret/path")


def tell_much(_: Asker, __: Object) -> Object:
    return {"much": "x" * 3_000_000}


COMMANDS = {"who": tell_who_asks, "refuse": refuse, "break": break_down, "much": tell_much}


def serving(
    folder: Path, ask_it: Callable[[], Awaitable[None]], operators: Collection[int] = (), **more: object
) -> None:
    commands = {**COMMANDS, **more}

    async def run() -> None:
        server = PublicServer(folder, NAME, "smtppd", commands, operators, open_log("smtppd"))  # type: ignore[arg-type]
        async with server, asyncio.timeout(30):
            await ask_it()

    asyncio.run(run())


async def ask(folder: Path, command: str, **more: object) -> Object:
    return await asyncio.to_thread(exchange, folder, NAME, "smtppd", {"command": command, **more})


async def send(folder: Path, octets: bytes) -> Object:
    """Send octets as they are, and read the answer."""
    with connecting(folder) as asker:
        asker.sendall(octets)
        asker.shutdown(socket.SHUT_WR)
        return await read(asker)


async def read(asker: socket.socket) -> Object:
    with asker.makefile("rb") as answers:
        answer: Object = json.loads(await asyncio.to_thread(answers.readline))
        return answer


@contextmanager
def connecting(folder: Path) -> Iterator[socket.socket]:
    with closing(SocketFolder(folder, make=False)) as sockets, socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(20)
        asker.connect(str(sockets.address(NAME)))
        yield asker


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have the next connections come from these users, each named twice: when let in and when served."""
    users: list[int] = []
    monkeypatch.setattr(public_server, "read_uid", lambda _: users.pop(0) if users else os.geteuid())
    return users


def test_J15_the_kernel_says_who_asks(tmp_path: Path) -> None:
    async def ask_it() -> None:
        told = await ask(tmp_path, "who", uid=12345, login="x", is_operator=True)
        assert told == {"uid": os.geteuid(), "login": LOGIN, "is_operator": False}

    serving(tmp_path, ask_it)


def test_J15_who_runs_the_programs_is_the_operator(tmp_path: Path) -> None:
    async def ask_it() -> None:
        assert (await ask(tmp_path, "who"))["is_operator"]

    serving(tmp_path, ask_it, operators={os.geteuid()})


def test_L3_the_socket_is_open_to_all_in_a_folder_that_nobody_else_may_list(tmp_path: Path) -> None:
    async def ask_it() -> None:
        modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "run", tmp_path / "run" / NAME)]
        assert modes == [0o711, 0o666]

    serving(tmp_path / "run", ask_it)
    assert not (tmp_path / "run" / NAME).exists()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\n",
        b"\xff\n",
        b"5\n",
        b"[" * MOST_REQUEST_OCTETS,
        b'{"command": "drop"}\n',
        b'{"command": ["who"]}\n',
        b'{"command": "who", "more": "' + b"x" * MOST_REQUEST_OCTETS + b'"}\n',
    ],
)
def test_P6_nonsense_is_no_question_and_the_next_is_served(tmp_path: Path, octets: bytes) -> None:
    async def ask_it() -> None:
        assert await send(tmp_path, octets) == {"error": "this is no question"}
        assert await ask(tmp_path, "who")

    serving(tmp_path, ask_it)


def test_P6_who_says_nothing_or_reads_nothing_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_server, "_LISTEN_S", 0.1)

    async def ask_it() -> None:
        with connecting(tmp_path) as silent, connecting(tmp_path) as deaf:
            deaf.sendall(b'{"command": "much"}\n')
            assert await asyncio.to_thread(silent.recv, 1) == b""
            await asyncio.to_thread(wait_for_hang_up, deaf)
        assert await ask(tmp_path, "who")

    serving(tmp_path, ask_it)


def wait_for_hang_up(asker: socket.socket) -> None:
    """Read nothing until the other end has closed."""
    closed = select.poll()
    closed.register(asker, 0)  # a hang-up is told in any case
    assert closed.poll(20_000)


def test_P6_one_user_has_few_places_and_the_others_have_theirs(tmp_path: Path, others: list[int]) -> None:
    async def ask_it() -> None:
        with ExitStack() as held:
            for _ in range(MOST_OF_ONE):
                others.extend((1000, 1000))
                held.enter_context(connecting(tmp_path))
            await asyncio.to_thread(wait_until, lambda: not others, "all to have their places")
            others.append(1000)
            with connecting(tmp_path) as one_too_many:
                assert "too many" in (await read(one_too_many))["error"]
            others.extend((1001, 1001))
            assert (await ask(tmp_path, "who"))["uid"] == 1001

    serving(tmp_path, ask_it)


def test_P6_however_many_users_ask_the_operator_has_a_place(tmp_path: Path, others: list[int]) -> None:
    async def ask_it() -> None:
        with ExitStack() as held:
            for number in range(MOST_OF_ALL):
                others.extend((1000 + number, 1000 + number))
                held.enter_context(connecting(tmp_path))
            await asyncio.to_thread(wait_until, lambda: not others, "all to have their places")
            others.append(999)
            with connecting(tmp_path) as one_too_many:
                assert (await read(one_too_many))["exit_code"] == os.EX_TEMPFAIL
            others.extend((7, 7))
            assert (await ask(tmp_path, "who"))["uid"] == 7

    serving(tmp_path, ask_it, operators={7})


def test_P6_places_come_free_again(tmp_path: Path) -> None:
    async def ask_it() -> None:
        for _ in range(MOST_OF_ONE * 2):
            await ask(tmp_path, "who")

    serving(tmp_path, ask_it)


def test_P6_answering_takes_a_fifth_of_the_time(tmp_path: Path) -> None:
    spans: list[tuple[float, float]] = []

    def take_long(_: Asker, __: Object) -> Object:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while loop.time() < began_s + SLOW_S:
            pass
        spans.append((began_s, loop.time()))
        return {}

    async def ask_it() -> None:
        await asyncio.gather(*(ask(tmp_path, "long") for _ in range(MOST_OF_ONE)))

    serving(tmp_path, ask_it, long=take_long)
    rests = [later[0] - earlier[1] for earlier, later in pairwise(spans)]
    assert len(rests) == MOST_OF_ONE - 1
    assert min(rests) >= SLOW_S * 4


def test_J15_a_refusal_is_told_and_a_defect_of_ours_only_to_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask_it() -> None:
        with pytest.raises(ServiceError, match="that is no place") as refused:
            await ask(tmp_path, "refuse")
        assert refused.value.exit_code == os.EX_USAGE
        for _ in range(3):
            with pytest.raises(ServiceError, match="there is no answer just now") as broken:
                await ask(tmp_path, "break")
            assert "secret" not in str(broken.value)

    serving(tmp_path, ask_it)
    assert capsys.readouterr().err.count("secret") == 1


def count_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_L3_open_files_that_come_with_a_question_are_not_taken(tmp_path: Path) -> None:
    async def ask_it() -> None:
        before = count_open()
        with connecting(tmp_path) as asker:
            socket.send_fds(asker, [b'{"command": "who"}\n'], [0] * 50)
            assert await read(asker)
        assert count_open() == before

    serving(tmp_path, ask_it)


def test_who_runs_already_is_told(tmp_path: Path) -> None:
    async def ask_it() -> None:
        with pytest.raises(ServiceError, match="smtppd is running already"):
            await PublicServer(tmp_path, NAME, "smtppd", {}, (), open_log("smtppd")).__aenter__()

    serving(tmp_path, ask_it)
