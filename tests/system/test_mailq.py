"""mailq and newaliases as users of this host type them, asking a post office that runs (J-15, L-3)."""

import json
import os
import select
import smtplib
import socket
import stat
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import pytest

from paperpath.commands import mailq, newaliases, sendmail
from paperpath.commands.exits import Exit
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope, Recipient
from paperpath.maildrop.drop.writer import drop_message
from tests.support.drop import CLIENT, CONTENT, Ran, act_as, run_as
from tests.support.installation import program_path, wait_until
from tests.support.submission import LocalSMTP, Submission
from tests.support.wire import Wire

JOE, ANN, SOMEBODY = 65502, 65503, 65504
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="takes root")]


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Submission]:
    """Return an installation that every user can reach, which pytest's folders are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        installation = Submission(Path(name) / "site")
        installation.folder.chmod(0o711)
        installation.file.chmod(0o644)
        monkeypatch.setenv("PAPERPATH_CONFIG", str(installation.file))
        yield installation


def leave(installation: Submission, uid: int, recipient: str) -> None:
    """Leave a message in the drop directory that cannot be delivered yet."""
    envelope = Envelope(
        Mailbox("me", "here.example"), (Recipient(Mailbox(recipient, "far.example")),), CLIENT
    )
    act_as(uid, lambda: drop_message(installation.folder / "data" / "drop", envelope, [CONTENT]))


def submit(installation: Submission, uid: int, recipient: str) -> None:
    """Hand in such a message by the socket of this host's users."""

    def send() -> None:
        with LocalSMTP(installation.socket) as client:
            client.sendmail("me@here.example", [f"{recipient}@far.example"], CONTENT)

    act_as(uid, send)


def relay(installation: Submission, recipient: str) -> None:
    with smtplib.SMTP("127.0.0.1", installation.port) as client:
        client.sendmail("else@else.example", [f"{recipient}@backup.example"], CONTENT)


def attempts(installation: Submission) -> dict[str, int]:
    """Return how often each recipient was tried."""
    listed = installation.run("queue", "list", "--json", "--config", str(installation.file)).splitlines()
    return {one["address"].partition("@")[0]: one["attempts"] for one in map(json.loads, listed)}


def list_as(uid: int, *options: str) -> Ran:
    return run_as(uid, mailq.run, *options)


def recipients(ran: Ran) -> list[str]:
    """Return the recipients of a listing in JSON."""
    assert (ran.code, ran.errors) == (0, "")
    messages = [json.loads(line) for line in ran.output.splitlines()]
    return [recipient["address"] for message in messages for recipient in message["recipients"]]


def test_J15_each_user_sees_one_of_two_messages_and_the_operator_both(installation: Submission) -> None:
    leave(installation, JOE, "of-joe")
    with installation.up():
        submit(installation, ANN, "of-ann")
        wait_until(lambda: installation.books().ready == 2, "both to wait")
        assert recipients(list_as(JOE, "--json")) == ["of-joe@far.example"]
        assert recipients(list_as(ANN, "--json")) == ["of-ann@far.example"]
        assert sorted(recipients(list_as(0, "--json"))) == ["of-ann@far.example", "of-joe@far.example"]
        nothing = list_as(SOMEBODY)
        assert (nothing.code, nothing.output, nothing.errors) == (0, "Mail queue is empty\n", "")


def test_J10_J15_the_listing_names_what_is_known_of_a_message_and_a_flush_has_it_tried(
    installation: Submission,
) -> None:
    with installation.up():
        submit(installation, JOE, "of-joe")
        relay(installation, "of-nobody")
        wait_until(lambda: installation.books().ready == 2, "both to wait")
        wait_until(lambda: "(" in list_as(JOE).output, "the reason")
        head, first, reason, recipient, blank, total = list_as(JOE).output.splitlines()
        queue_id, size, *moment, sender = first.split()
        assert head.startswith("----Queue ID----- --Size--")
        assert queue_id in installation.output()
        assert int(size) > len(CONTENT)
        assert len(moment) == 4
        assert (sender, recipient.strip(), blank) == ("me@here.example", "of-joe@far.example", "")
        assert reason.startswith("(4")
        assert total == "-- 1 Kbytes in 1 Request."
        assert list_as(0).output.endswith("in 2 Requests.\n")
        tried = attempts(installation)
        assert run_as(JOE, lambda words: sendmail.run(words, os.environ), "-q").code == 0
        wait_until(lambda: attempts(installation)["of-joe"] > tried["of-joe"], "another attempt")
        assert "flushed user='uid 65502' recipients=1" in installation.output()


def test_J15_a_real_mailq_lists_more_than_a_page_once_each(installation: Submission) -> None:
    many = tuple(Recipient(Mailbox(f"r{number}", "far.example")) for number in range(450))
    envelope = Envelope(Mailbox("me", "here.example"), many, CLIENT)
    act_as(JOE, lambda: drop_message(installation.folder / "data" / "drop", envelope, [CONTENT]))
    with installation.up():
        wait_until(lambda: installation.books().ready == 450, "all to wait")
        done = subprocess.run([program_path("mailq"), "--json"], capture_output=True, text=True, check=True)
        (message,) = map(json.loads, done.stdout.splitlines())
        assert [one["address"] for one in message["recipients"]] == [str(one.address) for one in many]
        assert len(recipients(list_as(JOE, "--json"))) == 450


