"""How full a Maildir is, while others change it beside us (F-10; attack L-1 with real links)."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.quota import NO_QUOTA, Quota
from paperpath.folders import quota_count
from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.quota import OverQuotaError, OverWholeQuotaError
from paperpath.folders.quota_text import Usage, read_sums

BOX = PurePosixPath("box")
QUOTA = Quota(1000, 10)
OLD_S = 15 * 60
LONG_AGO_S = 1_600_000_000  # when every folder changed last: long before anything is counted


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return make_box(tmp_path)


def make_box(root: Path) -> Path:
    create_maildir(root, BOX, ["Work", "Trash", "Work.Old"])
    settle(root / BOX)
    return root / BOX


def settle(box: Path) -> None:
    """Let the folders have changed long ago, as those of a mailbox mostly have."""
    for folder in box.rglob("*"):
        if folder.name in ("new", "cur"):
            os.utime(folder, (LONG_AGO_S, LONG_AGO_S))


@contextmanager
def opened(box: Path, subfolder: str = "", quota: Quota = QUOTA) -> Iterator[Maildir]:
    with Maildir(box.parent, Place(BOX, subfolder), quota=quota) as maildir:
        yield maildir
        maildir.flush()


def deliver(box: Path, name: str, octets: int, subfolder: str = "", quota: Quota = QUOTA) -> None:
    with opened(box, subfolder, quota) as maildir:
        maildir.write(name, [b"x" * octets] if octets else [])


def find_messages(box: Path) -> list[Path]:
    return [file for file in box.rglob("*") if file.is_file() and file.parent.name in ("new", "cur")]


def count(box: Path) -> Usage:
    """Count by looking at every file, as nothing in the product does."""
    files = [file for file in find_messages(box) if file.parent.parent.name != ".Trash"]
    return Usage(sum(file.stat().st_size for file in files), len(files))


def lines(box: Path) -> list[str]:
    return (box / "maildirsize").read_text().splitlines()


def sums(box: Path) -> Usage | None:
    """Return what the file says, `None` where the mailbox is to be counted."""
    try:
        found = read_sums((box / "maildirsize").read_bytes())
    except FileNotFoundError:
        return None
    return None if found is None else found.usage


def append(box: Path, line: str) -> None:
    with (box / "maildirsize").open("a") as file:
        file.write(line)


def remove(file: Path, box: Path) -> None:
    """Remove a message as an IMAP server does that knows of quotas."""
    size = file.stat().st_size
    file.unlink()
    if (box / "maildirsize").exists():
        append(box, f"-{size} -1\n")


def is_counted_anew(box: Path) -> bool:
    """Tell whether the file has only what a count leaves there."""
    return len(lines(box)) == 2


def test_F10_fill_exceed_delete_deliver_again(box: Path) -> None:
    deliver(box, "a", 600)
    assert lines(box) == ["1000S,10C", "0 0", "600 1"]
    deliver(box, "b", 400)  # to the last octet
    settle(box)
    with pytest.raises(OverQuotaError, match="full"):
        deliver(box, "c", 1)
    assert lines(box) == ["1000S,10C", "1000 2"]  # it was counted before that was said
    remove(box / "new/a,S=600", box)
    deliver(box, "c", 600)
    assert sums(box) == count(box) == Usage(1000, 2)
    assert not list((box / "tmp").iterdir())


def test_F10_messages_are_limited_as_octets_are(box: Path) -> None:
    for number in range(10):
        deliver(box, f"n{number}", 0)
    with pytest.raises(OverQuotaError):
        deliver(box, "more", 0)


def test_F10_a_batch_takes_one_look_and_adds_one_line(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(box, "a", 1)
    reads: list[int] = []
    pread = os.pread

    def watched(descriptor: int, octets: int, offset: int) -> bytes:
        reads.append(descriptor)
        return pread(descriptor, octets, offset)

    monkeypatch.setattr(os, "pread", watched)
    with opened(box) as maildir:
        for number in range(5):
            maildir.write(f"n{number}", [b"abc"])
    assert len(reads) == 1
    assert lines(box) == ["1000S,10C", "0 0", "1 1", "15 5"]


def test_F10_without_a_quota_nobody_looks(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is opened, asked and written is what it was before there were quotas."""
    calls: list[str] = []

    def watch(name: str) -> None:
        call: Callable[..., object] = getattr(os, name)

        def watched(*arguments: object, **named: object) -> object:
            calls.append(name)
            return call(*arguments, **named)

        monkeypatch.setattr(os, name, watched)

    with Maildir(box.parent, Place(BOX), quota=NO_QUOTA) as maildir:
        maildir.write("first", [b"x"])
        for name in ("open", "stat", "fstat", "write", "rename", "unlink", "fsync", "scandir", "close"):
            watch(name)
        maildir.write("n", [b"x"])
        maildir.flush()
        assert calls == ["open", "write", "fsync", "close", "rename", "fsync"]
    assert not (box / "maildirsize").exists()


