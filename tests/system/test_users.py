"""The helper and its children: real users' numbers, real homes, real links in them. Takes root."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.config.user_place import HOME_MAILDIR, SpoolFolder
from paperpath.local.users.asking import LOST, NOT_THERE, ask_helper
from paperpath.local.users.child import find_groups
from paperpath.local.users.deliveries import BUSY, DIED, TOO_LONG
from paperpath.local.users.packets import GO, Answer, Request, format_answer, format_request, split_content
from paperpath.local.users.place import SOCKET
from paperpath.mail.address import parse_mailbox
from tests.support.installation import wait_until
from tests.support.users import JIM, JOE, UNSURE, Host, make_host

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="takes root")]

MAIL = 54_323  # a group
NAME = "1700000000.M1R2.mx.here.example"
STORED = f"{NAME},S=6"  # what `ask` has delivered
SENDER = parse_mailbox("ann@else.example")
Helper = subprocess.Popen[bytes]


@pytest.fixture
def host() -> Iterator[Host]:
    with make_host() as host:
        yield host


def make_request(user: str = "joe", *, tried: bool = False, name: str = NAME) -> Request:
    return Request(user, name, tried, SENDER, 1_700_000_000_000_000)


def ask(host: Host, user: str = "joe", content: bytes = b"hello\n", *, tried: bool = False) -> Answer:
    return ask_helper(host.socket_folder, make_request(user, tried=tried), [content], 20)


def begin(host: Host, user: str = "joe") -> socket.socket:
    """Begin a delivery whose content is still to come."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(20)
    connection.connect(str(host.socket_folder / SOCKET))
    connection.send(format_request(make_request(user)))
    assert connection.recv(100) == GO
    return connection


def child_of(helper: Helper) -> int:
    (child,) = Path(f"/proc/{helper.pid}/task/{helper.pid}/children").read_text().split()
    return int(child)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_F4_F11_what_is_delivered_is_the_users_alone(host: Host) -> None:
    home = host.add("joe", JOE)
    with host.helper():
        answer = ask(host, content=b"x" * 300_000)
    assert str(answer.reply) == "250 2.1.5 Delivered"
    made = {path.relative_to(home): path.stat() for path in [home / "Maildir", *home.rglob("Maildir/**/*")]}
    assert {(found.st_uid, found.st_gid) for found in made.values()} == {(JOE, JOE)}
    modes = {str(path): stat.S_IMODE(found.st_mode) for path, found in made.items()}
    assert modes == {
        "Maildir": 0o700,
        "Maildir/tmp": 0o700,
        "Maildir/new": 0o700,
        "Maildir/cur": 0o700,
        f"Maildir/new/{NAME},S=300000": 0o600,
    }
    assert (home / "Maildir" / "new" / f"{NAME},S=300000").read_bytes() == b"x" * 300_000


def test_F4_L5_the_child_is_the_user_and_has_nothing_but_the_connection(host: Host) -> None:
    host.add("joe", JOE)
    with host.helper() as helper, begin(host) as connection:
        child = Path(f"/proc/{child_of(helper)}")
        lines = (child / "status").read_text().splitlines()
        status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        assert status["Uid"] == status["Gid"] == [str(JOE)] * 4
        assert status["Groups"] == [str(JOE)]
        assert status["NoNewPrivs"] == ["1"]
        assert status["Umask"] == ["0077"]
        assert status["CapEff"] == status["CapPrm"] == ["0" * 16]
        opened = {int(entry.name): str(entry.readlink()) for entry in (child / "fd").iterdir()}
        assert {descriptor: opened.pop(descriptor) for descriptor in (0, 1, 2)} == dict.fromkeys(
            range(3), "/dev/null"
        )
        assert opened.pop(3).startswith("socket:")
        assert {Path(file).is_relative_to(host.folder / "joe") for file in opened.values()} == {True}
        connection.send(b".")
        assert b"250 2.1.5" in connection.recv(1000)


