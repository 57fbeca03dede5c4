"""Other programs change a Maildir beside the store, and the index is lost (K-4, K-29, F-8)."""

import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path, PurePosixPath

import apsw
import pytest

from paperpath.config.quota import Quota
from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.quota import OverQuotaError, OverWholeQuotaError
from paperpath.folders.store.errors import (
    FolderLostError,
    IndexTroubleError,
    MessageGoneError,
    TooManyKeywordsError,
)
from paperpath.folders.store.index import Index
from paperpath.folders.store.index_file import INDEX_NAME, index_errors
from paperpath.folders.store.open_folder import MaildirFolder
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange
from paperpath.testing.mail_store_suite import expect, flags_of, put, read

BOX = PurePosixPath("joe")
SECOND_NS = 1_000_000_000


class Clock:
    """The time of the store, which stands still unless it is set."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Begin with the time of the file system."""
    return Clock(tmp_path.stat().st_mtime_ns)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    create_maildir(tmp_path, BOX)
    return tmp_path / BOX


@pytest.fixture
def store(box: Path, clock: Clock) -> MaildirStore:
    return MaildirStore(box.parent, BOX, clock_ns=clock)


@pytest.fixture
def folder(store: MaildirStore) -> MaildirFolder:
    return store.open("INBOX")


def deliver(box: Path, *names: str) -> None:
    with Maildir(box.parent, Place(BOX)) as maildir:
        for name in names:
            maildir.write(name, [name.encode()])
        maildir.flush()


def names_in(part: Path) -> list[str]:
    return sorted(file.name for file in part.iterdir())


def test_F8_flags_stand_in_names_sorted_and_unknown_letters_stay(
    box: Path, store: MaildirStore, folder: MaildirFolder
) -> None:
    (box / "cur" / "1.x:2,SZ").write_bytes(b"")
    put(store, "INBOX", 1, flags=["\\Seen", "\\Answered", "\\Draft"])
    folder.look()
    folder.store_flags([1], FlagChange.ADD, ["\\Deleted", "\\Flagged", "Todo", "$Forwarded"])
    first, second = names_in(box / "cur")
    assert (first, second.partition(":")[2]) == ("1.x:2,FPSTZa", "2,DRS")
    assert (box / "dovecot-keywords").read_text() == "0 Todo\n"


def test_F8_what_is_new_stays_in_new_until_it_has_flags(box: Path, folder: MaildirFolder) -> None:
    deliver(box, "1.M1R1.h")
    folder.look()
    assert names_in(box / "new") == ["1.M1R1.h,S=8"]
    folder.store_flags([1], FlagChange.ADD, ["\\Seen"])
    assert (names_in(box / "new"), names_in(box / "cur")) == ([], ["1.M1R1.h,S=8:2,S"])


def test_K29_renames_moves_and_removals_by_others_are_seen(
    clock: Clock, box: Path, folder: MaildirFolder
) -> None:
    deliver(box, "1.a", "2.b", "3.c")
    shown = folder.look().snapshot
    (box / "new" / "1.a,S=3").rename(box / "cur" / "1.a,S=3:2,FS")
    (box / "new" / "3.c,S=3").unlink()
    changes = folder.look(shown)
    assert [(one.uid, one.flags) for one in changes.changed] == [(1, frozenset({"\\Seen", "\\Flagged"}))]
    assert (list(changes.departed), list(changes.snapshot.uids)) == ([3], [1, 2])
    (box / "cur" / "1.a,S=3:2,FS").rename(box / "new" / "1.a,S=3")
    changes = folder.look(changes.snapshot)
    assert [(one.uid, one.flags) for one in changes.changed] == [(1, frozenset())]
    assert read(folder, 1) == b"1.a"


def test_K29_uids_follow_the_order_of_arrival(box: Path, folder: MaildirFolder) -> None:
    for name in ("10.M2R1.h", "9.M5R1.h", "10.M1R2.h", "10.M10R1.h"):
        (box / "new" / name).write_bytes(name.encode())
    uids = folder.look().snapshot.uids
    assert [read(folder, uid) for uid in uids] == [b"9.M5R1.h", b"10.M1R2.h", b"10.M2R1.h", b"10.M10R1.h"]


