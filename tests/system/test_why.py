"""What the journal tells of mail that went through all programs (P9)."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.installation import Installation, program_path, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="


def why(installation: Installation, what: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [program_path("paperpath"), "why", "--config", str(installation.file), *options, what]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_P9_the_whole_story_of_a_message_from_connection_to_folder(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up():
        with Wire(installation.port) as wire:
            wire.reply()
            assert wire.ask(b"EHLO client.example\r\nAUTH PLAIN " + SECRET.encode())[:3] == b"250"
            assert wire.reply()[:3] == b"502"
            assert wire.ask(b"MAIL FROM:<ann@ELSE.example>")[:3] == b"250"
            assert wire.ask(b"RCPT TO:<nobody\x1b[31m@here.example>")[:3] == b"501"
            assert wire.ask(b"RCPT TO:<nobody@here.example>")[:3] == b"550"
            assert wire.ask(b"RCPT TO:<Joe@Here.example>")[:3] == b"250"
            assert wire.ask(b"DATA")[:3] == b"354"
            wire.send(stuffed(b"Message-ID: <1@else.example>\r\n\r\n" + SECRET.encode() + b"\r\n"))
            queue_id = wire.reply().split()[-1].decode()
            assert wire.ask(b"MAIL FROM:<ann@else.example>")[:3] == b"250"
        installation.wait_for_deliveries(1, "Joe@here.example")
        wait_until(lambda: "delivered" in why(installation, queue_id).stdout, "the delivery to be told")
    # No program runs any more.
    by_id = why(installation, queue_id)
    assert by_id.returncode == 0
    heading, *lines = by_id.stdout.splitlines()
    assert heading == f"{queue_id}, from ann@else.example, Message-ID <1@else.example>"
    told = [re.sub(r"^  \S+Z ", "", line) for line in lines]
    origin = "127.0.0.1 (client.example)"
    assert [re.sub(r"\d+ octets from ann", "N octets from ann", line) for line in told] == [
        f"smtprd refused AUTH ({len(SECRET) + 11} octets) from {origin}:"
        " '502 5.5.1 This command is not implemented'",
        rf"smtprd refused RCPT 'TO:<nobody\x1b[31m@here.example>' from {origin}:"
        " '501 5.1.3 Bad recipient: the address has no domain'",
        f"smtprd refused RCPT TO:<nobody@here.example> from {origin}: '550 5.1.1 No such mailbox here'",
        "smtprd accepted N octets from ann@else.example for Joe@here.example, by relay"
        f" from {origin} with ESMTP",
        "smtppd sorted Joe@here.example: local to here.example,"
        " by 'route here.example: local; account Joe@here.example'",
        "smtpld delivered Joe@here.example into here.example/Joe, attempt 1: '250 2.1.5 Delivered'",
    ]
    assert [line[:30] for line in lines] == sorted(line[:30] for line in lines)
    for what in ("1@else.example", "<1@else.example>", "Joe@HERE.EXAMPLE", queue_id.lower()):
        assert why(installation, what).stdout == by_id.stdout
    rejected = why(installation, "nobody@here.example").stdout.splitlines()
    assert rejected[0].startswith("session ")
    assert len(rejected) == 2
    by_sender = why(installation, "ann@else.example").stdout.splitlines()
    assert by_sender[: len(lines) + 1] == [heading, *lines]
    assert "no message: the client left" in by_sender[-1]
    facts = [json.loads(line) for line in why(installation, queue_id, "--json").stdout.splitlines()]
    assert [fact["event"] for fact in facts] == ["refused"] * 3 + ["accepted", "sorted", "attempted"]
    assert why(installation, "someone@here.example").returncode == 1
    journal = installation.folder / "data" / "journal"
    assert journal.stat().st_mode & 0o777 == 0o700
    for file in journal.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        assert SECRET.encode() not in file.read_bytes()
    assert SECRET not in installation.output()
