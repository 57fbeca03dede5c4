"""What is flushed before the store says that something was done, or shows it (K-10, K-15, K-29)."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store.index import Index
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange
from paperpath.testing.mail_store_suite import put

BOX = PurePosixPath("joe")
_FULL = 2  # PRAGMA synchronous


@pytest.fixture
def store(tmp_path: Path) -> MaildirStore:
    create_maildir(tmp_path, BOX)
    return MaildirStore(tmp_path, BOX)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was called since: `fsync cur`, `rename`, `UIDs flushed`, `changes`, `changes flushed`."""
    made = list[str]()

    def note(name: str, tell: Callable[..., str]) -> None:
        call = getattr(os, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            made.append(tell(*args, **kwargs))
            return call(*args, **kwargs)

        monkeypatch.setattr(os, name, noted)

    note("fsync", lambda descriptor: f"fsync {_name_of(descriptor)}")
    note("rename", lambda *_, **__: "rename")
    changing, take_uids = Index.changing, Index.take_uids

    @contextmanager
    def noted_changing(index: Index, *, flushed: bool = True) -> Iterator[None]:
        with changing(index, flushed=flushed):
            made.append("changes")
            made[-1] += " flushed" * (index._connection.pragma("synchronous") == _FULL)
            yield

    def noted_take_uids(index: Index, count: int) -> range:
        made[-1] = made[-1].replace("changes", "UIDs")
        return take_uids(index, count)

    monkeypatch.setattr(Index, "changing", noted_changing)
    monkeypatch.setattr(Index, "take_uids", noted_take_uids)
    return made


def _name_of(descriptor: int) -> str:
    path = Path(f"/proc/self/fd/{descriptor}").readlink()
    return "message" if path.parent.name == "tmp" else path.name


def test_K29_uids_are_flushed_before_they_are_shown(
    tmp_path: Path, store: MaildirStore, calls: list[str]
) -> None:
    folder = store.open("INBOX")
    folder.look()
    with Maildir(tmp_path, Place(BOX)) as maildir:
        maildir.write("1.M1R1.host", [b"new\n"])
        maildir.flush()
    calls.clear()
    assert list(folder.look().snapshot.uids) == [1]
    assert "UIDs flushed" in calls
    folder.close()


def test_K15_flags_are_flushed_before_they_are_acknowledged(store: MaildirStore, calls: list[str]) -> None:
    put(store, "INBOX", 2)
    folder = store.open("INBOX")
    folder.look()
    calls.clear()
    folder.store_flags([1, 2], FlagChange.ADD, ["\\Seen"])
    assert calls == ["rename", "rename", "fsync cur", "changes flushed"]
    folder.close()


def test_K10_messages_are_flushed_with_their_names_before_APPEND_ends(
    store: MaildirStore, calls: list[str]
) -> None:
    store.open("INBOX").close()
    calls.clear()
    put(store, "INBOX", 1)
    deciding = calls.index("UIDs flushed")
    assert "fsync message" in calls[:deciding]
    assert calls[deciding + 1 :][:2] == ["rename", "fsync cur"]