def test_J15_without_smtppd_mailq_says_so_and_that_nothing_is_lost(installation: Submission) -> None:
    ran = list_as(JOE)
    assert (ran.code, ran.output) == (Exit.LATER, "")
    assert ran.errors.startswith("mailq: smtppd is not running; nothing that waits is lost")


def test_J12_a_list_that_cannot_be_written_is_told_and_one_that_nobody_reads_is_not(
    installation: Submission,
) -> None:
    def list_into(output: IO[str]) -> tuple[int, str]:
        done = subprocess.run(
            [program_path("mailq")], stdout=output, stderr=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, done.stderr

    leave(installation, JOE, "of-joe")
    with installation.up():
        with Path("/dev/full").open("w") as full:
            told = "mailq: the list cannot be written: No space left on device\n"
            assert list_into(full) == (Exit.IO, told)
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as broken:
            assert list_into(broken) == (Exit.IO, "")


def test_L3_two_sockets_are_open_to_users_and_no_other(installation: Submission) -> None:
    with installation.up():
        run = installation.folder / "data" / "run"
        found = {path.name: path.lstat().st_mode & 0o777 for path in run.iterdir()}
        shared = {name for name, mode in found.items() if mode & 0o077}
        assert shared == {"enquiries.sock", "submission.sock"}
        assert all(stat.S_ISSOCK((run / name).lstat().st_mode) and found[name] == 0o666 for name in shared)
        assert run.stat().st_mode & 0o777 == 0o711

        def pry() -> None:
            for name in ("control", "wake"):
                with pytest.raises(PermissionError):
                    list((run / name).iterdir())
                with pytest.raises(PermissionError), socket.socket(socket.AF_UNIX) as asker:
                    asker.connect(str(run / name / "smtppd.sock"))

        act_as(JOE, pry)


def besiege(address: Path, release: int) -> None:
    """Keep as many places as can be got, saying half of what was to be said, until released."""
    held: deque[socket.socket] = deque(maxlen=200)  # who falls out is closed
    while not select.select([release], [], [], 0.001)[0]:
        asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        with suppress(OSError):
            asker.connect(str(address))
            asker.send(b'{"command":')
            held.append(asker)


@contextmanager
def besieged(installation: Submission) -> Iterator[None]:
    """Let ann have a go at the socket for the length of the block."""
    address = installation.folder / "data" / "run" / "enquiries.sock"
    release, releasing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(releasing)
            act_as(ANN, lambda: besiege(address, release))
        finally:
            os._exit(0)
    os.close(release)
    try:
        yield
    finally:
        os.close(releasing)
        os.waitpid(child, 0)


def test_P6_a_user_who_keeps_asking_stalls_neither_mail_nor_the_next(installation: Submission) -> None:
    leave(installation, JOE, "of-joe")
    with installation.up():
        wait_until(lambda: installation.books().ready == 1, "it to wait")
        with besieged(installation):
            with Wire(installation.port) as wire:
                wire.open_transaction()
                wire.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
                assert wire.reply().startswith(b"250 ")
            installation.wait_for_deliveries(1)
            for _ in range(3):
                assert recipients(list_as(JOE, "--json")) == ["of-joe@far.example"]


def name_aliases(installation: Submission, text: str) -> Path:
    file = installation.folder / "aliases"
    file.write_text(text)
    text = installation.file.read_text()
    installation.file.write_text(text.replace("[post_office]", '[post_office]\naliases = "aliases"'))
    return file


def test_J15_a_bad_line_3_is_named_and_the_old_table_still_answers(installation: Submission) -> None:
    file = name_aliases(installation, "# who is who\nall: u\n")
    with installation.up():
        ran = run_as(0, newaliases.run)
        assert (ran.code, ran.output) == (0, f"{file}: 1 aliases in force\n")
        file.write_text("# who is who\nnew: u\nall: u,, |/bin/sh\n")
        bad = run_as(0, newaliases.run)
        assert (bad.code, bad.output) == (Exit.BAD_DATA, "")
        assert bad.errors.startswith(f"newaliases: {file}:3: ")
        with Wire(installation.port) as wire:
            wire.open_transaction(b"all@here.example")
            wire.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
            assert wire.reply().startswith(b"250 ")
        installation.wait_for_deliveries(1)


def test_J15_newaliases_is_the_operators(installation: Submission) -> None:
    file = name_aliases(installation, "all: u\n")
    file.chmod(0o644)
    with installation.up():
        ran = run_as(JOE, newaliases.run)
        assert (ran.code, ran.output) == (Exit.NOT_ALLOWED, "")
        assert ran.errors == "newaliases: smtppd may not be asked by this user\n"
    alone = run_as(0, newaliases.run)
    assert (alone.code, alone.errors) == (0, "")
    assert alone.output == f"{file}: 1 aliases; smtppd is not running, they are in force when it starts\n"
