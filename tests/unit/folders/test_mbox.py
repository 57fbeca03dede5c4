"""mbox files: locked, appended to, taken back (F-12, F-13, P2, P4, P6; attack L-1 with real links)."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.folders import mbox_search
from paperpath.folders.mbox import Mbox
from paperpath.folders.mbox_entry import format_entry
from paperpath.folders.mbox_lock import Waiting
from paperpath.folders.steps import OpenToAllError
from paperpath.mail.address import Mailbox

SENDER = Mailbox("a", "b.example")
ENTRY = b"From a@b.example Tue Nov 14 22:13:20 2023\nA: b\n\nbody\n\n"


def make_entry(content: bytes = b"A: b\n\nbody\n") -> Iterator[bytes]:
    return format_entry(SENDER, 1_700_000_000_000_000, [content])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mbox"


def append(file: Path, content: bytes = b"A: b\n\nbody\n") -> None:
    with Mbox(file) as mbox:
        mbox.append(make_entry(content))
        mbox.flush()


def deliver_again(file: Path, content: bytes) -> bool:
    """Deliver as one does whose earlier attempt ended without an outcome; tell whether it was there."""
    with Mbox(file) as mbox:
        if was_there := mbox.keep(lambda: make_entry(content)):
            return was_there
        mbox.append(make_entry(content))
        mbox.flush()
        return False


def is_locked(file: Path) -> bool:
    """Ask as another process does: the answer of fcntl is not for the process that holds the lock."""
    asked = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    done = subprocess.run([sys.executable, "-c", asked, str(file)], capture_output=True, check=False)
    return b"BlockingIOError" in done.stderr


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o377])
def test_F13_L1_a_file_that_is_missing_is_made_its_owners_alone(file: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        append(file)
    finally:
        os.umask(old)
    assert file.read_bytes() == ENTRY
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("before", "between"), [(b"", b""), (b"x\n\n", b""), (b"x\n", b"\n"), (b"x", b"\n\n"), (b"\n", b"\n")]
)
def test_F13_entries_are_apart_whatever_another_program_left_at_the_end(
    file: Path, before: bytes, between: bytes
) -> None:
    file.write_bytes(before)
    with Mbox(file) as mbox:
        for _ in range(2):
            mbox.append(make_entry())
        mbox.flush()
    assert file.read_bytes() == before + between + ENTRY * 2


def test_F13_what_is_there_stays_unread_for_programs_that_go_by_its_times(file: Path) -> None:
    append(file)
    os.utime(file, (1, 1))
    append(file)
    found = file.stat()
    assert found.st_atime == 1
    assert found.st_mtime > 1


@pytest.mark.parametrize("name", ["joe.lock", "joe.lock.paperpath"])
def test_P2_no_mail_is_put_where_somebody_elses_lock_is_made_and_removed(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="that of a lock"):
        append(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_F12_both_locks_are_held_while_we_write(file: Path, tmp_path: Path) -> None:
    def look() -> Iterator[bytes]:
        assert is_locked(file)
        assert (tmp_path / "mbox.lock").read_bytes().startswith(str(os.getpid()).encode() + b" ")
        yield b"From x\n\n"

    with Mbox(file) as mbox:
        mbox.append(look())
    assert not is_locked(file)
    assert list(tmp_path.iterdir()) == [file]


class Clock:
    """Time that passes only while somebody waits, and what happens meanwhile."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.then: tuple[float, Callable[[], object]] = (1000.0, lambda: None)

    def pause(self, seconds: float) -> None:
        self.now_s += seconds
        when_s, deed = self.then
        if self.now_s >= when_s:
            deed()

    def waiting(self, most_s: float = 10.0) -> Waiting:
        return Waiting(most_s, lambda: self.now_s, self.pause)