def snapshot(*folders: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Return what can be seen of everything in folders: whose it is, its mode, its octets."""
    return {
        path: (found.st_uid, found.st_mode, path.read_bytes() if stat.S_ISREG(found.st_mode) else b"")
        for folder in folders
        for path in [folder, *folder.rglob("*")]
        for found in [path.lstat()]
    }


def test_F4_L1_a_link_leads_nowhere(host: Host) -> None:
    """Not even where the user himself may write, for another may have made the link there."""
    joe, jim = host.add("joe", JOE), host.add("jim", JIM)
    mine, roots, all_may = joe / "mine", host.folder / "roots", host.folder / "all-may"
    for folder, mode in ((mine, 0o700), (roots, 0o700), (all_may, 0o777)):
        folder.mkdir()
        folder.chmod(mode)
    os.chown(mine, JOE, JOE)
    with host.helper():
        assert ask(host, "jim").reply.is_positive
        for folder in (jim, jim / "Maildir", jim / "Maildir" / "new"):
            folder.chmod(0o777)
        targets = [jim / "Maildir", jim / "Maildir" / "new", mine, roots, all_may, Path("/etc")]
        before = snapshot(jim, mine, roots, all_may), sorted(Path("/etc").iterdir())
        for place in ("Maildir", "Maildir/new", "Maildir/tmp"):
            for target in targets:
                shutil.rmtree(joe / "Maildir", ignore_errors=True)
                assert ask(host).reply.is_positive
                shutil.rmtree(joe / place)
                (joe / place).symlink_to(target)
                assert ask(host).reply.code == 451, (place, target)
                (joe / place).unlink()
        assert (snapshot(jim, mine, roots, all_may), sorted(Path("/etc").iterdir())) == before


def test_L1_a_link_of_the_deliverys_own_name_is_replaced(host: Host) -> None:
    joe, jim = host.add("joe", JOE), host.add("jim", JIM)
    theirs = jim / "theirs"
    theirs.write_bytes(b"theirs")
    theirs.chmod(0o666)
    with host.helper():
        assert ask(host).reply.is_positive
        for link in (f"tmp/{NAME}", f"new/{STORED}"):
            (joe / "Maildir" / "new" / STORED).unlink()
            (joe / "Maildir" / link).symlink_to(theirs)
            assert ask(host).reply.is_positive
    assert theirs.read_bytes() == b"theirs"
    assert files_below(joe) == {f"Maildir/new/{STORED}"}
    assert not (joe / "Maildir" / "new" / STORED).is_symlink()


def test_F5_what_is_wrong_with_a_home_is_temporary_and_the_helper_lives_on(host: Host) -> None:
    host.add("joe", JOE)
    host.add("missing", JIM, host.folder / "nowhere")
    host.add("none", JIM, Path())
    host.add("file", JIM, Path("/etc/passwd"))
    host.add("strangers", JIM, host.folder / "joe")
    host.add("open", JIM).chmod(0o777)
    linked = host.add("linked", JIM)
    linked.rename(host.folder / "moved")
    linked.symlink_to(host.folder / "moved")
    host.add("root", 0)
    host.add("daemon", 1)
    expected = {
        "missing": "450 4.2.0 The folder of the mailbox is missing",
        "none": "450 4.2.0 The folder of the mailbox is missing",
        "file": "451 4.2.0 The mailbox cannot be written now: Not a directory",
        "strangers": "451 4.2.0 The mailbox cannot be written now: Permission denied",
        "open": "451 4.3.5 Every user of the host may write in the folder of the mailbox",
        "linked": "250 2.1.5 Delivered",
        "root": "450 4.2.1 This host does not know the user now",
        "daemon": "450 4.2.1 This host does not know the user now",
        "nobody-at-all": "450 4.2.1 This host does not know the user now",
        UNSURE: "451 4.3.0 This host does not know its users now: Connection refused",
        "joe": "250 2.1.5 Delivered",
    }
    with host.helper():
        answers = {user: ask(host, user) for user in expected}
    assert {user: str(answer.reply) for user, answer in answers.items()} == expected
    assert not any(answer.uncertain or answer.is_stuck for answer in answers.values())
    assert files_below(host.folder / "root") == files_below(host.folder / "open") == set()


def test_F11_a_maildir_that_is_missing_is_made_only_if_it_is_to_be(host: Host) -> None:
    home = host.add("joe", JOE)
    with host.helper(create=False):
        assert str(ask(host).reply) == "450 4.2.0 The folder of the mailbox is missing"
    assert files_below(home) == set()


def test_F5_a_full_disk_takes_nothing_and_all_when_there_is_room(host: Host) -> None:
    home = host.add("joe", JOE)
    mount = ["mount", "-t", "tmpfs", "-o", f"size=64k,uid={JOE},gid={JOE},mode=0700", "paperpath-test"]
    if subprocess.run([*mount, home], check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted")
    try:
        with host.helper():
            full = ask(host, content=b"x" * 2_000_000)
            assert str(full.reply) == "452 4.3.1 The mailbox cannot be written now: No space left on device"
            assert files_below(home) == set()
            assert ask(host).reply.is_positive
    finally:
        subprocess.run(["umount", "--lazy", home], check=True)


def test_P4_an_earlier_attempt_is_found_wherever_it_was_moved(host: Host) -> None:
    home = host.add("joe", JOE)
    with host.helper():
        assert ask(host).reply.is_positive
        mailbox = home / "Maildir"
        (mailbox / "new" / STORED).rename(mailbox / "cur" / f"{STORED}:2,S")
        assert str(ask(host, tried=True).reply) == "250 2.1.5 Delivered by an earlier attempt"
        assert files_below(home) == {f"Maildir/cur/{STORED}:2,S"}


def test_P4_what_smtpld_does_not_end_is_not_delivered(host: Host) -> None:
    home = host.add("joe", JOE)
    with host.helper() as helper:
        with begin(host) as connection:
            for packet in split_content([b"half of "]):
                connection.send(packet)
            assert files_below(home) == {f"Maildir/tmp/{NAME}"}
        wait_until(lambda: not has_children(helper), "the child to end")
        assert files_below(home) == set()
        assert ask(host).reply.is_positive


def has_children(helper: Helper) -> bool:
    return bool(Path(f"/proc/{helper.pid}/task/{helper.pid}/children").read_text())


def test_P6_who_hangs_is_killed_and_delays_nobody_else(host: Host) -> None:
    home = host.add("joe", JOE)
    host.add("jim", JIM)
    with host.helper(limit_s=2, turn_s=0.1) as helper, begin(host) as connection:
        os.kill(child_of(helper), signal.SIGSTOP)  # as a file system does that does not answer
        assert ask(host) == BUSY
        assert ask(host, "jim").reply.is_positive
        assert connection.recv(1000) == format_answer(TOO_LONG)
        wait_until(lambda: not has_children(helper), "the child to be killed")
        assert ask(host, tried=True).reply.is_positive
    assert files_below(home) == {f"Maildir/new/{STORED}"}


def test_P6_a_hanging_home_is_told_of_even_in_the_middle_of_a_message(host: Host) -> None:
    host.add("joe", JOE)

    def content() -> Iterator[bytes]:
        os.kill(child_of(helper), signal.SIGSTOP)
        yield b"x" * 2_000_000

    with host.helper(limit_s=1) as helper:
        assert ask_helper(host.socket_folder, make_request(), content(), 20) == TOO_LONG


def test_P4_a_child_that_dies_is_told_of_and_one_whose_helper_dies_dies_too(host: Host) -> None:
    host.add("joe", JOE)
    with host.helper() as helper:
        with begin(host) as connection:
            os.kill(child_of(helper), signal.SIGKILL)
            assert connection.recv(1000) == format_answer(DIED)
        with begin(host) as connection:
            child = child_of(helper)
            helper.kill()
            wait_until(lambda: not is_alive(child), "the child to die")
            assert connection.recv(1000) == b""
    assert ask(host) == NOT_THERE


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_L3_nobody_else_is_listened_to_and_nonsense_is_not_heard(host: Host) -> None:
    host.add("joe", JOE)
    with host.helper(client_uid=JIM):
        assert ask(host) == LOST
    with host.helper():
        for nonsense in (b"", b"{", b"x" * 100_000, format_request(make_request(name="1.../../x"))):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.settimeout(20)
                connection.connect(str(host.socket_folder / SOCKET))
                connection.send(nonsense)
                assert connection.recv(100) == b""
        assert ask(host).reply.is_positive


def make_spool(host: Host) -> Path:
    """Make a folder as Debian has it: those of a group may make files there."""
    spool = host.folder / "spool"
    spool.mkdir()
    os.chown(spool, 0, MAIL)
    spool.chmod(0o2775)
    return spool


def test_F12_F13_an_mbox_is_appended_to_as_the_user_with_the_group_of_its_folder(host: Host) -> None:
    host.add("joe", JOE, host.folder / "nowhere")
    spool = make_spool(host)
    with host.helper(f"{spool}/{{user}}") as helper:
        assert ask(host, content=b"Subject: one\n\nFrom me\n").reply.is_positive
        assert str(ask(host, content=b"Subject: one\n\nFrom me\n", tried=True).reply).endswith(
            "an earlier attempt"
        )
        assert ask(host, content=b"Subject: two\n\n", tried=True).reply.is_positive
        with begin(host) as connection:
            groups = re.search("Groups:(.*)", Path(f"/proc/{child_of(helper)}/status").read_text())
            assert groups is not None
            assert {*groups[1].split()} == {str(JOE), str(MAIL)}
            connection.send(b".")
            assert b"250 2.1.5" in connection.recv(1000)
    box = spool / "joe"
    line = b"From ann@else.example Tue Nov 14 22:13:20 2023\n"
    assert box.read_bytes().startswith(
        line + b"Subject: one\n\n>From me\n\n" + line + b"Subject: two\n\n\n" + line
    )
    assert (box.stat().st_uid, stat.S_IMODE(box.stat().st_mode)) == (JOE, 0o600)
    assert files_below(spool) == {"joe"}


def test_F4_L1_a_file_that_is_not_the_users_is_not_appended_to(host: Host) -> None:
    host.add("joe", JOE)
    spool = make_spool(host)
    theirs = spool / "theirs"
    theirs.write_bytes(b"theirs\n")
    os.chown(theirs, JIM, MAIL)
    theirs.chmod(0o660)
    box = spool / "joe"
    with host.helper(f"{spool}/{{user}}"):
        for make in (box.symlink_to, box.hardlink_to, theirs.rename):
            make(theirs if make != theirs.rename else box)
            assert ask(host).reply.code == 451
            if make != theirs.rename:
                box.unlink()
        box.unlink()
        assert ask(host).reply.is_positive


def test_F4_no_group_is_given_that_is_roots_or_may_not_write(host: Host) -> None:
    host.add("joe", JOE)
    spool = make_spool(host)
    user, place = host.users["joe"], SpoolFolder(spool)
    assert find_groups(user, place) == (JOE, MAIL)
    spool.chmod(0o755)
    assert find_groups(user, place) == find_groups(user, HOME_MAILDIR) == (JOE,)
    with host.helper(f"{spool}/{{user}}"):
        assert str(ask(host).reply) == "451 4.2.0 The mailbox cannot be written now: Permission denied"
        spool.chmod(0o775)
        os.chown(spool, 0, 0)
        assert str(ask(host).reply) == "451 4.2.0 The mailbox cannot be written now: Permission denied"
    assert files_below(spool) == set()


def test_P6_no_more_children_are_made_at_once_than_told(host: Host) -> None:
    host.add("joe", JOE)
    host.add("jim", JIM)
    with host.helper(most=1), begin(host) as connection:
        assert ask(host, "jim") == LOST
        connection.send(b".")
        assert b"250 2.1.5" in connection.recv(1000)
        wait_until(lambda: ask(host, "jim").reply.is_positive, "room for another")
