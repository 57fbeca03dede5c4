"""Sessions in IDLE are woken where something may have happened, and nowhere else (K-17, promise P8)."""

import os
from array import array
from pathlib import Path

import pytest

from paperpath.folders.store.values import Snapshot
from paperpath.imap.desk.sharing import SharedLook, share_uids
from paperpath.imap.watch import Watch

SECOND_NS = 1_000_000_000


class Sleeper:
    def __init__(self) -> None:
        self.woken = 0

    def wake(self, _: SharedLook) -> None:
        self.woken += 1


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two folders that nothing happened in for long."""
    found = [tmp_path / name for name in ("one", "two")]
    for folder in found:
        for part in ("new", "cur"):
            (folder / part).mkdir(parents=True)
            os.utime(folder / part, ns=(SECOND_NS, SECOND_NS))
    return found


def test_K17_who_waits_for_a_folder_is_woken_when_it_shows_a_change_and_nobody_else(
    folders: list[Path],
) -> None:
    watch = Watch(lambda: None, lambda: 9 * SECOND_NS)
    first, second, other = Sleeper(), Sleeper(), Sleeper()
    for sleeper, folder in ((first, folders[0]), (second, folders[0]), (other, folders[1])):
        watch.add(sleeper, folder)
    watch.tell(watch.look())  # nobody knows what was before
    assert (first.woken, second.woken, other.woken) == (1, 1, 1)
    assert watch.look() == []
    os.utime(folders[0] / "new", ns=(5 * SECOND_NS, 5 * SECOND_NS))
    watch.tell(watch.look())
    assert (first.woken, second.woken, other.woken) == (2, 2, 1)
    assert watch.look() == []
    watch.discard(other, folders[1])
    assert len(watch) == 2


def test_K17_what_changed_just_now_is_looked_at_again(folders: list[Path]) -> None:
    now_ns = [9 * SECOND_NS]
    watch = Watch(lambda: None, lambda: now_ns[0])
    watch.add(Sleeper(), folders[0])
    os.utime(folders[0] / "cur", ns=(9 * SECOND_NS, 9 * SECOND_NS))
    assert watch.look() == watch.look() == [folders[0]]
    now_ns[0] += SECOND_NS
    assert watch.look() == [folders[0]]
    assert watch.look() == []


def test_sessions_that_show_the_same_messages_have_them_in_memory_once() -> None:
    first, second = (Snapshot(uids=array("I", [1, 2, 3])) for _ in range(2))
    other = Snapshot(uids=array("I", [1, 3]))
    assert share_uids(first, "F1").uids is share_uids(second, "F1").uids
    assert share_uids(other, "F1").uids is other.uids
