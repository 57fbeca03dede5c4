"""Maildirs (F-6 to F-9, F-11, P4; attack L-1 with real links)."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.folders import maildir as maildir_module
from paperpath.folders.maildir import Maildir, Place, create_maildir, to_stored_lines
from paperpath.folders.steps import OpenToAllError
from paperpath.folders.upkeep import Upkeep

BOX = PurePosixPath("a/box")
HOUR_S = 3600
STEPS = [".", "a", "a/box", "a/box/tmp", "a/box/new", "a/box/cur", "a/box/.Work", "a/box/.Work/new"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    create_maildir(tmp_path / "root", BOX)
    return tmp_path / "root"


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "a" / "box"


def opened(root: Path, subfolder: str = "", *, create: bool = False) -> Maildir:
    return Maildir(root, Place(BOX, subfolder), create=create)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o377])
def test_F11_L1_everything_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    (tmp_path / "root").mkdir(mode=0o700)
    old = os.umask(umask)
    try:
        create_maildir(tmp_path / "root", BOX, ["Work"])
        with opened(tmp_path / "root") as maildir:
            maildir.write("n", [b"x"])
    finally:
        os.umask(old)
    box = tmp_path / "root/a/box"
    for part in (".", "..", "tmp", "new", "cur", ".Work", ".Work/tmp"):
        assert (box / part).stat().st_mode & 0o777 == 0o700
    assert (box / "new/n,S=1").stat().st_mode & 0o777 == 0o600
    assert (box / ".Work/maildirfolder").exists()


def test_F6_a_delivery_lies_in_new_and_tmp_is_empty(root: Path, folder: Path) -> None:
    with opened(root) as maildir:
        maildir.write("1.M2R3.host", [b"a\n", b"b\n"])
        maildir.flush()
    (file,) = (folder / "new").iterdir()
    assert (file.name, file.read_bytes()) == ("1.M2R3.host,S=4", b"a\nb\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list((folder / "tmp").iterdir())


def test_P2_D1_a_delivery_is_flushed_before_its_name_and_then_that(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def watched_fsync(descriptor: int) -> None:
        fsync(descriptor)
        done.append(f"flush {Path(f'/proc/self/fd/{descriptor}').readlink().name}")

    def watched_rename(name: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        rename(name, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        done.append(f"name {new}")

    with opened(root) as maildir:
        monkeypatch.setattr(os, "fsync", watched_fsync)
        monkeypatch.setattr(os, "rename", watched_rename)
        maildir.write("n", [b"a\n"])
        maildir.flush()
    assert done == ["flush n", "name n,S=2", "flush new"]


def test_P4_a_folder_that_does_not_close_well_takes_no_delivery_back(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, is_flushed = os.close, False

    def close_badly(descriptor: int) -> None:
        close(descriptor)
        if is_flushed:
            raise OSError(errno.EIO, "closing failed")

    monkeypatch.setattr(os, "close", close_badly)
    with opened(root) as maildir:  # what it raises has the caller defer them all
        maildir.write("1.M2R3.host", [b"a\n"])
        maildir.flush()
        is_flushed = True
    assert (folder / "new" / "1.M2R3.host,S=2").exists()


@pytest.mark.parametrize("missing", [".", "tmp", "new", "cur"])
def test_F11_a_maildir_is_made_only_where_that_is_wanted(root: Path, folder: Path, missing: str) -> None:
    for part in ("tmp", "new", "cur") if missing == "." else (missing,):
        (folder / part).rmdir()
    if missing == ".":
        folder.rmdir()
    with pytest.raises(FileNotFoundError):
        opened(root)
    assert not (folder / missing).exists()
    with opened(root, create=True) as maildir:
        maildir.write("n", [b"x"])
    assert (folder / "new" / "n,S=1").read_bytes() == b"x"


def test_F11_a_root_that_is_missing_is_not_made_by_chance(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "unmounted")
    create_maildir(tmp_path / "x" / "y", BOX)
    assert (tmp_path / "x/y/a/box/cur").is_dir()


def test_D13_a_name_is_durable_before_anything_is_made_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds tmp or new has nothing to flush but the Maildir itself."""
    flushed: set[tuple[int, int]] = set()
    fsync, mkdir = os.fsync, os.mkdir

    def watched_fsync(descriptor: int) -> None:
        fsync(descriptor)
        found = os.fstat(descriptor)
        flushed.add((found.st_dev, found.st_ino))

    def watched_mkdir(name: str, mode: int, *, dir_fd: int) -> None:
        above = os.stat("..", dir_fd=dir_fd)
        assert (above.st_dev, above.st_ino) in flushed, name
        mkdir(name, mode, dir_fd=dir_fd)
        found = os.fstat(dir_fd)
        flushed.discard((found.st_dev, found.st_ino))

    (tmp_path / "root").mkdir(mode=0o700)
    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "mkdir", watched_mkdir)
    create_maildir(tmp_path / "root", PurePosixPath("a/b/c"), ["Work"])
    for part in (".", ".Work"):
        found = (tmp_path / "root/a/b/c" / part).stat()
        assert (found.st_dev, found.st_ino) in flushed
    flushed.clear()
    with Maildir(tmp_path / "root", Place(PurePosixPath("a/b/c"))):
        found = (tmp_path / "root/a/b/c").stat()
        assert (found.st_dev, found.st_ino) in flushed  # somebody may have made it and died


