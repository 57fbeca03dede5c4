"""Octets between pipes and a socket: all of them, in both ways, and the ends."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from paperpath.service.pump import Pump


@pytest.fixture
def ends() -> Iterator[tuple[int, int, Pump]]:
    """Return where a client writes and reads, and what is between."""
    (source, client_writes), (client_reads, target) = os.pipe(), os.pipe()
    os.set_blocking(source, False)  # as somebody may have left it
    pump = Pump(source, target)
    pump.socket.settimeout(10)
    yield client_writes, client_reads, pump
    pump.socket.close()


def read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_what_is_written_arrives_and_its_end_too(ends: tuple[int, int, Pump]) -> None:
    client_writes, client_reads, pump = ends
    os.write(client_writes, b"QUIT\r\n")
    assert pump.socket.recv(100) == b"QUIT\r\n"
    os.close(client_writes)
    assert pump.socket.recv(100) == b""
    pump.socket.sendall(b"221\r\n")  # whoever sends no more can still be answered
    pump.socket.close()
    pump.finish(10)
    assert read_all(client_reads) == b"221\r\n"


def test_all_is_written_before_it_is_finished(ends: tuple[int, int, Pump]) -> None:
    client_writes, client_reads, pump = ends
    octets = os.urandom(1_000_000)
    os.close(client_writes)

    def say() -> None:
        pump.socket.sendall(octets)
        pump.socket.close()

    saying = threading.Thread(target=say)
    saying.start()
    assert read_all(client_reads) == octets
    saying.join()
    pump.finish(10)


def test_who_reads_no_more_is_gone(ends: tuple[int, int, Pump]) -> None:
    client_writes, client_reads, pump = ends
    os.close(client_reads)
    pump.socket.sendall(b"220\r\n")
    assert pump.socket.recv(100) == b""
    pump.finish(10)
    os.close(client_writes)


def test_who_does_not_read_is_waited_for_so_long(ends: tuple[int, int, Pump]) -> None:
    client_writes, client_reads, pump = ends
    pump.socket.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            pump.socket.send(bytes(64 * 1024))
    pump.socket.close()
    pump.finish(0.01)  # and it is not finished
    os.close(client_reads)
    pump.finish(10)
    os.close(client_writes)
