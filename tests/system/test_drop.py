"""Mail left in the drop directory by users of this host reaches mailboxes, once (D-1, D-2, L-2)."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from paperpath.maildrop.drop.writer import drop_message
from tests.support.drop import CONTENT, ENVELOPE, act_as
from tests.support.installation import Installation, wait_until
from tests.support.strace import traced

JOE, ANN = 65502, 65503
LARGE = b"Subject: large\r\n\r\n" + b"x\r\n" * 30_000
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="takes root")]


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Return an installation whose drop directory every user can reach, which pytest's folders are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        installation = Installation(Path(name) / "site")
        installation.folder.chmod(0o711)
        yield installation


def drop_of(installation: Installation) -> Path:
    return installation.folder / "data" / "drop"


def leave(installation: Installation, content: bytes = CONTENT) -> Callable[[], object]:
    return lambda: drop_message(drop_of(installation), ENVELOPE, [content])


def body_of(delivered: Path) -> bytes:
    """Return what a delivered file holds behind the fields that we put before it."""
    found = re.fullmatch(
        rb"Return-Path: <me@here\.example>\nDelivered-To: u@here\.example\n"
        rb"Received: by mx\.here\.example \(Paperpath, from uid (?:65502|65503)\)\n id \w+;\n [^\n]+\n(.*)",
        delivered.read_bytes(),
        re.DOTALL,
    )
    assert found is not None, delivered.read_bytes()[:500]
    return found[1].replace(b"\n", b"\r\n")


def test_D1_L2_mail_dropped_by_users_of_this_host_is_delivered(installation: Installation) -> None:
    act_as(JOE, leave(installation))  # no program runs yet
    with installation.up():
        installation.wait_for_deliveries(1)
        act_as(ANN, leave(installation, LARGE))
        files = installation.wait_for_deliveries(2)
        assert {body_of(file) for file in files} == {CONTENT, LARGE}
        wait_until(lambda: not list(drop_of(installation).iterdir()), "the files to be removed")
        assert f"uid={JOE}" in installation.output()
    assert (installation.books().accepted, installation.books().open) == (2, 0)


@pytest.fixture
def umask() -> Iterator[None]:
    """Let what is made without a thought be open to all."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_D15_nothing_else_of_an_installation_is_open_to_users(installation: Installation) -> None:
    with installation.up():
        act_as(JOE, leave(installation, LARGE))
        installation.wait_for_deliveries(1)
        data = installation.folder / "data"
        open_to_others = {"drop": 0o003, "run": 0o001}
        for path in data.iterdir():
            assert path.lstat().st_mode & 0o007 == open_to_others.get(path.name, 0), path
            for below in [] if path.name == "drop" else path.rglob("*"):
                assert below.name == "enquiries.sock" or is_closed(below), below
        assert data.stat().st_mode & 0o777 == 0o711


def is_closed(path: Path) -> bool:
    """Tell whether something is its owner's alone; what is gone, as content soon is, is open to nobody."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISLNK(mode) or mode & 0o077 == 0


def test_L2_D9_a_hostile_user_does_not_hold_up_another(installation: Installation) -> None:
    drop = drop_of(installation)

    def attack() -> None:
        for number in range(300):
            (drop / f"message-{number:032x}").symlink_to("/etc/passwd")
        os.mkfifo(drop / f"message-{300:032x}")
        (drop / os.fsdecode(b"\xff\x1b[2J")).touch()
        (drop / "full" / "in").mkdir(parents=True)

    act_as(ANN, attack)
    act_as(JOE, leave(installation))
    with installation.up():
        (file,) = installation.wait_for_deliveries(1)
        assert body_of(file) == CONTENT
        wait_until(lambda: not list(drop.iterdir()), "the rest to be put aside")
        assert "\x1b" not in installation.output()
    assert len(list((drop.parent / "drop-damaged").iterdir())) == 303


def positions(lines: list[str], pattern: str) -> list[int]:
    return [number for number, line in enumerate(lines) if re.search(pattern, line)]


def leave_traced(installation: Installation, trace: Path, uid: int) -> list[str]:
    """Drop a message as some user, looked at from outside; return the system calls."""
    go_reader, go_writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.read(go_reader, 1)
            leave(installation)()
            code = 0
        finally:
            os._exit(code)
    calls = "trace=openat,write,fchmod,fsync,syncfs,rename,renameat,renameat2,exit_group"
    with traced(child, trace, "-e", calls):
        os.write(go_writer, b"!")
        _, status = os.waitpid(child, 0)
    os.close(go_reader)
    os.close(go_writer)
    assert status == 0, trace.read_text()
    return trace.read_text().splitlines()


@pytest.mark.interop
@pytest.mark.parametrize(
    ("uid", "names_flushed"), [(0, r"fsync\(\d+<.*/drop>"), (JOE, r"syncfs\(\d+<.*/message-.*= 0")]
)
def test_D1_a_dropped_message_is_flushed_renamed_and_its_name_flushed(
    installation: Installation, tmp_path: Path, uid: int, names_flushed: str
) -> None:
    lines = leave_traced(installation, tmp_path / "trace", uid)
    steps = [
        positions(lines, r'openat\(\d+<.*/drop>, "partial-.*O_WRONLY\|O_CREAT\|O_EXCL\|O_NOFOLLOW')[0],
        positions(lines, r" write\(\d+<.*/partial-")[-1],
        positions(lines, r"fsync\(\d+<.*/partial-.*= 0")[0],
        positions(lines, r'rename.*"partial-.*"message-')[0],
        positions(lines, names_flushed)[0],
        positions(lines, r"exit_group\(0\)")[0],
    ]
    assert steps == sorted(steps), "\n".join(lines)


@pytest.mark.interop
@pytest.mark.parametrize(
    ("calls", "number"),
    [
        ("fsync", 1),
        ("fsync", 2),
        ("fsync", 3),
        ("pwrite64", 1),
        ("fdatasync", 1),
        ("unlink,unlinkat", 1),  # accepted, and the file still there
    ],
)
def test_D2_D3_kill_9_of_the_import_at_any_step_leaves_one_copy(
    installation: Installation, tmp_path: Path, calls: str, number: int
) -> None:
    kill = f"inject={calls}:signal=SIGKILL:when={number}"
    with installation.up():
        smtppd = installation.pid("smtppd")
        with traced(smtppd, tmp_path / "trace", "-e", f"trace={calls}", "-e", kill):
            act_as(JOE, leave(installation, LARGE))
            wait_until(lambda: installation.pid("smtppd") != smtppd, "smtppd to be killed")
        installation.wait_for_deliveries(1)
        wait_until(lambda: not list(drop_of(installation).iterdir()), "the file to be removed")
        wait_until(lambda: installation.books().open == 0, "the queue to drain")
        (file,) = installation.delivered()
        assert body_of(file) == LARGE
    assert installation.books().accepted == 1