def test_P4_what_an_earlier_try_left_is_replaced(root: Path, folder: Path) -> None:
    (folder / "tmp" / "n").write_bytes(b"half")
    with opened(root) as maildir:
        maildir.write("n", [b"whole"])
        maildir.write("n", [b"whole"])
    assert [file.read_bytes() for file in (folder / "new").iterdir()] == [b"whole"]


def test_an_error_leaves_nothing(root: Path, folder: Path) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError

    with opened(root) as maildir, pytest.raises(RuntimeError):
        maildir.write("n", breaking())
    assert not list((folder / "tmp").iterdir())
    assert not list((folder / "new").iterdir())


def test_F8_a_delivery_that_takes_a_day_is_given_up(root: Path, folder: Path) -> None:
    now_s = [0.0]

    def slowly() -> Iterator[bytes]:
        yield b"a"
        now_s[0] += 24 * HOUR_S + 1
        yield b"b"

    with Maildir(root, Place(BOX), clock=lambda: now_s[0]) as maildir:
        with pytest.raises(TimeoutError):
            maildir.write("n", slowly())
        maildir.write("m", [b"x"])
    assert [file.name for file in (folder / "new").iterdir()] == ["m,S=1"]
    assert not list((folder / "tmp").iterdir())


def test_F8_what_is_left_over_in_tmp_goes_after_36_hours_and_never_before(root: Path, folder: Path) -> None:
    victim = root / "victim"
    victim.write_bytes(b"precious")
    now_s = time.time() + 37 * HOUR_S
    for name, age_h in (("old", 40), ("young", 35), ("new", 0)):
        (folder / "tmp" / name).write_bytes(b"half")
        os.utime(folder / "tmp" / name, (now_s, now_s - age_h * HOUR_S))
    (folder / "tmp" / "link").symlink_to(victim)
    os.link(victim, folder / "tmp" / "hard")
    (folder / "tmp" / "folder").mkdir()
    with opened(root):  # where all is young, whatever date it has
        assert (folder / "tmp" / "old").exists()
    with Maildir(root, Place(BOX), upkeep=Upkeep(lambda: int(now_s * 1e9))):
        pass
    assert {file.name for file in (folder / "tmp").iterdir()} == {"young", "new", "folder"}
    assert victim.read_bytes() == b"precious"


