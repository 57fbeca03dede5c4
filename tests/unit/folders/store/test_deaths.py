"""Killed at any call: no message and no acknowledged flag is lost (K-10, K-19, K-29)."""

import itertools
import shutil
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import pytest

from paperpath.config.quota import NO_QUOTA, Quota
from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange
from paperpath.testing.mail_store_suite import flags_of, names, put, read
from tests.unit.folders.store.dying import run_and_die

pytestmark = pytest.mark.slow

BOX = PurePosixPath("joe")
CONTENTS = [b"Subject: %d\r\n\r\n" % number for number in range(4)]
OLD = Counter(CONTENTS)
TWO_DAYS_NS = 2 * 86_400 * 1_000_000_000
Deed = Callable[[MaildirStore], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A mailbox with four messages in INBOX, one of them \\Flagged, and one delivered since; and a folder."""
    root = tmp_path / "root"
    create_maildir(root, BOX)
    store = MaildirStore(root, BOX)
    store.create("Other/Below")
    for content in CONTENTS:
        put(store, "INBOX", 1, content=content)
    folder = store.open("INBOX")
    folder.look()
    folder.store_flags([1], FlagChange.ADD, ["\\Flagged", "Todo"])
    folder.close()
    return root


def deliver(root: Path) -> None:
    with Maildir(root, Place(BOX)) as maildir:
        maildir.write("1.M1R1.host", [b"new\n"])
        maildir.flush()


def each_death(root: Path, deed: Deed, quota: Quota = NO_QUOTA) -> list[MaildirStore]:
    """Give the mailbox as it is after each death there can be, each in a copy of its own."""
    stores = []
    for after in (False, True):
        for call in itertools.count(1):
            copy = root.parent / f"{call}-{after}"
            shutil.copytree(root, copy)
            store = MaildirStore(copy, BOX, quota=quota)
            stores.append(store)
            if not run_and_die(partial(deed, store), call, after=after):
                break
        assert call > 3
    return stores


def contents(store: MaildirStore, name: str) -> "Counter[bytes]":
    """Read a folder's messages, and see that a second look finds nothing else."""
    folder = store.open(name)
    shown = folder.look().snapshot
    found = Counter(read(folder, uid) for uid in shown.uids)
    folder.close()
    again = store.open(name)
    assert again.look(shown).snapshot.uids == shown.uids
    again.close()
    return found


def work_in_inbox(deed: Callable[..., object]) -> Deed:
    def work(store: MaildirStore) -> None:
        folder = store.open("INBOX")
        deed(folder)
        folder.close()

    return work


def test_K10_append_killed_brings_all_or_none(root: Path) -> None:
    def append(store: MaildirStore) -> None:
        coming = store.append("INBOX")
        for content in (b"one\r\n", b"two\n"):
            coming.begin(["\\Seen", "New"], 1, 5)
            coming.write(content)
        coming.finish()

    for store in each_death(root, append):
        assert contents(store, "INBOX") in (OLD, OLD + Counter([b"one\r\n", b"two\n"]))
        folder = store.open("INBOX")
        assert flags_of(folder, [1]) == [{"\\Flagged", "Todo"}]
        assert all("\\Seen" in flags for flags in flags_of(folder, list(folder.look().snapshot.uids)[4:]))
        folder.close()


def test_K10_append_killed_is_completed_days_later_though_what_is_left_in_tmp_goes_then(root: Path) -> None:
    def append(store: MaildirStore) -> None:
        coming = store.append("INBOX")
        for content in (b"one\r\n", b"two\r\n"):
            coming.begin([], None, 5)
            coming.write(content)
        coming.finish()

    found = []
    for store in each_death(root, append):
        late = MaildirStore(store._home.root, BOX, clock_ns=lambda: time.time_ns() + TWO_DAYS_NS)
        found.append(contents(late, "INBOX") - OLD)
        late.open("INBOX").close()
        assert not list((store._home.path / "tmp").iterdir())
    both = Counter([b"one\r\n", b"two\r\n"])
    assert all(one in (Counter(), both) for one in found)
    assert both in found


def test_K10_copy_killed_brings_all_or_none(root: Path) -> None:
    copy = work_in_inbox(lambda folder: folder.copy([1, 2, 3], "Other"))
    for store in each_death(root, copy, Quota(1000000)):
        assert contents(store, "INBOX") == OLD
        assert contents(store, "Other") in (Counter(), Counter(CONTENTS[:3]))


def test_K19_move_killed_leaves_each_message_in_one_of_both(root: Path) -> None:
    deaths = each_death(root, work_in_inbox(lambda folder: folder.move([1, 2, 3], "Other")))
    for store in deaths:
        assert contents(store, "INBOX") + contents(store, "Other") == OLD


def test_K19_move_into_itself_killed_loses_nothing(root: Path) -> None:
    for store in each_death(root, work_in_inbox(lambda folder: folder.move([1, 2], "INBOX"))):
        assert contents(store, "INBOX") == OLD


def test_K15_flags_that_were_acknowledged_are_never_lost(root: Path) -> None:
    change = work_in_inbox(lambda folder: folder.store_flags([1, 2], FlagChange.ADD, ["\\Seen", "More"]))
    for store in each_death(root, change):
        folder = store.open("INBOX")
        first, second = (set(flags) for flags in flags_of(folder, folder.look().snapshot.uids[:2]))
        assert {"\\Flagged", "Todo"} <= first <= {"\\Flagged", "Todo", "\\Seen", "More"}
        assert second in (set(), {"\\Seen", "More"})
        folder.close()


def test_K29_uids_that_were_shown_stay(root: Path) -> None:
    deliver(root)

    def expunge(folder: object) -> None:
        folder.look()  # type: ignore[attr-defined]
        folder.store_flags([2, 5], FlagChange.ADD, ["\\Deleted"])  # type: ignore[attr-defined]
        folder.expunge()  # type: ignore[attr-defined]

    for store in each_death(root, work_in_inbox(expunge)):
        folder = store.open("INBOX")
        uids = folder.look().snapshot.uids
        assert [read(folder, uid) for uid in (1, 3, 4)] == [CONTENTS[0], *CONTENTS[2:]]
        assert set(uids) <= {1, 2, 3, 4, 5}
        folder.close()


def test_K11_a_renaming_that_was_killed_is_completed_or_never_began(root: Path) -> None:
    for store in each_death(root, lambda store: store.rename("Other", "New/Name")):
        found = names(store)
        assert found[1:] in (
            ["Other", "Other/Below"],
            ["New", "Other", "Other/Below"],
            ["New", "New/Name", "New/Name/Below"],
        )


def test_K11_a_removal_that_was_killed_is_whole_or_none(root: Path) -> None:
    put(MaildirStore(root, BOX), "Other", 2)
    for store in each_death(root, lambda store: store.delete("Other")):
        there = {entry.name: entry.exists for entry in store.folders()}
        assert there["Other/Below"]
        if there["Other"]:
            assert sum(contents(store, "Other").values()) == 2