def test_F10_a_message_larger_than_the_whole_quota_is_no_question_of_room(box: Path) -> None:
    with pytest.raises(OverWholeQuotaError):
        deliver(box, "n", 1001)
    deliver(box, "n", 1000)
    with pytest.raises(OverQuotaError):  # what is full takes nothing, however large: it is not even written
        deliver(box, "m", 1001)


def test_F10_what_does_not_fit_does_not_keep_out_what_does(box: Path) -> None:
    with opened(box) as maildir:
        maildir.write("a", [b"x" * 700])
        with pytest.raises(OverQuotaError):
            maildir.write("b", [b"x" * 400])
        maildir.write("c", [b"x" * 300])
    assert {file.name for file in (box / "new").iterdir()} == {"a,S=700", "c,S=300"}
    assert lines(box)[-1] == "1000 2"


def test_F10_every_folder_counts_but_the_trash(box: Path) -> None:
    for number, place in enumerate(("new/a,S=1", "cur/b,S=2:2,ST", ".Work/cur/c:2,", ".Work.Old/new/d,S=8")):
        (box / place).write_bytes(b"x" * 2**number)
    (box / ".Trash/cur/e,S=16:2,S").write_bytes(b"x" * 16)
    (box / "tmp/f").write_bytes(b"x" * 32)
    (box / "cur/.nfs").write_bytes(b"x" * 64)
    (box / "courierimapkeywords").mkdir()
    settle(box)
    deliver(box, "g", 100, "Work")
    assert lines(box) == ["1000S,10C", "15 4", "100 1"]


def test_F10_the_trash_takes_whatever_comes(box: Path) -> None:
    deliver(box, "a", 1000)
    deliver(box, "b", 5000, "Trash")
    assert (box / ".Trash/new/b,S=5000").exists()
    assert sums(box) == count(box)


@pytest.mark.parametrize("subfolder", ["Work", "Work.Old"])
def test_F10_a_folder_in_the_mailbox_has_the_mailboxs_quota(box: Path, subfolder: str) -> None:
    deliver(box, "a", 990, subfolder)
    with pytest.raises(OverQuotaError):
        deliver(box, "b", 20)
    assert not (box / f".{subfolder}" / "maildirsize").exists()


@pytest.mark.parametrize("step", ["missing", "made by hand", "a link"])
def test_F10_a_folder_in_the_mailbox_says_that_it_is_one(box: Path, step: str) -> None:
    mark = box / ".Work/maildirfolder"
    mark.unlink()
    if step == "a link":
        mark.symlink_to(box / "cur")
    elif step == "made by hand":
        mark.write_text("x")
    deliver(box, "n", 1, "Work")
    assert mark.exists()
    assert not (box / "maildirfolder").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1000S,10C\n",
        "1000S,10C\n5 1",
        "1000S,10C\nfive one\n",
        "1000S,10C\n1 1\n-5 -2\n",
        "2000S,10C\n900 1\n",
        "1000S\n900 1\n",
        "1000S,10C\n5 1\n" + "0 0\n" * 1300,
    ],
)
def test_F10_what_others_left_is_counted_anew(box: Path, text: str) -> None:
    (box / "cur/old:2,S").write_bytes(b"x" * 7)
    (box / "maildirsize").write_text(text)
    settle(box)
    deliver(box, "n", 500)
    assert lines(box) == ["1000S,10C", "7 1", "500 1"]
    assert (box / "maildirsize").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "age_s", "is_counted"),
    [
        ("1000S,10C\n900 1\n", 60, False),  # a count of just now is believed
        ("1000S,10C\n900 1\n", OLD_S + 1, True),
        ("1000S,10C\n900 1\n", -2 * OLD_S, True),  # of the future
        ("1000S,10C\n800 1\n100 1\n", 60, True),
    ],
)
def test_F10_who_is_over_quota_is_counted_unless_that_was_just_done(
    box: Path, text: str, age_s: float, is_counted: bool
) -> None:
    (box / "maildirsize").write_text(text)
    written_s = time.time() - age_s
    os.utime(box / "maildirsize", (written_s, written_s))
    deliver(box, "small", 100)  # there is room for it: whatever the file says is believed
    os.utime(box / "maildirsize", (written_s, written_s))
    (box / "maildirsize").write_text(text)
    os.utime(box / "maildirsize", (written_s, written_s))
    settle(box)
    if is_counted:
        deliver(box, "n", 500)
        assert sums(box) == count(box)
    else:
        with pytest.raises(OverQuotaError):
            deliver(box, "n", 500)
        assert (box / "maildirsize").read_text() == text


