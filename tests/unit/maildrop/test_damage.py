"""What is damaged is named and stops nothing else (D-9): rows, content, and pages of the file."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from paperpath.mail.outcome import SetAside
from paperpath.mail.reply import make_reply
from paperpath.maildrop.errors import DamagedFileError, MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.sqlite.database import create_database, open_database
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.values import (
    SMALL_CONTENT_OCTETS,
    Aside,
    Hold,
    QueueFilter,
    Release,
    Remove,
    Settlement,
    State,
    Transport,
)
from paperpath.testing.maildrop_tools import claim_all, put, settle_all, sort_all, to_local

REPLY = make_reply(451, "4.3.0", "Damaged")
LARGE = b"x" * (2 * SMALL_CONTENT_OCTETS)
# What befalls the first of three messages, and what is said of it.
UNSORTED = {
    "UPDATE recipient SET address = 'a b@@' WHERE id = 1": "address 'a b@@'",
    "UPDATE recipient SET address = x'ff' WHERE id = 1": "address: b'\\xff'",
    "UPDATE recipient SET address = CAST(x'ff' AS TEXT) WHERE id = 1": "cannot be read",
    "UPDATE recipient SET accepted_address = '' WHERE id = 1": "accepted address ''",
    "UPDATE recipient SET return_path = '@' WHERE id = 1": "return path '@'",
    "UPDATE recipient SET expanded_via = '[1]' WHERE id = 1": "aliases it came from",
    "UPDATE recipient SET expanded_via = '{' WHERE id = 1": "aliases it came from",
    "UPDATE recipient SET notify = 7.5, orcpt = x'00' WHERE id = 1": "row of the recipient is damaged",
    "UPDATE message SET sender = 'nobody@' WHERE id = 1": "return path 'nobody@'",
    "UPDATE message SET arrived_us = 'x' WHERE id = 1": "row of the message is damaged",
    "PRAGMA foreign_keys=OFF; DELETE FROM message WHERE id = 1": "row of the message is damaged or missing",
}
CLAIMED = {
    **{
        damage: what
        for damage, what in UNSORTED.items()
        if not any(word in damage for word in ("sender", "DELETE", "via"))
    },
    "UPDATE message SET sender = 'nobody@' WHERE id = 1": "sender 'nobody@'",
    "UPDATE message SET digest = x'00' WHERE id = 1": "the digest has 1 octets",
    "UPDATE message SET digest = 'x' WHERE id = 1": "row of the content is damaged",
    "UPDATE message SET size = size + 1 WHERE id = 1": "12 octets, not 13",
    "UPDATE message SET origin = 'moon' WHERE id = 1": "origin is 'moon'",
    "UPDATE message SET deadline_us = 'soon' WHERE id = 1": "row of the message is damaged",
    "UPDATE recipient SET destination_id = NULL WHERE id = 1": "row of the recipient is damaged",
    "DELETE FROM content WHERE message_id = 1": "the content is missing",
    "PRAGMA foreign_keys=OFF; DELETE FROM message WHERE id = 1": "is missing or cannot be read",
}


def alter(folder: Path, statements: str) -> None:
    connection = open_database(folder)
    connection.execute(statements)
    connection.close()


def run(folder: Path, scene: Callable[[Maildrop], Awaitable[None]]) -> None:
    async def play() -> None:
        maildrop = await open_sqlite(folder, Worker("test", 0), lambda stage: None)
        for number in range(3):
            await put(maildrop, f"u{number}@here.example")
        await scene(maildrop)
        assert maildrop.read_books().balance
        await maildrop.close()

    create_database(folder)
    asyncio.run(play())


@pytest.mark.parametrize("damage", UNSORTED)
def test_D9_a_damaged_recipient_is_set_aside_at_sorting(damage: str, tmp_path: Path) -> None:
    async def scene(maildrop: Maildrop) -> None:
        alter(tmp_path, damage)
        found = maildrop.read_unsorted(10)
        assert [one.address.local for one in found.recipients] == ["u1", "u2"]
        (damaged,) = found.damaged
        assert damaged.recipient_id == 1
        assert UNSORTED[damage] in damaged.reason
        assert await maildrop.sort([Aside(1, REPLY)], maildrop.read_epoch(), 10) == 1
        assert not maildrop.read_unsorted(10).damaged
        await sort_all(maildrop)
        assert await settle_all(maildrop, await claim_all(maildrop)) == 2

    run(tmp_path, scene)


@pytest.mark.parametrize("damage", CLAIMED)
def test_D9_a_damaged_recipient_is_set_aside_in_delivery(damage: str, tmp_path: Path) -> None:
    async def scene(maildrop: Maildrop) -> None:
        await sort_all(maildrop)
        alter(tmp_path, damage)
        # Whatever cannot say any more where it goes is claimed by nobody else either.
        claimed = await maildrop.claim(Transport.LOCAL, 10, 100)
        assert [one.address.local for one in claimed.claims] == ["u1", "u2"]
        await settle_all(maildrop, claimed.claims)
        if "destination_id" in damage:
            assert not claimed.damaged
            return
        (damaged,) = claimed.damaged
        assert damaged.recipient_id == 1
        assert CLAIMED[damage] in damaged.reason
        assert await maildrop.settle([Settlement(1, SetAside(REPLY))]) == 1
        assert maildrop.read_books().held == 1
        assert await maildrop.change([1], Remove()) == 1
        assert maildrop.read_books().open == 0

    run(tmp_path, scene)


@pytest.mark.parametrize("how", ["missing", "short"])
def test_D9_a_content_file_that_is_not_as_it_was_is_damage(how: str, tmp_path: Path) -> None:
    async def scene(maildrop: Maildrop) -> None:
        queue_id = await put(maildrop, "large@here.example", octets=LARGE)
        await sort_all(maildrop)
        (file,) = (path for path in (tmp_path / "content").rglob("*") if path.is_file())
        if how == "missing":
            file.unlink()
        else:
            file.write_bytes(LARGE[1:])
        claimed = await maildrop.claim(Transport.LOCAL, 10, 100)
        assert len(claimed.claims) == 3
        (damaged,) = claimed.damaged
        assert damaged.queue_id == queue_id
        assert ("No such file" if how == "missing" else "131071 octets, not 131072") in damaged.reason
        with pytest.raises(MaildropError, match=f"{queue_id} is damaged"):
            maildrop.read_message(queue_id)

    run(tmp_path, scene)


def test_D9_what_is_damaged_can_be_listed_and_removed(tmp_path: Path) -> None:
    async def scene(maildrop: Maildrop) -> None:
        alter(tmp_path, "UPDATE recipient SET address = 'a b@@', expanded_via = '{' WHERE id = 1")
        assert await maildrop.change([1], Hold("look")) == 1
        (entry,) = maildrop.find(QueueFilter(state=State.HELD), 0, 10)
        assert (entry.address, entry.expanded_via) == ("a b@@", ("{",))
        assert await maildrop.change([1], Release()) == 1
        assert len(maildrop.read_unsorted(10).damaged) == 1
        assert await maildrop.change([1], Remove()) == 1

    run(tmp_path, scene)


@pytest.mark.slow
def test_D9_what_lies_before_and_behind_a_damaged_page_is_sorted(tmp_path: Path) -> None:
    async def play() -> tuple[int, int]:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), lambda stage: None)
        for number in range(300):
            await put(maildrop, f"u{number}@here.example")
        await maildrop.close()
        spoil_page_of(tmp_path, "recipient")
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), lambda stage: None)
        found = maildrop.read_unsorted(1000)
        aside = [Aside(one.recipient_id, REPLY) for one in found.damaged]
        moved = await maildrop.sort([*aside, *map(to_local, found.recipients)], 1, 10)
        assert not maildrop.read_unsorted(1000).damaged
        with pytest.raises(DamagedFileError):
            await maildrop.sort(aside, 1, 10)
        await put(maildrop, "late@here.example")
        assert await sort_all(maildrop) == 1
        await maildrop.close()
        return len(found.damaged), moved

    create_database(tmp_path)
    damaged, moved = asyncio.run(play())
    assert 0 < damaged < 100
    assert 100 < moved < 300  # pages beside it are hit where rows that grow make SQLite balance them


@pytest.mark.slow
def test_D9_what_lies_before_and_behind_a_damaged_page_is_delivered(tmp_path: Path) -> None:
    async def play() -> int:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), lambda stage: None)
        for number in range(300):
            await put(maildrop, f"u{number}@here.example")
        await sort_all(maildrop)
        await maildrop.close()
        spoil_page_of(tmp_path, "recipient")
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), lambda stage: None)
        delivered = 0
        with pytest.raises(DamagedFileError):
            await claim_all(maildrop, limit=100)
        # What lies beside that page cannot be moved either, where SQLite has to touch both.
        with suppress(DamagedFileError):
            while claims := await claim_all(maildrop, limit=100):
                delivered += await settle_all(maildrop, claims)
        await maildrop.close()
        return delivered

    create_database(tmp_path)
    assert 150 <= asyncio.run(play()) < 300


def spoil_page_of(folder: Path, table: str) -> None:
    """Write nonsense over a leaf page in the middle of a table."""
    connection = apsw.Connection(str(folder / "queue.db"))
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    ((root,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
    connection.close()
    data = bytearray((folder / "queue.db").read_bytes())
    start = (int(str(root)) - 1) * 4096
    assert data[start] == 5  # an inner page of a table
    first_cell = start + int.from_bytes(data[start + 14 : start + 16], "big")
    child = int.from_bytes(data[first_cell : first_cell + 4], "big")
    data[(child - 1) * 4096 : child * 4096] = b"\xaa" * 4096
    (folder / "queue.db").write_bytes(data)


def test_D9_an_operator_sees_a_row_that_is_no_text(tmp_path: Path) -> None:
    async def scene(maildrop: Maildrop) -> None:
        alter(tmp_path, "UPDATE recipient SET address = CAST(x'ff' AS TEXT) WHERE id = 1")
        found = maildrop.find(QueueFilter(), 0, 10)
        assert [entry.address for entry in found] == ["\\xff", "u1@here.example", "u2@here.example"]
        assert len(maildrop.find(QueueFilter(domain="here.example"), 0, 10)) == 2

    run(tmp_path, scene)
