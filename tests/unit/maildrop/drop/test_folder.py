"""What lies in the drop directory: who is looked at when, what is put aside, what is too old (L-2, D-16)."""

import errno
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.maildrop.drop import folder as module
from paperpath.maildrop.drop.folder import DropFolder, Fate, Found, judge
from paperpath.maildrop.drop.format import DropError
from tests.support.drop import make_folders

HOUR_S = 3600
NOW_S = 1_700_000_000.0


def status(
    mode: int = 0o100640,
    *,
    uid: int = 1000,
    size: int = 9,
    written_s: float = NOW_S,
    changed_s: float = NOW_S,
) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, uid, uid, size, written_s, written_s, changed_s))


def name_of(number: int, prefix: str = "message-") -> str:
    return f"{prefix}{number:032x}"


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    return make_folders(tmp_path)[0]


@pytest.fixture
def folder(drop: Path) -> Iterator[DropFolder]:
    opened = DropFolder(drop, drop.parent / "drop-damaged")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("name", "mode", "fate"),
    [
        (name_of(1), 0o100640, Fate.TAKE),
        (name_of(1), 0o100000, Fate.TAKE),  # opening it will tell
        (name_of(1), 0o120777, Fate.ASIDE),  # a link
        (name_of(1), 0o010640, Fate.ASIDE),  # a FIFO
        (name_of(1), 0o020640, Fate.ASIDE),  # a device
        (name_of(1), 0o040755, Fate.ASIDE),
        (name_of(1)[:-1], 0o100640, Fate.ASIDE),
        (name_of(1) + "\n", 0o100640, Fate.ASIDE),
        (name_of(1)[:-1] + "A", 0o100640, Fate.ASIDE),
        ("\udcff\x1b[2J", 0o100640, Fate.ASIDE),
        (".hidden", 0o100640, Fate.ASIDE),
        (name_of(1, "partial-"), 0o100600, Fate.WAIT),
        (name_of(1, "partial-"), 0o120777, Fate.ASIDE),
    ],
)
def test_L2_only_files_with_names_of_writers_are_taken(name: str, mode: int, fate: Fate) -> None:
    assert judge(name, status(mode), NOW_S).fate is fate


@pytest.mark.parametrize(
    ("written_h", "changed_h", "fate"),
    [(35, 0, Fate.WAIT), (37, 0, Fate.REMOVE), (-9999, 35, Fate.WAIT), (-9999, 37, Fate.REMOVE)],
)
def test_D16_partial_files_are_removed_after_36_hours_and_never_before(
    written_h: int, changed_h: int, fate: Fate
) -> None:
    found = status(written_s=NOW_S - written_h * HOUR_S, changed_s=NOW_S - changed_h * HOUR_S)
    assert judge(name_of(1, "partial-"), found, NOW_S).fate is fate
    assert judge(name_of(1), found, NOW_S).fate is Fate.TAKE


def walk(folder: DropFolder, limit: int = 10_000) -> list[Found]:
    """Return all that one walk finds."""
    found: list[Found] = []
    while (some := folder.look(limit, time.time())) is not None:
        assert len(some) <= limit
        found += some
        if folder._walk is None:
            break
    return found


def test_D16_a_walk_removes_nothing_that_is_young(folder: DropFolder, drop: Path) -> None:
    for number, age_h in enumerate((35, 37)):
        file = drop / name_of(number, "partial-")
        file.write_bytes(b"")
        os.utime(file, (0, time.time() - age_h * HOUR_S))
    assert [(found.name, found.fate) for found in walk(folder)] == [(name_of(1, "partial-"), Fate.REMOVE)]


def test_a_walk_finds_everything_in_batches_and_ends(folder: DropFolder, drop: Path) -> None:
    for number in range(25):
        (drop / name_of(number)).write_bytes(b"")
    sizes = []
    names: set[str] = set()
    for _ in range(3):
        some = folder.look(10, NOW_S)
        assert some is not None
        sizes.append(len(some))
        names |= {found.name for found in some}
    assert sizes == [10, 10, 5]
    assert len(names) == 25
    assert len(walk(folder)) == 25  # the next walk sees them again


