"""The time of a session: who has logged in has half an hour from what he said last (K-7, K-17)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.config.quota import NO_QUOTA
from paperpath.imap.session import Session
from paperpath.intake.guest import Door
from tests.support.imap_desk import SETTINGS, House


class Transport(asyncio.Transport):
    """Notes what a session writes, and whether it closes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("192.0.2.1", 40000) if name == "peername" else None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def rest() -> None:
    """Wait until the session has nothing to do."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@pytest.mark.parametrize("last", [b"b NOOP\r\n", b"b SELECT INBOX\r\nc IDLE\r\n"])
def test_K7_K17_who_has_logged_in_may_be_silent_for_half_an_hour(tmp_path: Path, last: bytes) -> None:
    async def talk(house: House) -> bytes:
        transport, loop = Transport(), asyncio.get_running_loop()
        session = Session(house.service, Door.CLEAR)
        session.connection_made(transport)
        session.data_received(b"a LOGIN joe secret\r\n" + last)
        await rest()
        said = len(transport.written)
        session.check_time(loop.time() + 1795)
        await rest()
        assert transport.written[said:] == b""
        assert not transport.is_closing()
        session.check_time(loop.time() + 1801)
        await rest()
        assert transport.is_closing()
        session.connection_lost(None)
        await rest()
        return transport.written[said:]

    house = House(tmp_path, NO_QUOTA, replace(SETTINGS, auth_in_clear=True))
    try:
        assert house.run(talk(house)).startswith(b"* BYE ")
    finally:
        house.close()


def count_open(folder: Path) -> int:
    """Return how many files this process has open in a folder."""
    links = Path("/proc/self/fd").iterdir()
    return sum(link.readlink().is_relative_to(folder) for link in links if link.is_symlink())


def test_P6_who_has_selected_a_mailbox_and_is_silent_holds_nothing_open_in_it(tmp_path: Path) -> None:
    async def talk(house: House) -> bytes:
        transport, loop = Transport(), asyncio.get_running_loop()
        session = Session(house.service, Door.CLEAR)
        session.connection_made(transport)
        session.data_received(b"a LOGIN joe secret\r\nb SELECT INBOX\r\n")
        await rest()
        held = count_open(tmp_path)
        session.check_time(loop.time() + 5)
        await rest()
        assert count_open(tmp_path) == held > 0
        session.check_time(loop.time() + 11)
        await rest()
        assert count_open(tmp_path) == 0
        said = len(transport.written)
        session.data_received(b"c STORE 1 +FLAGS (\\Seen)\r\n")
        await rest()
        assert count_open(tmp_path) == held
        session.connection_lost(None)
        await rest()
        assert count_open(tmp_path) == 0
        return transport.written[said:]

    house = House(tmp_path, NO_QUOTA, replace(SETTINGS, auth_in_clear=True))
    try:
        house.deliver(b"Subject: one\r\n\r\n")
        assert house.run(talk(house)).startswith(b"* 1 FETCH (FLAGS (\\Seen \\Recent))\r\nc OK")
    finally:
        house.close()