def test_F8_a_maildir_is_cleaned_at_most_once_an_hour(root: Path, folder: Path) -> None:
    now_ns = [time.time_ns() + 100 * HOUR_S * 10**9]
    upkeep = Upkeep(lambda: now_ns[0])

    def is_cleaned(after_s: float) -> bool:
        now_ns[0] += int(after_s * 1e9)
        old = folder / "tmp" / "old"
        old.write_bytes(b"half")
        with Maildir(root, Place(BOX), upkeep=upkeep):
            return not old.exists()

    assert [is_cleaned(after_s) for after_s in (0, HOUR_S - 1, 1, 10, HOUR_S)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert is_cleaned(-9 * HOUR_S)  # a clock that is set back


def test_L1_a_link_in_tmp_is_not_followed(root: Path, folder: Path) -> None:
    victim = root / "victim"
    victim.write_bytes(b"precious")
    (folder / "tmp" / "soft").symlink_to(victim)
    os.link(victim, folder / "tmp" / "hard")
    with opened(root) as maildir:
        maildir.write("soft", [b"mail"])
        maildir.write("hard", [b"mail"])
    assert victim.read_bytes() == b"precious"
    assert not (folder / "new" / "soft,S=4").is_symlink()
    assert (folder / "new" / "hard,S=4").stat().st_nlink == 1


def test_L1_a_link_in_new_is_replaced_and_not_followed(root: Path, folder: Path) -> None:
    victim = root / "victim"
    victim.write_bytes(b"precious")
    (folder / "new" / "soft,S=4").symlink_to(victim)
    os.link(victim, folder / "new" / "hard,S=4")
    with opened(root) as maildir:
        maildir.write("soft", [b"mail"])
        maildir.write("hard", [b"mail"])
    assert victim.read_bytes() == b"precious"
    assert {file.read_bytes() for file in (folder / "new").iterdir()} == {b"mail"}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("create", [False, True])
def test_L1_no_step_of_the_path_may_be_a_link(root: Path, tmp_path: Path, step: str, create: bool) -> None:
    create_maildir(root, BOX, ["Work"])
    away = tmp_path / "away"
    (root / step).rename(away)
    (root / step).symlink_to(away)
    with pytest.raises(OSError, match="Not a directory"):
        opened(root, "Work" if "Work" in step else "", create=create)


@pytest.mark.parametrize("step", ["a", "a/box", "a/box/new"])
def test_L1_a_mailbox_swapped_while_it_is_open_gets_the_mail_where_it_was(
    root: Path, tmp_path: Path, step: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    create_maildir(elsewhere, BOX)
    with opened(root) as maildir:
        maildir.write("before", [b"x"])
        (root / step).rename(tmp_path / "moved")
        (root / step).symlink_to(elsewhere / step)
        maildir.write("after", [b"x"])
        maildir.flush()
    assert not [file for file in elsewhere.rglob("*") if file.is_file()]
    assert {file.name for file in (tmp_path / "moved").rglob("*") if file.is_file()} == {
        "before,S=1",
        "after,S=1",
    }


@pytest.mark.parametrize("step", STEPS)
def test_F5_L1_a_folder_that_all_may_write_is_not_used(root: Path, step: str) -> None:
    create_maildir(root, BOX, ["Work"])
    (root / step).chmod(0o777)
    with pytest.raises(OpenToAllError):
        opened(root, "Work" if "Work" in step else "")


def test_L1_what_is_no_file_is_no_delivery(root: Path, folder: Path) -> None:
    victim = root / "victim"
    victim.write_bytes(b"x")
    (folder / "new" / "link").symlink_to(victim)
    os.mkfifo(folder / "new" / "pipe")
    (folder / "new" / "folder").mkdir()
    with opened(root) as maildir:
        assert not any(maildir.keep(name) for name in ("link", "pipe", "folder"))


@pytest.mark.parametrize(
    "place", ["new/n", "cur/n:2,S", "cur/n:2,", ".Work/cur/n:2,RS", ".Work.Old/new/n", "new/n,S=3"]
)
def test_P4_a_delivery_is_found_wherever_its_owner_put_it(root: Path, folder: Path, place: str) -> None:
    create_maildir(root, BOX, ["Work", "Work.Old"])
    (folder / place).write_bytes(b"x")
    (folder / "new" / "n2").write_bytes(b"other")
    (folder / ".hidden").mkdir()
    with opened(root, "Work") as maildir:
        assert maildir.keep("n")


def test_P4_half_written_or_similar_names_are_not_it(root: Path, folder: Path) -> None:
    for place in ("tmp/n", "new/n2", "cur/nn:2,S"):
        (folder / place).write_bytes(b"x")
    with opened(root) as maildir:
        assert not maildir.keep("n")


def test_P4_a_file_moved_while_we_look_is_looked_for_again(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new" / "n").write_bytes(b"x")
    flush = maildir_module._flush_file

    def move_then_flush(name: str, directory: int) -> bool:
        if name == "n":
            (folder / "new" / "n").rename(folder / "cur" / "n:2,S")
        return flush(name, directory)

    monkeypatch.setattr(maildir_module, "_flush_file", move_then_flush)
    with opened(root) as maildir:
        assert maildir.keep("n")
    assert (folder / "cur" / "n:2,S").exists()


def test_L1_a_listed_folder_that_is_missing_is_the_mailbox(root: Path, folder: Path) -> None:
    with opened(root, "Work") as maildir:
        maildir.write("n", [b"x"])
    assert (folder / "new" / "n,S=1").exists()
    with opened(root, "Work", create=True) as maildir:
        maildir.write("m", [b"x"])
    assert (folder / ".Work" / "new" / "m,S=1").exists()


def test_no_descriptor_stays_open(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with opened(root, "Work") as maildir:
        maildir.write("n", [b"x"])
        assert maildir.keep("n")
    (root / "a" / "box" / "cur").rmdir()
    with pytest.raises(FileNotFoundError):
        opened(root)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_F6_every_write_is_checked(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, octets: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(root) as maildir:
        monkeypatch.setattr(os, "write", fail)
        with pytest.raises(OSError, match="No space"):
            maildir.write("n", [b"x"])
    assert not list((folder / "tmp").iterdir())


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b".", b"\r\n\r\n"]), max_size=12), st.data())
def test_F9_lines_are_stored_the_same_at_any_cut(parts: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(parts)
    places = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=4)))
    chunks = [octets[start:end] for start, end in zip([0, *places], [*places, len(octets)], strict=True)]
    assert b"".join(to_stored_lines(chunks)) == octets.replace(b"\r\n", b"\n")