def test_an_empty_directory_ends_the_walk_at_once(folder: DropFolder) -> None:
    assert folder.look(10, NOW_S) is None
    assert not folder.passed_over


class Entry:
    """An entry of a directory that is too large to be made for a test."""

    def __init__(self, number: int, uid: int, size: int = 9) -> None:
        self.name = name_of(number)
        self._status = status(uid=uid, size=size)

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        assert not follow_symlinks
        return self._status


def pretend(monkeypatch: pytest.MonkeyPatch, entries: Iterator[Entry]) -> None:
    class Walk:
        def __iter__(self) -> Iterator[Entry]:
            return entries

        def close(self) -> None:
            pass

    monkeypatch.setattr(os, "scandir", lambda directory: Walk())


def test_L2_who_leaves_very_many_files_does_not_starve_the_others(
    folder: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = (Entry(number, uid=1000) for number in range(100_000))
    few = (Entry(number, uid=1001) for number in range(100_000, 100_003))
    pretend(monkeypatch, (entry for part in (many, few) for entry in part))
    counts = Counter(found.uid for found in walk(folder, 50))
    assert counts == {1000: module.MOST_FILES_OF_ONE, 1001: 3}
    assert folder.passed_over


def test_L2_nor_does_who_leaves_large_ones(folder: DropFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    large = module.MOST_OCTETS_OF_ONE + 1
    entries = [Entry(1, 1000, large), Entry(2, 1000, large), Entry(3, 1001)]
    pretend(monkeypatch, iter(entries))
    assert [found.name for found in walk(folder)] == [name_of(1), name_of(3)]


def test_what_is_put_aside_gets_a_name_of_ours(folder: DropFolder, drop: Path) -> None:
    damaged = drop.parent / "drop-damaged"
    odd = os.fsdecode(b"\xff\x1b[2J\n")
    (drop / odd).write_bytes(b"octets")
    new = folder.put_aside(odd)
    assert new is not None
    assert (damaged / new).read_bytes() == b"octets"
    (drop / "link").symlink_to("/etc/passwd")
    new = folder.put_aside("link")
    assert new is not None
    assert (damaged / new).is_symlink()
    assert folder.put_aside("gone") is None
    assert list(drop.iterdir()) == []
    folder.flush()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_a_folder_of_somebody_else_is_refused(drop: Path) -> None:
    os.chown(drop, 12345, -1)
    with pytest.raises(DropError, match="does not belong"):
        DropFolder(drop, drop.parent / "drop-damaged")


def test_D15_a_link_in_the_place_of_the_folder_is_refused(drop: Path) -> None:
    link = drop.parent / "link"
    link.symlink_to(drop)
    with pytest.raises(NotADirectoryError):
        DropFolder(link, drop.parent / "drop-damaged")


def test_a_file_that_took_the_place_of_the_one_that_was_read_is_not_removed(
    folder: DropFolder, drop: Path
) -> None:
    file = drop / name_of(1)
    file.write_bytes(b"first")
    found = file.stat()
    (drop / "other").write_bytes(b"second")
    (drop / "other").replace(file)
    folder.remove(file.name, (found.st_dev, found.st_ino))
    assert file.read_bytes() == b"second"
    folder.remove(file.name)
    folder.remove(file.name)
    assert not file.exists()


def test_P8_a_drop_folder_that_does_not_close_well_ends_no_program(
    drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DropFolder(drop, drop.parent / "drop-damaged")
    close = os.close
    closed = []

    def failing(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)
        raise OSError(errno.EIO, "it did not")

    with monkeypatch.context() as patched:
        patched.setattr(os, "close", failing)
        folder.close()
    assert len(closed) == 2