def test_F10_a_change_of_quota_is_noticed(box: Path) -> None:
    deliver(box, "a", 900)
    settle(box)
    deliver(box, "b", 900, quota=Quota(5000))
    assert lines(box) == ["5000S", "900 1", "900 1"]
    settle(box)
    with pytest.raises(OverQuotaError):
        deliver(box, "c", 1)


@pytest.mark.parametrize("planted", ["link", "dangling", "hard", "pipe", "folder"])
def test_L1_what_is_planted_for_the_file_is_neither_read_nor_written(box: Path, planted: str) -> None:
    victim = box.parent / "victim"
    victim.write_text("1000S,10C\n999 1\n")
    file = box / "maildirsize"
    match planted:
        case "link":
            file.symlink_to(victim)
        case "dangling":
            file.symlink_to(box.parent / "made")
        case "hard":
            os.link(victim, file)
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
    deliver(box, "n", 500)
    with pytest.raises(OverQuotaError):
        deliver(box, "m", 501)
    assert victim.read_text() == "1000S,10C\n999 1\n"
    assert not (box.parent / "made").exists()
    assert not list((box / "tmp").iterdir())


def test_F10_a_count_that_cannot_be_written_is_one_all_the_same(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_file = os.open

    def fail(path: str | Path, flags: int, *rest: int, **named: int) -> int:
        if str(path).startswith("maildirsize"):
            raise OSError(28, "No space left on device")
        return open_file(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", fail)
    deliver(box, "a", 900)
    with pytest.raises(OverQuotaError):
        deliver(box, "b", 200)
    assert sums(box) is None


@pytest.mark.parametrize("short", [True, False])
def test_F10_a_line_that_cannot_be_written_has_the_mailbox_counted(
    box: Path, monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    deliver(box, "a", 100)
    write = os.write

    def fail(descriptor: int, octets: bytes) -> int:
        if octets != b"200 1\n":
            return write(descriptor, octets)
        if short:
            return write(descriptor, octets[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    deliver(box, "b", 200)
    assert sums(box) is None
    settle(box)
    deliver(box, "c", 300)
    assert lines(box) == ["1000S,10C", "300 2", "300 1"]


def test_F10_P4_an_attempt_that_finds_its_delivery_has_the_mailbox_counted(box: Path) -> None:
    """Who delivered it may have died before he wrote that down."""
    deliver(box, "a", 100)
    (box / "new/b,S=50").write_bytes(b"x" * 50)
    with opened(box) as maildir:
        assert maildir.keep("b")
        assert not maildir.keep("c")
        maildir.write("c", [b"x"])
    assert sums(box) is None
    settle(box)
    deliver(box, "d", 1)
    assert sums(box) == count(box)


def test_F10_the_file_that_another_replaced_gets_no_line(box: Path) -> None:
    deliver(box, "a", 100)
    with opened(box) as maildir:
        maildir.write("b", [b"x" * 10])
        (box / "theirs").write_text("1000S,10C\n110 2\n")  # they counted ours, before we wrote it down
        (box / "theirs").rename(box / "maildirsize")
        maildir.flush()
    assert sums(box) is None


def test_F10_a_file_that_another_made_since_we_found_none_is_not_believed(box: Path) -> None:
    """It may have been counted before our message came."""
    later_s = time.time() + 1
    os.utime(box / "cur", (later_s, later_s))  # so that our own count is not kept
    with opened(box) as maildir:
        assert sums(box) is None
        (box / "maildirsize").write_text("1000S,10C\n0 0\n")
        maildir.write("n", [b"x"])
    assert sums(box) is None


@pytest.mark.parametrize("moment", ["while it counts", "before it looks again"])
def test_F10_a_count_that_others_disturbed_is_not_kept(
    box: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def put(name: str) -> None:
        (box / ".Work/new" / name).write_bytes(b"x")

    survey, rename = quota_count._survey, os.rename

    def disturbed_survey(mailbox: int) -> tuple[Usage, quota_count.Changes]:
        found = survey(mailbox)
        put("theirs")
        return found

    def disturbed_rename(source: str, target: str, **named: int) -> None:
        put("theirs")
        rename(source, target, **named)

    with monkeypatch.context() as patched:
        if moment == "while it counts":
            patched.setattr(quota_count, "_survey", disturbed_survey)
        else:
            patched.setattr(os, "rename", disturbed_rename)
        with opened(box):
            pass
    assert sums(box) is None


def test_F10_a_count_of_a_folder_that_changed_this_very_moment_is_not_kept(box: Path) -> None:
    """It may change again in that moment, and nobody would see that by the time."""
    later_s = time.time() + 1
    os.utime(box / "cur", (later_s, later_s))
    deliver(box, "n", 1)
    assert sums(box) is None


STEPS = st.one_of(
    st.tuples(st.just("deliver"), st.integers(0, 400), st.sampled_from(["", "Work", "Work.Old", "Trash"])),
    st.tuples(st.just("remove"), st.integers(0, 20), st.just("")),
    st.tuples(st.just("trash"), st.integers(0, 20), st.just("")),
    st.tuples(st.just("flag"), st.integers(0, 20), st.just("")),
    st.tuples(st.just("spoil"), st.sampled_from(["x\n", "1 1", "-9999 -99\n"]), st.just("")),
    st.tuples(st.just("settle"), st.just(0), st.just("")),
)


@pytest.mark.slow
@given(st.lists(STEPS, max_size=25))
def test_F10_the_sums_equal_a_count_after_any_series(
    tmp_path_factory: pytest.TempPathFactory, series: list[tuple[str, int | str, str]]
) -> None:
    """Whatever we and others who keep to the rules do; and a mailbox never holds more than its quota."""
    box = make_box(tmp_path_factory.mktemp("root"))
    for number, (step, what, subfolder) in enumerate(series):
        files = [file for file in sorted(find_messages(box)) if file.parent.parent.name != ".Trash"]
        chosen = files[int(what) % len(files)] if files and step in ("remove", "trash", "flag") else None
        if step == "deliver":
            deliver_some(box, number, int(what), subfolder)
        elif step == "spoil":
            (box / "maildirsize").write_text(f"1000S,10C\n5 1\n{what}")
        elif step == "settle":
            settle(box)
        elif chosen is not None and step == "flag":
            chosen.rename(box / "cur" / f"{chosen.name.partition(':')[0]}:2,S")
        elif chosen is not None:
            if step == "trash":
                (box / ".Trash/cur" / chosen.name).write_bytes(chosen.read_bytes())
            remove(chosen, box)
        assert count(box).is_within(QUOTA)
        assert sums(box) in (None, count(box))


def deliver_some(box: Path, number: int, octets: int, subfolder: str) -> None:
    """Deliver three messages at once; none of them is refused that has room, for an octet at least."""
    with opened(box, subfolder) as maildir:
        for index, size in enumerate((octets, octets // 2, 0)):
            before = count(box)
            try:
                maildir.write(f"{number}.{index}", [b"x" * size])
            except OverQuotaError:
                assert not (before + Usage(max(size, 1), 1)).is_within(QUOTA)


@pytest.mark.parametrize("round_", range(3))
def test_F10_the_sums_equal_a_count_after_many_at_once(box: Path, round_: int) -> None:
    """Deliveries, removals and counts at the same time: what is left is right, or to be counted."""
    quota = Quota(10**9)

    def work(worker: int) -> None:
        for number in range(30):
            deliver(box, f"{worker}.{number}", number, quota=quota)
            if number % 7 == worker % 7:
                (box / "maildirsize").unlink(missing_ok=True)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert sums(box) in (None, count(box))
    settle(box)
    deliver(box, "last", 5, quota=quota)
    assert sums(box) == count(box) == Usage(4 * sum(range(30)) + 5, 121)
