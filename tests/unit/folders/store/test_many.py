"""Folders of many messages are selected and counted without reading every row (K-9, K-4)."""

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath

import apsw
import pytest

from paperpath.folders.maildir import create_maildir
from paperpath.folders.store import looking
from paperpath.folders.store.index_file import INDEX_NAME
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange, Uids
from paperpath.testing.mail_store_suite import put

MANY = looking.MOST_NEWS + 100
BOX = PurePosixPath("joe")
BEFORE_2 = "DROP INDEX message_unseen; DROP INDEX message_deleted; DROP TABLE listed; PRAGMA user_version=1"


def make_store(root: Path, messages: int) -> MaildirStore:
    create_maildir(root, BOX)
    for number in range(messages):
        (root / BOX / "cur" / f"{1_600_000_000 + number}.host:2,S").write_bytes(b"m")
    return MaildirStore(root, BOX)


def select(store: MaildirStore) -> tuple[Uids, int | None]:
    with closing(store.open("INBOX")) as folder:
        return folder.look().snapshot.uids, folder.first_unseen()


def expunge(store: MaildirStore, uids: list[int]) -> None:
    with closing(store.open("INBOX")) as folder:
        folder.store_flags(uids, FlagChange.ADD, ["\\Deleted"])
        assert folder.expunge() == uids


def read_rows(root: Path) -> list[int]:
    with closing(sqlite3.connect(root / BOX / INDEX_NAME)) as connection:
        return [uid for (uid,) in connection.execute("SELECT uid FROM message ORDER BY uid")]


def test_K9_who_selects_a_long_folder_sees_what_came_and_went_since_its_list_was_kept(
    tmp_path: Path,
) -> None:
    store = make_store(tmp_path, MANY)
    assert select(store) == (range(1, MANY + 1), None)
    expunge(store, [3, 5, MANY])
    put(store, "INBOX", 2, flags=["\\Flagged"])
    uids, unseen = select(store)
    assert list(uids) == read_rows(tmp_path) == [1, 2, 4, *range(6, MANY), MANY + 1, MANY + 2]
    assert unseen == MANY + 1
    expunge(store, [MANY + 1])
    expunge(store, list(range(6, MANY, 2)))
    for _ in range(2):
        uids, unseen = select(store)
        assert list(uids) == read_rows(tmp_path)
        assert unseen == MANY + 2
    assert store.status("INBOX").messages == len(uids)


def test_K9_a_list_that_is_older_than_what_is_remembered_of_departed_messages_is_made_anew(
    tmp_path: Path,
) -> None:
    store = make_store(tmp_path, MANY)
    select(store)
    expunge(store, [7, 8])
    with closing(sqlite3.connect(tmp_path / BOX / INDEX_NAME)) as connection, connection:
        connection.execute("UPDATE folder SET forgotten = modseq")
        connection.execute("DELETE FROM departed")
    assert list(select(store)[0]) == read_rows(tmp_path)


def test_K9_a_long_folder_is_selected_in_as_many_steps_as_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    monkeypatch.setattr(apsw, "connection_hooks", [lambda one: one.set_progress_handler(count, 1)])
    taken = []
    for messages in (MANY, 2 * MANY):
        root = tmp_path / str(messages)
        root.mkdir()
        store = make_store(root, messages)
        expunge(store, [2, messages])
        select(store)
        steps = 0
        select(store)
        store.status("INBOX")
        with closing(store.open("INBOX")) as folder:
            folder.expunge()
        taken.append(steps)
    assert 0 < taken[1] < taken[0] + 100


def test_K4_an_index_of_an_older_version_keeps_its_uids(tmp_path: Path) -> None:
    store = make_store(tmp_path, 3)
    expunge(store, [2])
    put(store, "INBOX", 1)
    before = store.status("INBOX")
    with closing(sqlite3.connect(tmp_path / BOX / INDEX_NAME)) as connection:
        connection.executescript(BEFORE_2)
    assert store.status("INBOX") == before
    uids, unseen = select(store)
    assert (list(uids), unseen) == ([1, 3, 4], 4)


def test_K9_a_list_that_cannot_be_kept_as_on_a_full_disk_keeps_nobody_from_reading(tmp_path: Path) -> None:
    store = make_store(tmp_path, MANY)
    expected = select(store)
    with closing(sqlite3.connect(tmp_path / BOX / INDEX_NAME)) as connection:
        connection.execute("DELETE FROM listed")
        connection.execute("CREATE TRIGGER t BEFORE INSERT ON listed BEGIN SELECT RAISE(ABORT, 'full'); END")
        connection.commit()
    assert select(store) == expected
    expunge(store, [3])
    assert list(select(store)[0]) == read_rows(tmp_path)