HOLDS = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print(flush=True)
sys.stdin.read()
"""


class Holder:
    """Another process that has an mbox locked by fcntl until it is killed."""

    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.slow
def test_F12_a_second_writer_waits_and_goes_on_when_the_holder_is_killed(file: Path) -> None:
    file.touch()
    holder = Holder(file)
    clock = Clock()
    with pytest.raises(TimeoutError):
        Mbox(file, clock.waiting())
    assert 10 <= clock.now_s < 11
    assert file.read_bytes() == b""
    clock.then = (12.0, holder.kill)
    with Mbox(file, clock.waiting()) as mbox:
        mbox.append(make_entry())
    assert 12 <= clock.now_s < 13
    assert file.read_bytes() == ENTRY


def test_F12_a_lock_file_of_another_program_is_waited_for(file: Path, tmp_path: Path) -> None:
    lock = tmp_path / "mbox.lock"
    lock.touch()
    clock = Clock()
    with pytest.raises(TimeoutError):
        Mbox(file, clock.waiting())
    assert lock.exists()
    clock.then = (15.0, lock.unlink)
    with Mbox(file, clock.waiting()):
        assert clock.now_s >= 15
        assert lock.exists()
    assert not lock.exists()


@pytest.mark.parametrize(("age_s", "is_stale"), [(290, False), (301, True)])
@pytest.mark.parametrize("kind", ["file", "link", "empty"])
def test_F12_L1_a_lock_file_is_stale_after_five_minutes(
    file: Path, tmp_path: Path, age_s: int, is_stale: bool, kind: str
) -> None:
    lock, other = tmp_path / "mbox.lock", tmp_path / "other"
    other.write_bytes(b"untouched")
    if kind == "link":
        lock.symlink_to(other)
    else:
        lock.write_bytes(b"" if kind == "empty" else b"4711\n")
    then_s = other.stat().st_mtime - age_s
    os.utime(lock, (then_s, then_s), follow_symlinks=False)
    waiting = Clock().waiting()
    if is_stale:
        with Mbox(file, waiting) as mbox:
            mbox.append(make_entry())
        assert file.read_bytes() == ENTRY
    else:
        with pytest.raises(TimeoutError):
            Mbox(file, waiting)
    assert lock.exists() is not is_stale
    assert other.read_bytes() == b"untouched"


DIES = """
import os, signal, sys
from pathlib import Path
from paperpath.folders.mbox import Mbox
mbox = Mbox(Path(sys.argv[1]))
def chunks():
    yield sys.argv[2].encode()
    os.kill(os.getpid(), signal.SIGKILL)
    yield b""
mbox.append(chunks())
"""


@pytest.mark.slow
def test_F12_P4_who_is_killed_while_he_writes_holds_up_nobody_and_leaves_no_half(
    file: Path, tmp_path: Path
) -> None:
    append(file, b"B: c\n\nother\n")
    before = file.read_bytes()
    half = ENTRY[:-5].decode()
    subprocess.run([sys.executable, "-c", DIES, str(file), half], check=False)
    assert file.read_bytes() == before + half.encode()
    assert (tmp_path / "mbox.lock").exists()
    assert not deliver_again(file, b"A: b\n\nbody\n")
    assert file.read_bytes() == before + ENTRY
    assert not (tmp_path / "mbox.lock").exists()


LOCKS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from paperpath.folders.mbox import Mbox
number = int(sys.argv[2])
def die(name, function):
    def counted(*arguments, **others):
        global number
        number -= 1
        if not number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **others)
    setattr(os, name, counted)
for name in ("open", "write", "link", "unlink", "fchmod", "fsync", "close"):
    die(name, getattr(os, name))
with Mbox(Path(sys.argv[1])):
    pass
print("lived")
"""


@pytest.mark.slow
def test_F12_P4_whenever_we_are_killed_the_next_of_us_does_not_wait(file: Path, tmp_path: Path) -> None:
    for number in range(1, 30):
        command = [sys.executable, "-c", LOCKS_AND_DIES, str(file), str(number)]
        done = subprocess.run(command, capture_output=True, check=False)
        with Mbox(file, Clock().waiting(1.0)):
            pass
        assert list(tmp_path.iterdir()) == [file], number
        if done.stdout:
            return
    pytest.fail("there are more steps")


