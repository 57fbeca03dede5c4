"""Asking over a local socket: whoever asks waits his turn, and is told why there is no answer."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from paperpath.service.asking import exchange, parse_object
from paperpath.service.errors import ServiceError

NAME = "x.sock"


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.chdir(tmp_path)  # for the paths of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(NAME)
        listener.listen(1)
        listener.settimeout(5)
        yield listener


def crowd() -> int:
    """Let others come until no more may, and go; return how many wait to be let in, if only to be gone."""
    with ExitStack() as others:
        for count in range(100):
            other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            others.enter_context(other)
            try:
                other.connect(NAME)
            except BlockingIOError:
                return count
    raise AssertionError("there is always room")


def answer(listener: socket.socket, count: int) -> None:
    """Accept so many; answer those that ask."""
    for _ in range(count):
        connection, _ = listener.accept()
        with connection, suppress(BrokenPipeError):
            connection.recv(1000)
            connection.sendall(b'{"answer": 1}\n')


def test_P6_who_comes_when_many_wait_waits_too(listener: socket.socket, tmp_path: Path) -> None:
    waiting = crowd()
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(exchange, tmp_path, NAME, "x", {"command": "y"}, 20)
        with pytest.raises(TimeoutError):  # he neither gives up nor gets in
            asked.result(0.2)
        answer(listener, waiting + 1)
        assert asked.result(20) == {"answer": 1}


def test_P6_waiting_has_its_end(listener: socket.socket, tmp_path: Path) -> None:
    crowd()
    with pytest.raises(ServiceError, match="x does not answer"):
        exchange(tmp_path, NAME, "x", {}, 0.05)


@pytest.mark.parametrize("line", [b"", b"5\n", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_none(line: bytes) -> None:
    assert parse_object(line) is None
    assert parse_object(json.dumps({"a": 1}).encode()) == {"a": 1}
