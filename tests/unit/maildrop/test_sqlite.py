"""What only the SQLite engine has: refusals at opening, failures inside a group, the log's size (D-4, P2)."""

import asyncio
import os
from pathlib import Path

import pytest

from paperpath.maildrop.errors import MaildropError, SchemaError, StorageError
from paperpath.maildrop.sqlite import database
from paperpath.maildrop.sqlite.arrivals import insert_messages
from paperpath.maildrop.sqlite.database import create_database, open_database
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.sqlite.group import Transaction
from paperpath.maildrop.sqlite.writer import GroupCommitter
from paperpath.maildrop.values import Stage
from paperpath.testing.maildrop_suite import claim_all, put, settle_all, sort_all


def ignore(stage: Stage) -> None:
    """Wake nobody."""


def test_a_maildrop_that_is_not_there_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="paperpath init"):
        open_database(tmp_path)


def test_a_maildrop_of_another_version_is_refused(tmp_path: Path) -> None:
    create_database(tmp_path)
    connection = open_database(tmp_path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(SchemaError, match="version 99, this program 5; run the Paperpath that wrote it"):
        open_database(tmp_path)


def test_a_maildrop_of_an_older_version_is_refused_and_the_command_named(tmp_path: Path) -> None:
    create_database(tmp_path)
    connection = open_database(tmp_path)
    connection.execute("PRAGMA user_version=3")
    connection.close()
    with pytest.raises(SchemaError, match="version 3, this program 5; `paperpath upgrade`"):
        open_database(tmp_path)


def test_P2_a_new_maildrop_does_not_lose_its_name_with_the_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(database, "flush_directory", flushed.append)
    create_database(tmp_path / "maildrop")
    assert flushed == [tmp_path, tmp_path / "maildrop"]


def test_P8_a_queue_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    create_database(tmp_path)
    (tmp_path / "queue.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StorageError, match="file is not a database"):
        open_database(tmp_path)


def test_an_old_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_database(tmp_path)
    monkeypatch.setattr(database, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(SchemaError, match="install a newer apsw"):
        open_database(tmp_path)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_D15_only_the_owner_can_look_inside(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        create_database(tmp_path / "maildrop")
    finally:
        os.umask(before)
    for folder in ("workers", "content"):
        assert (tmp_path / "maildrop" / folder).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "maildrop").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "maildrop" / "queue.db").stat().st_mode & 0o777 == 0o600


def test_making_a_maildrop_twice_keeps_the_first(tmp_path: Path) -> None:
    async def run() -> int:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), ignore)
        await put(maildrop, "a@here.example")
        create_database(tmp_path)
        accepted = maildrop.read_books().accepted
        await maildrop.close()
        return accepted

    create_database(tmp_path)
    assert asyncio.run(run()) == 1


def test_a_maildrop_whose_making_was_interrupted_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "queue.db.new").write_bytes(b"half")
    create_database(tmp_path)
    open_database(tmp_path).close()
    assert not (tmp_path / "queue.db.new").exists()


def test_every_commit_is_flushed(tmp_path: Path) -> None:
    create_database(tmp_path)
    connection = open_database(tmp_path)
    assert (connection.pragma("journal_mode"), connection.pragma("synchronous")) == ("wal", 2)
    connection.close()


def test_a_bad_operation_fails_alone_in_its_group(tmp_path: Path) -> None:
    def good(transaction: Transaction) -> str:
        transaction.cursor.execute("INSERT INTO worker (kind, started_us) VALUES ('good', 0)")
        return "done"

    def bad(transaction: Transaction) -> None:
        transaction.cursor.execute("INSERT INTO worker (kind, started_us) VALUES ('bad', 0)")
        transaction.cursor.execute("UPDATE meta SET recipients = 7")
        raise ValueError("no")

    async def run() -> list[object]:
        committer = GroupCommitter(tmp_path, ignore, insert_messages, checkpoints=False)
        results = await asyncio.gather(
            *(committer.submit(one) for one in (good, bad, good)), return_exceptions=True
        )
        await committer.close()
        return list(results)

    create_database(tmp_path)
    first, second, third = asyncio.run(run())
    assert (first, third) == ("done", "done")
    assert isinstance(second, MaildropError)
    assert isinstance(second.__cause__, ValueError)
    connection = open_database(tmp_path)
    assert connection.execute("SELECT kind FROM worker").fetchall() == [("good",), ("good",)]
    assert connection.execute("SELECT recipients FROM meta").fetchall() == [(0,)]
    connection.close()


def test_the_log_starts_over_under_lasting_load(tmp_path: Path) -> None:
    async def run() -> int:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0, checkpoints=True), ignore)
        for _ in range(12):
            await asyncio.gather(*(put(maildrop, "a@here.example", octets=b"x" * 60_000) for _ in range(50)))
            await sort_all(maildrop)
            await settle_all(maildrop, await claim_all(maildrop, limit=100))
        size = (tmp_path / "queue.db-wal").stat().st_size
        await maildrop.close()
        return size

    create_database(tmp_path)
    assert asyncio.run(run()) < 4096 * 4000 * 2.5  # 36 MB went through