def test_K29_what_is_no_file_is_no_message(box: Path, folder: MaildirFolder) -> None:
    (box / "cur" / "link").symlink_to("/etc/passwd")
    (box / "cur" / "folder").mkdir()
    (box / "cur" / ".hidden").write_bytes(b"")
    (box / "new" / os.fsdecode(b"\xff")).write_bytes(b"")
    os.mkfifo(box / "new" / "pipe")
    assert not folder.look().snapshot.uids


def test_K29_what_happened_in_the_moment_of_a_reading_is_found_later(
    clock: Clock, box: Path, folder: MaildirFolder
) -> None:
    """The time of the directory does not tell; it is read once more when its last change is a second old."""
    deliver(box, "1.a")
    shown = folder.look().snapshot
    before = (box / "new").stat()
    (box / "new" / "2.b").write_bytes(b"")
    os.utime(box / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert list(folder.look(shown).arrived) == []
    clock.now_ns = before.st_mtime_ns + SECOND_NS
    assert list(folder.look(shown).arrived) == [2]


def test_K29_what_others_did_beside_our_own_changes_is_found_later(
    clock: Clock, box: Path, folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(box, "1.a", "2.b")
    shown = folder.look().snapshot
    rename = os.rename

    def rename_beside(*args: object, **kwargs: object) -> None:
        rename(*args, **kwargs)  # type: ignore[arg-type]
        (box / "cur" / "3.c:2,").write_bytes(b"")

    monkeypatch.setattr(os, "rename", rename_beside)
    folder.store_flags([1], FlagChange.ADD, ["\\Seen"])
    monkeypatch.undo()
    assert list(folder.look(shown).arrived) == []
    clock.now_ns = (box / "cur").stat().st_mtime_ns + SECOND_NS
    assert list(folder.look(shown).arrived) == [3]


def test_K29_a_name_that_a_reading_missed_is_not_gone(
    clock: Clock, box: Path, folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is renamed while the directory is read may be missed under both names."""
    deliver(box, "1.a", "2.b")
    shown = folder.look().snapshot
    listdir, times_ns = os.listdir, itertools.count(clock.now_ns)

    def listdir_beside(directory: int) -> list[str]:
        names = listdir(directory)
        os.utime(directory, ns=(0, next(times_ns)))
        return [name for name in names if name != "1.a,S=3"]

    monkeypatch.setattr(os, "listdir", listdir_beside)
    deliver(box, "3.c")
    changes = folder.look(shown)
    assert (list(changes.departed), list(changes.arrived)) == ([], [3])
    monkeypatch.setattr(os, "listdir", listdir)
    assert not folder.look(changes.snapshot).departed


def test_K29_a_clock_that_goes_back_hides_nothing(clock: Clock, box: Path, folder: MaildirFolder) -> None:
    deliver(box, "1.a")
    shown = folder.look().snapshot
    clock.now_ns -= 3600 * SECOND_NS
    deliver(box, "2.b")
    before = (box / "new").stat().st_mtime_ns
    shown = folder.look(shown).snapshot
    (box / "new" / "3.c").write_bytes(b"")
    os.utime(box / "new", ns=(before, before))
    clock.now_ns += 11 * SECOND_NS
    assert list(folder.look(shown).arrived) == [3]


def test_K29_where_nothing_happened_nothing_is_read(
    clock: Clock, box: Path, folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(box, "1.a")
    clock.now_ns += 2 * SECOND_NS
    shown = folder.look(folder.look().snapshot).snapshot
    read, listdir = list[int](), os.listdir

    def watched_listdir(directory: int) -> list[str]:
        read.append(directory)
        return listdir(directory)

    monkeypatch.setattr(os, "listdir", watched_listdir)
    folder.look(shown)
    assert read == []
    deliver(box, "2.b")
    folder.look(shown)
    assert len(read) == 1


def test_K29_a_message_is_read_whatever_others_call_it_meanwhile(box: Path, folder: MaildirFolder) -> None:
    deliver(box, "1.a", "2.b")
    folder.look()
    (box / "new" / "1.a,S=3").rename(box / "cur" / "1.a,S=3:2,S")
    assert read(folder, 1) == b"1.a"
    (box / "new" / "2.b,S=3").rename(box / "cur" / "2.b,S=3:2,S")
    assert [one.uid for one in folder.store_flags([2], FlagChange.ADD, ["\\Flagged"]).states] == [2]
    assert flags_of(folder, [2]) == [{"\\Seen", "\\Flagged"}]
    (box / "cur" / "1.a,S=3:2,S").unlink()
    expect(MessageGoneError, lambda: read(folder, 1))
    assert [one.uid for one in folder.measures([1, 2])] == [2]


def test_K29_a_message_is_read_where_it_is_and_not_where_it_was_when_one_before_it_was_read(
    box: Path, folder: MaildirFolder
) -> None:
    deliver(box, "1.M1R1.host", "2.M1R1.host", "3.M1R1.host")
    folder.look()
    assert read(folder, 1) == b"1.M1R1.host"
    (second,) = (box / "new").glob("2.*")
    second.rename(box / "cur" / f"{second.name}:2,S")
    assert read(folder, 2) == b"2.M1R1.host"
    assert read(folder, 1) == b"1.M1R1.host"
    folder.store_flags([3], FlagChange.ADD, ["\\Seen"])
    assert read(folder, 3) == b"3.M1R1.host"
    (box / "cur" / f"{second.name}:2,S").unlink()
    expect(MessageGoneError, lambda: read(folder, 2))


def test_K29_fifty_thousand_files_at_once(box: Path, folder: MaildirFolder) -> None:
    shown = folder.look().snapshot
    for number in range(2000):  # of the many only the count would differ, and bench.folders has that
        os.link(__file__, box / "new" / f"{number}.x")
    assert len(folder.look(shown).arrived) == 2000


def test_F8_flags_are_stored_though_another_program_renames_at_that_moment(
    box: Path, folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(box, "1.a", "2.b")
    folder.look()
    rename = os.rename

    def rename_late(*args: object, **kwargs: object) -> None:
        monkeypatch.setattr(os, "rename", rename)
        (box / "new" / "1.a,S=3").rename(box / "cur" / "1.a,S=3:2,F")
        rename(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "rename", rename_late)
    folder.store_flags([1, 2], FlagChange.ADD, ["\\Seen"])
    assert names_in(box / "cur") == ["1.a,S=3:2,FS", "2.b,S=3:2,S"]
    assert flags_of(folder, [1, 2]) == [{"\\Seen", "\\Flagged"}, {"\\Seen"}]


def test_K15_letters_that_others_gave_have_their_names(box: Path, folder: MaildirFolder) -> None:
    (box / "dovecot-keywords").write_text("0 Todo\nnonsense\n2 Later\n99 x\n")
    (box / "cur" / "1.a:2,Sac").write_bytes(b"")
    (box / "cur" / "2.b:2,z").write_bytes(b"")
    folder.look()
    assert flags_of(folder, [1, 2]) == [{"\\Seen", "Todo", "Later"}, frozenset()]
    folder.store_flags([2], FlagChange.ADD, ["More"])
    assert (box / "dovecot-keywords").read_text() == "0 Todo\n2 Later\n3 More\n"
    assert names_in(box / "cur")[1] == "2.b:2,dz"


def test_K15_there_is_an_end_of_keywords(store: MaildirStore, folder: MaildirFolder) -> None:
    put(store, "INBOX", 1)
    folder.look()
    folder.store_flags([1], FlagChange.ADD, [f"k{number}" for number in range(52)])
    assert not folder.takes_keywords
    expect(TooManyKeywordsError, lambda: folder.store_flags([1], FlagChange.ADD, ["more"]))
    assert len(flags_of(folder, [1])[0]) == 52
    folder.store_flags([1], FlagChange.REMOVE, ["k51"])
    folder.rest()
    assert len(flags_of(folder, [1])[0]) == 51


@pytest.mark.parametrize("damage", ["lost", "empty", "text", "page", "old"])
def test_K4_an_index_that_is_lost_is_made_anew_from_the_files(
    box: Path, store: MaildirStore, damage: str
) -> None:
    put(store, "INBOX", 3, flags=["\\Seen", "Todo"])
    folder = store.open("INBOX")
    before = folder.uid_validity
    folder.look()
    folder.close()
    damage_index(box / INDEX_NAME, damage)
    folder = store.open("INBOX")
    assert folder.uid_validity > before
    assert list(folder.look().snapshot.uids) == [1, 2, 3]
    assert flags_of(folder, [1, 2, 3]) == [{"\\Seen", "Todo"}] * 3
    folder.close()


@pytest.mark.parametrize("statement", ["user_version", "FROM message"])
def test_K4_an_index_that_could_not_be_read_once_keeps_its_uids(
    store: MaildirStore, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """SQLite says that an index is damaged, too, where the disk failed to read it."""
    put(store, "INBOX", 3)
    before = store.status("INBOX")
    errors: list[Exception] = [apsw.CorruptError("database disk image is malformed")]

    def fail_once(cursor: object, text: str, bindings: object) -> bool:
        if errors and statement in text:
            raise errors.pop()
        return True

    monkeypatch.setattr(apsw, "connection_hooks", [lambda one: setattr(one, "exec_trace", fail_once)])
    with suppress(IndexTroubleError):
        store.status("INBOX")
    assert not errors
    assert store.status("INBOX") == before


def damage_index(file: Path, how: str) -> None:
    if how in {"lost", "empty"}:
        file.unlink()
    if how in {"text", "empty"}:
        file.write_bytes(b"no index" * 1000 * (how == "text"))
    if how in {"page", "old"}:
        octets = bytearray(file.read_bytes())
        octets[60:64] = (9).to_bytes(4, "big")  # the version
        if how == "page":
            octets[100:4096] = b"\xff" * 3996
        file.write_bytes(octets)


def test_K4_who_has_the_folder_open_is_told_that_its_index_is_lost(
    box: Path, store: MaildirStore, folder: MaildirFolder
) -> None:
    put(store, "INBOX", 1)
    folder.look()
    for file in box.glob(f"{INDEX_NAME}*"):
        file.unlink()
    expect(FolderLostError, folder.look)
    folder.close()
    assert list(store.open("INBOX").look().snapshot.uids) == [1]


def test_K29_a_folder_that_cannot_be_looked_at_is_not_called_removed(
    store: MaildirStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("Work")
    look = os.stat

    def look_in_vain(path: str | int, **options: object) -> os.stat_result:
        if path == ".Work/cur":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return look(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", look_in_vain)
    expect(OSError, store.folders)
    expect(OSError, lambda: store.status("Work"))


def test_K4_uidvalidity_grows_though_the_clock_went_back(
    clock: Clock, box: Path, store: MaildirStore
) -> None:
    found = []
    for _ in range(3):
        store.create("Work")
        found.append(store.status("Work").uid_validity)
        store.delete("Work")
        clock.now_ns -= 3600 * SECOND_NS
    assert found == sorted(set(found))
    (box / "paperpath-folders").write_text("nonsense")
    assert store.subscriptions() == ()


def test_K28_quotas_hold_for_all_that_comes_and_goes(box: Path) -> None:
    store = MaildirStore(box.parent, BOX, quota=Quota(100))
    store.create("Trash")
    put(store, "INBOX", 1, content=b"x" * 60)
    expect(OverQuotaError, lambda: put(store, "INBOX", 1, content=b"x" * 60))
    expect(OverWholeQuotaError, lambda: put(store, "INBOX", 1, content=b"x" * 202))
    folder = store.open("INBOX")
    folder.look()
    expect(OverQuotaError, lambda: folder.copy([1], "INBOX"))
    folder.copy([1], "Trash")
    assert (store.quota().octets, store.quota().messages) == (60, 1)
    folder.move([1], "Trash")
    assert (store.quota().octets, store.quota().messages) == (0, 0)
    put(store, "INBOX", 1, content=b"x" * 90)
    trash = store.open("Trash")
    trash.look()
    expect(OverQuotaError, lambda: trash.move([1], "INBOX"))
    folder.store_flags([2], FlagChange.ADD, ["\\Deleted"])
    folder.expunge()
    trash.move([1], "INBOX")
    assert (store.quota().octets, store.quota().limit) == (60, Quota(100))
    assert not names_in(box / "tmp")


def test_K10_a_disk_that_is_full_leaves_nothing(
    box: Path, store: MaildirStore, folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("Other")
    put(store, "INBOX", 3)
    folder.look()
    rename, calls = os.rename, list[str]()

    def fail_second(name: str, new_name: str, **kwargs: int) -> None:
        calls.append(name)
        if len(calls) == 2:
            raise OSError(28, "full")
        rename(name, new_name, **kwargs)

    monkeypatch.setattr(os, "rename", fail_second)
    for deed in (folder.copy, folder.move):
        calls.clear()
        with pytest.raises(OSError, match="full"):
            deed([1, 2], "Other")
        assert store.status("Other").messages == 0
        assert not names_in(box / ".Other" / "tmp")
        assert [one.uid for one in folder.states([1, 2, 3])] == [1, 2, 3]
        assert not folder.look(folder.look().snapshot).departed


@pytest.mark.parametrize("error", [apsw.FullError("full"), apsw.CorruptError("malformed")])
@pytest.mark.parametrize("deed", ["append", "copy"])
def test_K10_what_is_refused_does_not_come_later_whichever_commit_failed(
    store: MaildirStore, monkeypatch: pytest.MonkeyPatch, deed: str, error: apsw.Error
) -> None:
    put(store, "INBOX", 2, flags=["New"])
    answers = []
    for number in itertools.count():
        target = f"Other{number}"
        store.create(target)
        with monkeypatch.context() as patched:
            commits = itertools.count()
            fail_commit(patched, lambda: next(commits) == number, error)  # noqa: B023 - of this round
            with closing(store.open("INBOX")) as folder:
                try:
                    put(store, target, 2) if deed == "append" else folder.copy([1, 2], target)
                except IndexTroubleError:
                    answers.append(0)
                else:
                    answers.append(2)
            is_over = next(commits) <= number
        with closing(store.open(target)) as other:
            assert len(other.look().snapshot.uids) == answers[-1]
        if is_over:
            break
    assert len(answers) > 2
    assert answers[-2:] == [2, 2]
    assert 0 in answers


def fail_commit(patched: pytest.MonkeyPatch, is_wanted: Callable[[], bool], error: apsw.Error) -> None:
    """Have SQLite fail when some changes of an index are to be committed."""
    changing = Index.changing

    @contextmanager
    def failing(index: Index, *, flushed: bool = True) -> Iterator[None]:
        with changing(index, flushed=flushed):
            yield
            if is_wanted():
                with index_errors():
                    raise error

    patched.setattr(Index, "changing", failing)


def test_K29_sessions_work_in_threads_at_once(store: MaildirStore) -> None:
    store.create("Other")

    def work(number: int) -> int:
        folder = store.open("INBOX")
        copied = 0
        for _ in range(5):
            put(store, "INBOX", 1)
            uids = list(folder.look().snapshot.uids)
            folder.store_flags(uids[-2:], FlagChange.ADD, ["\\Seen"])
            copied += len(folder.copy(uids[:1], "Other").uids) if number else 0
            folder.move(uids[-1:], "Other")
        folder.close()
        return copied

    with ThreadPoolExecutor(3) as pool:
        copied = sum(pool.map(work, range(3)))
    both = [store.status(name) for name in ("INBOX", "Other")]
    assert sum(status.messages for status in both) == 15 + copied


def test_L1_files_are_their_owners_alone(box: Path, store: MaildirStore) -> None:
    old = os.umask(0o277)
    try:
        store.create("Work")
        put(store, "Work", 1, flags=["Todo"])
        store.subscribe("Work")
    finally:
        os.umask(old)
    for file in box.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_K11_what_a_removal_left_is_cleared_by_the_next(box: Path, store: MaildirStore) -> None:
    store.create("a")
    shutil.copytree(box / ".a", box / "paperpath-removed.1")
    store.delete("a")
    assert not [name for name in names_in(box) if "removed" in name or name.startswith(".a")]
