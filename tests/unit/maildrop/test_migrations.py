"""Older queues come up to date with all their mail, whole or not at all."""

import asyncio
from pathlib import Path

import apsw
import pytest

from paperpath.maildrop.errors import SchemaError
from paperpath.maildrop.sqlite.database import (
    SCHEMA_VERSION,
    create_database,
    open_database,
    upgrade_database,
)
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.sqlite.locks import WorkerLock
from paperpath.maildrop.sqlite.migrations import MIGRATIONS
from paperpath.maildrop.values import Books
from paperpath.testing.maildrop_suite import claim_all, put, settle_all, sort_all

# The first version, with one message of five recipients: one of each state, and a second that is ready.
FIRST = """
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1), messages INTEGER NOT NULL, recipients INTEGER NOT NULL,
        delivered INTEGER NOT NULL, mended INTEGER NOT NULL
    );
    INSERT INTO meta VALUES (1, 1, 5, 1, 0);
    CREATE TABLE worker (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, started_us INTEGER NOT NULL
    );
    INSERT INTO worker VALUES (7, 'smtpld', 0);
    CREATE TABLE destination (
        id INTEGER PRIMARY KEY, transport TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (transport, name)
    );
    INSERT INTO destination VALUES (1, 'local', 'here.example');
    CREATE TABLE message (
        id INTEGER PRIMARY KEY, queue_id TEXT NOT NULL, sender TEXT NOT NULL, body TEXT NOT NULL,
        client_address TEXT NOT NULL, client_port INTEGER NOT NULL, client_hello TEXT NOT NULL,
        client_protocol TEXT NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL,
        arrived_us INTEGER NOT NULL, open_recipients INTEGER NOT NULL, content_file INTEGER NOT NULL
    );
    INSERT INTO message VALUES (1, '000000000017', 'a@b.example', '', '192.0.2.1', 1, 'h', 'ESMTP', 3,
                                zeroblob(32), 1, 4, 0);
    CREATE TABLE content (message_id INTEGER PRIMARY KEY REFERENCES message (id), octets BLOB NOT NULL);
    INSERT INTO content VALUES (1, 'x' || char(13, 10));
    UPDATE content SET octets = CAST(octets AS BLOB);
    CREATE TABLE recipient (
        id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES message (id),
        accepted_address TEXT NOT NULL, address TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('unsorted', 'ready', 'claimed', 'settled')), transport TEXT,
        destination_id INTEGER REFERENCES destination (id), due_us INTEGER, worker INTEGER,
        tried INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
        last_reply TEXT NOT NULL DEFAULT ''
    );
    INSERT INTO recipient (id, message_id, accepted_address, address, state, transport,
                           destination_id, due_us, worker)
    VALUES (1, 1, 'u1@here.example', 'u1@here.example', 'unsorted', NULL, NULL, NULL, NULL),
           (2, 1, 'u2@here.example', 'u2@here.example', 'ready', 'local', 1, 5, NULL),
           (3, 1, 'u3@here.example', 'u3@here.example', 'claimed', 'local', 1, 5, 7),
           (4, 1, 'u4@here.example', 'u4@here.example', 'settled', 'local', 1, 5, NULL),
           (5, 1, 'u5@here.example', 'u5@here.example', 'ready', 'local', 1, 6, NULL);
    CREATE INDEX recipient_unsorted ON recipient (id) WHERE state = 'unsorted';
    CREATE INDEX recipient_ready ON recipient (transport, destination_id, due_us) WHERE state = 'ready';
    CREATE INDEX recipient_claimed ON recipient (worker) WHERE state = 'claimed';
    CREATE INDEX recipient_by_message ON recipient (message_id);
    PRAGMA user_version=1;
"""


def make_first(folder: Path) -> None:
    create_database(folder)
    file = folder / "queue.db"
    file.unlink()
    connection = apsw.Connection(str(file))
    connection.execute(FIRST)
    connection.close()


def columns(folder: Path) -> dict[str, set[tuple[object, ...]]]:
    connection = open_database(folder)
    tables = connection.execute(
        "SELECT name, type FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
    ).fetchall()
    found = {
        str(name): set(connection.execute(f"PRAGMA table_xinfo('{name}')").fetchall())
        | set(connection.execute(f"PRAGMA index_xinfo('{name}')").fetchall())
        for name, _ in tables
    }
    connection.close()
    # In which order columns stand matters for none but messages.
    return {
        name: rows if name == "message" else {row[1:] for row in rows} if name == "recipient" else rows
        for name, rows in found.items()
        if name != "meta"
    }


def test_an_upgraded_queue_is_made_as_a_new_one(tmp_path: Path) -> None:
    make_first(tmp_path / "old")
    create_database(tmp_path / "old")
    create_database(tmp_path / "new")
    assert columns(tmp_path / "old") == columns(tmp_path / "new")


def test_P2_all_mail_of_the_first_version_is_delivered_by_this_one(tmp_path: Path) -> None:
    async def run() -> tuple[Books, Books, list[str]]:
        maildrop = await open_sqlite(tmp_path, Worker("test", 0), lambda stage: None)
        before = maildrop.read_books()
        assert await maildrop.release_dead() == 1
        await put(maildrop, "u6@here.example")
        await sort_all(maildrop)
        claims = await claim_all(maildrop)
        await settle_all(maildrop, claims)
        after = maildrop.read_books()
        await maildrop.close()
        return before, after, sorted(claim.address.local for claim in claims)

    make_first(tmp_path)
    assert upgrade_database(tmp_path) == 1
    assert upgrade_database(tmp_path) == SCHEMA_VERSION
    before, after, delivered = asyncio.run(run())
    assert before.balance
    assert (before.accepted, before.delivered, before.open) == (5, 1, 4)
    assert delivered == ["u1", "u2", "u3", "u5", "u6"]
    assert after.balance
    assert (after.delivered, after.open) == (6, 0)


def test_an_upgrade_that_fails_leaves_what_there_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_first(tmp_path)
    monkeypatch.setitem(MIGRATIONS, 2, MIGRATIONS[2] + "; SELECT nonsense")
    with pytest.raises(apsw.SQLError):
        upgrade_database(tmp_path)
    monkeypatch.undo()
    assert upgrade_database(tmp_path) == 1


def test_no_queue_is_upgraded_under_a_living_worker(tmp_path: Path) -> None:
    make_first(tmp_path)
    worker = WorkerLock(tmp_path / "workers", 7)
    with pytest.raises(SchemaError, match="end them first"):
        upgrade_database(tmp_path)
    worker.close()
    assert upgrade_database(tmp_path) == 1


def test_where_no_queue_is_none_is_upgraded(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="paperpath init"):
        upgrade_database(tmp_path)