def test_F12_P2_a_lock_is_ours_to_everybody_after_the_power_failed_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the lock file is flushed before it has its name: else the name may be all that is left."""
    flushed: list[int] = []
    flush, link = os.fdatasync, os.link

    def noting_flush(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        flush(descriptor)

    def checking_link(draft: str, name: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        assert flushed == [os.stat(draft, dir_fd=src_dir_fd).st_ino]
        link(draft, name, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fdatasync", noting_flush)
    monkeypatch.setattr(os, "link", checking_link)
    with Mbox(file):
        assert flushed


def test_F12_a_lock_is_touched_while_it_is_held(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "mbox.lock"
    now_s = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    times = []

    def slowly() -> Iterator[bytes]:
        for _ in range(3):
            os.utime(lock, (1, 1))
            yield b"x\n"
            times.append(lock.stat().st_mtime)
            now_s[0] += 40

    with Mbox(file) as mbox:
        mbox.append(slowly())
    assert [time > 1 for time in times] == [False, False, True]


def test_F12_a_lock_that_somebody_took_from_us_stays_his(file: Path, tmp_path: Path) -> None:
    lock = tmp_path / "mbox.lock"
    with Mbox(file):
        lock.rename(tmp_path / "ours")
        lock.write_text("his")
    assert lock.read_text() == "his"


@pytest.mark.slow
def test_F12_threads_wait_for_each_other(file: Path) -> None:
    def deliver(number: int) -> None:
        content = b"A: %d\n\n" % number + b"line\n" * 5_000
        with Mbox(file, Waiting(60.0)) as mbox:
            mbox.append(format_entry(SENDER, 0, [content[:7], content[7:]]))
            mbox.flush()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(deliver, range(100)))
    entries = file.read_bytes().split(b"From a@b.example Thu Jan  1 00:00:00 1970\n")[1:]
    assert sorted(int(entry[3:].split(b"\n")[0]) for entry in entries) == list(range(100))
    assert {len(entry.split(b"\n\n", 1)[1]) for entry in entries} == {25_001}


def test_F12_a_file_that_a_mail_program_replaced_while_we_waited_is_not_written_to(
    file: Path, tmp_path: Path
) -> None:
    """Some remove an mbox that has become empty; who had it open already would write into nothing."""
    file.touch()
    lock = tmp_path / "mbox.lock"
    lock.touch()

    def replace() -> None:
        file.unlink()
        file.write_bytes(b"new\n\n")
        lock.unlink(missing_ok=True)

    clock = Clock()
    clock.then = (1.0, replace)
    with Mbox(file, clock.waiting()) as mbox:
        clock.then = (1000.0, lambda: None)
        mbox.append(make_entry())
    assert file.read_bytes() == b"new\n\n" + ENTRY


def test_F12_a_file_that_is_replaced_between_opening_and_locking_is_opened_anew(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.touch()
    lock_by_fcntl = fcntl.fcntl
    replaced: list[bool] = []

    def replace(descriptor: int, command: int, argument: object = 0) -> object:
        if command == fcntl.F_OFD_SETLK and not replaced:
            replaced.append(True)
            file.unlink()
        return lock_by_fcntl(descriptor, command, argument)  # type: ignore[call-overload]

    monkeypatch.setattr(fcntl, "fcntl", replace)
    append(file)
    assert file.read_bytes() == ENTRY


def test_F12_a_file_that_goes_while_we_open_it_is_made_anew(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.touch()
    open_file = os.open

    def vanish(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if name == "mbox" and not flags & os.O_CREAT:
            file.unlink()
        return open_file(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", vanish)
    append(file)
    assert file.read_bytes() == ENTRY


def test_F12_no_mbox_has_the_name_of_a_lock(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="that of a lock"):
        Mbox(tmp_path / "joe.lock")
    assert not list(tmp_path.iterdir())


def test_L1_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    file.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links") as caught:
        Mbox(file)
    assert caught.value.errno == errno.ELOOP
    (tmp_path / "folder").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError):
        Mbox(tmp_path / "folder" / "other")
    assert target.read_bytes() == b"mine"
    assert not (tmp_path / "other").exists()


def test_L1_a_file_with_another_name_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    os.link(tmp_path / "victim", file)
    with pytest.raises(OSError, match="more names than one"):
        Mbox(file)
    assert file.read_bytes() == b"mine"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_L1_what_is_no_file_is_refused_and_nobody_waits(file: Path, kind: str) -> None:
    if kind == "device":
        file = Path("/dev/null")
        if os.geteuid():
            pytest.skip("who may not write to /dev makes no lock there")
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    with pytest.raises(OSError, match=r"no regular file|Is a directory"):
        Mbox(file)


def test_L1_F5_what_every_user_may_write_to_is_refused(file: Path, tmp_path: Path) -> None:
    file.touch()
    file.chmod(0o666)
    with pytest.raises(OpenToAllError):
        Mbox(file)
    file.chmod(0o660)
    tmp_path.chmod(0o1777)
    with pytest.raises(OpenToAllError):
        Mbox(file)
    tmp_path.chmod(0o2775)
    append(file)


def test_F5_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Mbox(tmp_path / "unmounted" / "mbox")


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), OSError(errno.EIO, "broken")])
def test_F13_whatever_ends_an_append_the_file_is_as_it_was(file: Path, error: BaseException) -> None:
    append(file)

    def breaking() -> Iterator[bytes]:
        yield b"From x\n" * 1000
        raise error

    with Mbox(file) as mbox:
        mbox.append(make_entry())
        with pytest.raises(type(error)):
            mbox.append(breaking())
        mbox.append(make_entry())
        mbox.flush()
    assert file.read_bytes() == ENTRY * 3


def test_F13_P2_what_could_not_be_flushed_is_taken_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(file)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    with Mbox(file) as mbox:
        mbox.append(make_entry())
        mbox.flush()
        mbox.append(make_entry())
        mbox.append(make_entry())
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match="broken"):
                mbox.flush()
    assert file.read_bytes() == ENTRY * 2


def test_F13_P2_nothing_comes_back_that_was_cut_off(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(file)
    with file.open("ab") as half:
        half.write(ENTRY[:50])

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    with Mbox(file) as mbox:
        assert not mbox.keep(make_entry)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match="broken"):
                mbox.flush()
    assert file.read_bytes() == ENTRY


def test_F13_P2_a_new_files_name_is_durable_before_anything_is_in_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        flushed.append((os.fstat(descriptor).st_ino, file.stat().st_size))

    monkeypatch.setattr(os, "fsync", watched)
    append(file)
    assert flushed == [(tmp_path.stat().st_ino, 0), (file.stat().st_ino, len(ENTRY))]


FILLS = """
import sys
from pathlib import Path
from paperpath.folders.mbox import Mbox
if len(sys.argv) > 2:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
with Mbox(Path(sys.argv[1])) as mbox:
    try:
        mbox.append(b"x" * 10_000 for _ in range(100))
        mbox.flush()
    except OSError as error:
        print(error.errno)
