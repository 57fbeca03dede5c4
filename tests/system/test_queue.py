"""`paperpath queue` on a real installation, programs up and down: the books balance after each deed (P2)."""

import asyncio
import json
import os
import re
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.maildrop.sqlite.engine import Worker, open_sqlite
from paperpath.maildrop.values import NewMessage
from tests.support.installation import Installation, program_path, wait_until
from tests.support.wire import Wire

pytestmark = pytest.mark.slow
AWAY = "backup.example"  # its mail waits for remote delivery, which is not there yet
MOST_MORE_KIB = 8 * 1024


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path, accounts=("u@here.example",))


def queue(installation: Installation, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program_path("paperpath"), "queue", name, "--config", str(installation.file), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def rows(installation: Installation, *filters: str) -> list[dict[str, Any]]:
    result = queue(installation, "list", "--json", *filters)
    assert result.returncode in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def deed(installation: Installation, *arguments: str) -> str:
    """Do a deed that changes something; the books balance before and after."""
    result = queue(installation, *arguments)
    assert result.returncode == 0, result.stderr
    assert installation.books().balance
    return result.stdout


def send(installation: Installation, *names: str) -> None:
    with smtplib.SMTP("127.0.0.1", installation.port) as client:
        client.sendmail("u@here.example", [f"{name}@{AWAY}" for name in names], "Subject: x\r\n\r\nHi\r\n")


def wait_for_state(installation: Installation, name: str, **wanted: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = rows(installation, "--recipient", f"{name}@{AWAY}")
        return bool(found) and all(found[0][key] == value for key, value in wanted.items())

    wait_until(is_there, f"{name} to be {wanted}")
    return found[0]


def test_P2_each_deed_on_a_live_system(installation: Installation) -> None:
    with installation.up():
        send(installation, "hold", "drop", "return", "else", "refuse")
        wait_for_state(installation, "refuse", state="ready")
        assert {row["state"] for row in rows(installation)} == {"ready"}
        assert deed(installation, "hold", "--recipient", f"hold@{AWAY}") == "1 recipient held\n"
        held = wait_for_state(installation, "hold", state="held", last_reply="held by the operator")
        assert deed(installation, "release", held["queue_id"]).startswith("1 recipient released")
        wait_for_state(installation, "hold", state="ready")
        assert deed(installation, "retry", "--domain", AWAY) == "5 recipients made due\n"

        deed(installation, "reroute", "smtp://192.0.2.1:25", "--recipient", f"else@{AWAY}")
        wait_for_state(installation, "else", state="ready", destination="smtp://192.0.2.1:25")
        deed(installation, "reroute", "routes", "--recipient", f"else@{AWAY}")
        wait_for_state(installation, "else", state="ready", destination=AWAY)

        deed(installation, "remove", "--recipient", f"drop@{AWAY}")
        deed(installation, "bounce", "--recipient", f"return@{AWAY}", "--reply", "5.1.2 It has closed")
        (report,) = installation.wait_for_deliveries(1)
        assert b"Final-Recipient: rfc822; return@backup.example" in report.read_bytes()
        assert b"550 5.1.2 It has closed" in report.read_bytes()

        deed(installation, "reroute", "refuse", "--recipient", f"refuse@{AWAY}")
        wait_until(lambda: len(rows(installation)) == 2, "what was refused to be gone")
        books = installation.books()
        assert (books.accepted, books.removed, books.open, books.balance) == (5, 1, 2, True)
        assert deed(installation, "remove", "--all") == "2 recipients removed\n"
        told = installation.run("why", "--config", str(installation.file), held["queue_id"])
        assert "operator " in told
        assert ": hold hold@backup.example: 'held by the operator'\n" in told
        assert ": reroute else@backup.example: smtp://192.0.2.1:25\n" in told
        assert " failed return@backup.example: '550 5.1.2 It has closed'\n" in told
        report_id = re.search(rf" report (\w+) made for u@here.example, about return@{AWAY}\n", told)
        assert report_id is not None
        about_report = installation.run("why", "--config", str(installation.file), report_id[1])
        assert "delivered u@here.example into here.example/u, attempt 1" in about_report
        assert queue(installation, "list").returncode == 1


def test_deeds_with_nothing_running_are_found_when_it_runs(installation: Installation) -> None:
    with installation.start("smtprd"):
        wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
        send(installation, "a", "b")
    assert [row["state"] for row in rows(installation)] == ["unsorted"] * 2
    deed(installation, "hold", "--recipient", f"a@{AWAY}")
    deed(installation, "reroute", "smtp://127.0.0.1:24", "--recipient", f"b@{AWAY}")
    with installation.up():
        wait_for_state(installation, "b", state="ready", destination="smtp://127.0.0.1:24")
        assert wait_for_state(installation, "a", state="held")["attempts"] == 0


def test_S6_hostile_addresses_and_content_do_not_reach_the_terminal(installation: Installation) -> None:
    hostile = [b'"a \\"b\\" \\\\c"', '"x\u202ey"'.encode(), "jörg\u2066".encode(), b'"<b>"']
    with installation.start("smtprd"):
        wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
        with Wire(installation.port) as wire:
            wire.reply()
            assert wire.ask(b"EHLO client.example").startswith(b"250")
            assert wire.ask(b"MAIL FROM:<\xe2\x80\xaeevil@else.example> SMTPUTF8").startswith(b"250")
            for local in hostile:
                assert wire.ask(b"RCPT TO:<" + local + b"@backup.example>").startswith(b"250"), local
            assert wire.ask(b"DATA").startswith(b"354")
            assert wire.ask(b"Subject: \x1b]0;pwned\x07\r\n\r\n\x1b[2J\x9b\r\n.").startswith(b"250")
    found = rows(installation)
    assert len(found) == len(hostile)
    queue_id = found[0]["queue_id"]
    for arguments in (("list",), ("list", "--json"), ("show", queue_id, "--content"), ("summary",)):
        output = queue(installation, *arguments).stdout
        assert output
        assert all(line.isascii() and line.isprintable() for line in output.split("\n")), arguments
    assert deed(installation, "hold", "--recipient", found[1]["address"]) == "1 recipient held\n"
    raw = subprocess.run(
        [
            *(program_path("paperpath"), "queue", "show", queue_id, "--content", "--raw"),
            *("--config", str(installation.file)),
        ],
        check=True,
        capture_output=True,
    ).stdout
    assert raw.endswith(b"Subject: \x1b]0;pwned\x07\r\n\r\n\x1b[2J\x9b\r\n")


def fill(folder: Path, messages: int, recipients: int) -> None:
    """Put messages into the maildrop, without a program."""

    async def put() -> None:
        maildrop = await open_sqlite(folder, Worker("test", 1), lambda stage: None)
        for number in range(messages):
            queue_id = maildrop.new_queue_id(1_700_000_000_000_000)
            writer = maildrop.new_content(queue_id)
            writer.write(b"Subject: x\r\n\r\nHi\r\n")
            addresses = tuple(
                Recipient(Mailbox(f"u{number}.{one}", "backup.example")) for one in range(recipients)
            )
            client = Client("192.0.2.1", 1, "client.example", "ESMTP")
            envelope = Envelope(Mailbox("u", "here.example"), addresses, client)
            await maildrop.accept(
                NewMessage(queue_id, envelope, await writer.finish(), 1_700_000_000_000_000)
            )
        await maildrop.close()

    asyncio.run(put())


def peak_kib(installation: Installation, *arguments: str) -> tuple[int, int]:
    """Run a command; return how many lines it printed, and the most memory that it had."""
    output = installation.folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [program_path("paperpath"), "queue", *arguments, "--config", str(installation.file)], stdout=file
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return output.read_bytes().count(b"\n"), usage.ru_maxrss


@pytest.fixture
def crowded(installation: Installation) -> Iterator[Installation]:
    fill(installation.folder / "data" / "maildrop", 20, 1000)
    yield installation
    assert installation.books().balance


def test_P6_twenty_thousand_recipients_are_listed_in_the_memory_of_a_page(crowded: Installation) -> None:
    few, little = peak_kib(crowded, "list", "--limit", "500")
    lines, much = peak_kib(crowded, "list")
    assert (few, lines) == (1 + 1 + 500 + 1, 1 + 20 + 20_000 + 1)
    assert much - little < MOST_MORE_KIB
    lines, much = peak_kib(crowded, "list", "--json")
    assert lines == 20_000
    assert much - little < MOST_MORE_KIB


def test_P2_deeds_on_twenty_thousand_recipients(crowded: Installation) -> None:
    assert deed(crowded, "hold", "--sender", "u@here.example") == "20000 recipients held\n"
    assert deed(crowded, "release", "--all", "--limit", "12345") == "12345 recipients released\n"
    assert crowded.books().held == 20_000 - 12_345
    assert deed(crowded, "bounce", "--state", "held", "--limit", "1500") == "1500 recipients bounced\n"
    books = crowded.books()
    assert (books.failed, books.open - books.reported) == (1500, 18_500)
    deed(crowded, "remove", "--domain", "BACKUP.example")
    assert crowded.books().removed == 18_500