"""


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=256k,mode=700 none "$1" && printf "%s" "$4" >"$1/mbox" &&
    "$2" -c "$3" "$1/mbox" && cat "$1/mbox"
"""


@pytest.mark.slow
def test_F13_a_file_that_may_not_grow_is_as_it_was(file: Path) -> None:
    append(file)
    command = [sys.executable, "-c", FILLS, str(file), "200000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert file.read_bytes() == ENTRY


@pytest.mark.slow
def test_F13_a_disk_that_fills_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """In a file system of its own, of 256 KiB, in a name space of its own."""
    known = b"From x\n\nhere\n\n"
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", ON_A_SMALL_DISK, "sh", str(tmp_path)]
    try:
        done = subprocess.run(
            [*command, sys.executable, FILLS, known.decode()], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if b"unshare:" in done.stderr or b"mount:" in done.stderr:
        pytest.skip("no file system can be mounted here")
    assert done.stdout == b"%d\n" % errno.ENOSPC + known, done.stderr


LONG = b"A: b\nC: d\n\n" + b"From here\n>From there\n" + b"line\n" * 1000


def test_P4_an_entry_that_is_there_is_not_written_again(file: Path) -> None:
    append(file, b"Z: z\n\nother\n")
    append(file, LONG)
    append(file, b"Y: y\n\nother\n")
    before = file.read_bytes()
    assert deliver_again(file, LONG)
    assert file.read_bytes() == before


def test_P4_what_is_found_is_made_durable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(file, LONG)
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    with Mbox(file) as mbox:
        assert mbox.keep(lambda: make_entry(LONG))
        assert not flushed
        mbox.flush()
    assert len(flushed) == 1


@pytest.mark.parametrize("others", [0, 1])
def test_P4_an_entry_that_was_begun_is_cut_off_where_it_is_the_last(file: Path, others: int) -> None:
    whole = b"".join(make_entry(LONG))
    for cut in (*range(len(whole) - 30, len(whole)), *range(whole.index(b"\n") + 1, 100), 3000):
        file.write_bytes(ENTRY * others + whole[:cut])
        assert not deliver_again(file, LONG)
        assert file.read_bytes() == ENTRY * others + whole, cut


def test_P4_an_entry_that_was_begun_and_has_others_behind_it_is_written_again(file: Path) -> None:
    whole = b"".join(make_entry(LONG))
    for cut in (*range(whole.index(b"\n") + 1, 100), 3000, len(whole) - 7):
        file.write_bytes(whole[:cut])
        append(file, b"Z: z\n\nother\n")
        before = file.read_bytes()
        assert not deliver_again(file, LONG), cut
        assert file.read_bytes() == before + whole


@pytest.mark.parametrize("added", [b"Status: RO\n", b"X-Status: A\nContent-Length: 7\n"])
def test_P4_fields_that_a_mail_program_adds_do_not_hide_an_entry(file: Path, added: bytes) -> None:
    append(file, LONG)
    append(file)
    header, body = file.read_bytes().split(b"\n\n", 1)
    file.write_bytes(header + b"\n" + added + b"\n" + body)
    assert deliver_again(file, LONG)


@pytest.mark.parametrize(
    ("content", "other"),
    [
        (LONG, LONG.replace(b"C: d", b"C: e")),
        (LONG, LONG + b"more\n"),
        (LONG, LONG[:-2]),
        (LONG, LONG.replace(b"line\nline\n", b"line\nlime\n", 1)),
        (b"A: b\n", b"A: b\nC: d\n\nbody\n"),
        (b"A: b\n\nbody\n", b"A: b\n" + b"C: d\n" * 1000 + b"\nbody\n"),
    ],
)
def test_P4_another_message_is_not_taken_for_it(file: Path, content: bytes, other: bytes) -> None:
    append(file, other)
    append(file, b"Z: z\n\nlast\n")
    assert not deliver_again(file, content)


def test_P4_an_entry_quoted_in_another_message_is_not_taken_for_it(file: Path) -> None:
    append(file, b"Z: z\n\n" + ENTRY[:-1])
    assert file.read_bytes().endswith(b">" + ENTRY)
    assert not deliver_again(file, b"A: b\n\nbody\n")


@given(st.integers(0, 200), st.integers(0, 200), st.integers(20, 200))
def test_P4_an_entry_is_found_wherever_the_pieces_are_cut_that_are_read(
    tmp_path_factory: pytest.TempPathFactory, before: int, behind: int, piece: int
) -> None:
    file = tmp_path_factory.mktemp("found") / "mbox"
    file.write_bytes(b"x" * before + b"\n\n" * bool(before) + ENTRY + b"From y\n" * behind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mbox_search, "_PIECE_OCTETS", piece)
        assert deliver_again(file, b"A: b\n\nbody\n")


def test_P4_P6_an_entry_is_looked_for_in_so_much_of_the_file_and_no_more(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mbox_search, "_MOST_LOOKED_AT", 1000)
    append(file)
    append(file, b"Z: z\n\n" + b"x\n" * 600)
    assert not deliver_again(file, b"A: b\n\nbody\n")
