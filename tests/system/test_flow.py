"""Mail flows through all programs while rules change, wake-ups are lost, programs die and start anew.

What of sorting and durability takes the whole system to prove: D-10, D-12, D-14, D-16, E-7, E-9 to E-11,
E-18 and E-19.
"""

import hashlib
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.installation import Installation, Process, program_path, wait_until
from tests.support.strace import traced
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow
FAR = "far@backup.example"
LARGE = b"Subject: large\r\n\r\n" + b"x\r\n" * 30_000


def with_aliases(installation: Installation, aliases: str) -> None:
    """Configure aliases, from now on or anew."""
    text = installation.file.read_text(encoding="utf-8")
    if 'aliases = "aliases"' not in text:
        text = text.replace("[post_office]", '[post_office]\naliases = "aliases"')
        installation.file.write_text(text, encoding="utf-8")
    new = installation.file.with_name("aliases.new")
    new.write_text(aliases, encoding="utf-8")
    new.replace(installation.file.with_name("aliases"))


def send(
    installation: Installation,
    *recipients: str,
    content: bytes = b"Subject: x\r\n",
    sender: str = "sender@else.example",
) -> str:
    """Send one message; return its queue id."""
    with Wire(installation.port) as wire:
        wire.reply()
        wire.ask(b"EHLO client.example")
        wire.ask(f"MAIL FROM:<{sender}>".encode())
        for recipient in recipients:
            reply = wire.ask(f"RCPT TO:<{recipient}>".encode())
            assert reply.startswith(b"250 "), reply
        wire.ask(b"DATA")
        wire.send(stuffed(content))
        reply = wire.reply()
        assert reply.startswith(b"250 "), reply
        return reply.split()[-1].decode()


def open_addresses(installation: Installation) -> list[str]:
    """Return the address of every recipient that is open."""
    with closing(sqlite3.connect(installation.folder / "data/maildrop/queue.db")) as database:
        rows = database.execute("SELECT address FROM recipient WHERE state <> 'settled' ORDER BY address")
        return [address for (address,) in rows]


def content_files(installation: Installation) -> list[Path]:
    content = installation.folder / "data" / "maildrop" / "content"
    return [entry for entry in content.rglob("*") if entry.is_file()]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "site")


@pytest.fixture
def running(installation: Installation) -> Iterator[Process]:
    with_aliases(installation, "none: u\n")
    with installation.up() as process:
        yield process


def test_E18_a_thousand_messages_flow_while_routes_and_aliases_change(
    installation: Installation, running: Process
) -> None:
    """A domain is local by turns, an alias comes: each message comes once, and each copy is made once."""
    accounts = ("u@here.example", "joe@here.example", FAR)
    installation.run("account", "add", "--config", str(installation.file), FAR)
    remote = installation.file.read_text(encoding="utf-8")
    local = remote + '\n[[post_office.route]]\ndomain = "backup.example"\nvia = "local"\n'
    with Wire(installation.port) as wire:
        wire.reply()
        wire.ask(b"EHLO client.example")
        for number in range(1000):
            if number % 100 == 50:
                with_aliases(installation, f"joe: joe, copy@else.example\nnone{number}: u\n")
                installation.file.write_text(local if number % 200 == 150 else remote, encoding="utf-8")
                installation.run("reload", "--config", str(installation.file))
            wire.send(b"MAIL FROM:<a@b.example>\r\n")
            wire.send("".join(f"RCPT TO:<{account}>\r\n" for account in accounts).encode() + b"DATA\r\n")
            assert [wire.reply()[:3] for _ in range(5)] == [b"250"] * 4 + [b"354"]
            wire.send(stuffed(b"Subject: %d\r\n" % number))
            assert wire.reply().startswith(b"250 ")
    for account in accounts:  # the domain is local in the end
        files = installation.wait_for_deliveries(1000, account)
        subjects = [re.findall(rb"^Subject: (\d+)$", file.read_bytes(), re.MULTILINE) for file in files]
        assert sorted(int(subject) for (subject,) in subjects) == list(range(1000))
    wait_until(lambda: installation.books().open == installation.books().ready, "all else to wait")
    waiting, books = open_addresses(installation), installation.books()
    assert set(waiting) == {"copy@else.example"}
    assert len(waiting) == books.made - books.expanded
    assert 950 <= len(waiting) <= 1000  # of the first 50, what was delivered before the alias came had none
    assert (books.accepted, books.delivered, books.failed, books.balance) == (3000, 3000, 0, True)
    assert installation.output().count("new routing rules are in force") > 10


def test_up_says_what_is_wrong_with_the_aliases_once_and_starts_nothing(installation: Installation) -> None:
    with_aliases(installation, "joe: |prog\nnonsense\n")
    command = [program_path("paperpath"), "up", "--config", str(installation.file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == os.EX_CONFIG
    places = [line.partition(": ")[0] for line in done.stderr.splitlines()]
    assert places == [f"{installation.file.with_name('aliases')}:{line}" for line in (1, 2)]


def test_E3_what_is_accepted_and_has_no_route_is_warned_of_at_the_start_and_at_a_reload(
    installation: Installation,
) -> None:
    def said(domain: str) -> str:
        return f'warning doubtful configuration doubt=\'relay.domains: no route matches all of "{domain}"'

    text = installation.file.read_text(encoding="utf-8").replace('"*"', '"other.example"')
    installation.file.write_text(text, encoding="utf-8")
    with installation.up():
        assert installation.output().count(said("backup.example")) == 1
        more = text.replace("domains = [", 'domains = ["orphan.example", ')
        installation.file.write_text(more, encoding="utf-8")
        assert said("orphan.example") not in installation.output()
        installation.run("reload", "--config", str(installation.file))
        assert said("orphan.example") in installation.output()


def test_E7_E9_E10_E11_an_alias_gives_everybody_one_copy_with_the_senders_return_path(
    installation: Installation, running: Process
) -> None:
    """The sender is on it and gets a copy, joe is named three times and gets one, loops fail alone."""
    with_aliases(installation, "all: joe, joe, Joe+x@here.example, loop, u\nloop: pool\npool: loop\n")
    send(installation, "all@here.example", sender="u@here.example")
    (copy,) = installation.wait_for_deliveries(1, "joe@here.example")
    assert copy.read_bytes().startswith(b"Return-Path: <u@here.example>\nDelivered-To: joe@here.example\n")
    wait_until(lambda: installation.books().open == 0, "nothing to be open")
    report, own = sorted(file.read_bytes() for file in installation.wait_for_deliveries(2))
    assert own.startswith(b"Return-Path: <u@here.example>\n")
    assert b"Status: 5.4.6\n" in report
    assert len(installation.delivered("joe@here.example")) == 1
    assert len(installation.delivered("Joe@here.example")) == 1
    assert (installation.books().failed, installation.books().balance) == (1, True)


def test_D10_P8_without_any_wakeup_mail_is_found_within_the_scan_interval(
    installation: Installation, running: Process
) -> None:
    send(installation, "u@here.example")
    installation.wait_for_deliveries(1)
    for name in ("smtppd", "smtpld"):
        (installation.folder / "data" / "run" / "wake" / f"{name}.wake").unlink()
    send(installation, "u@here.example")
    began_s = time.monotonic()
    installation.wait_for_deliveries(2)
    assert time.monotonic() - began_s < 8  # two programs look, every 2 s and 1 s, on a busy machine


def test_D14_content_stays_while_a_recipient_waits_for_another_host(
    installation: Installation, running: Process
) -> None:
    queue_id = send(installation, "u@here.example", FAR, content=LARGE)
    installation.wait_for_deliveries(1)
    wait_until(lambda: installation.books().delivered == 1, "the local one to be settled")
    (file,) = content_files(installation)
    assert file.read_bytes().endswith(LARGE)
    installation.run("queue", "remove", "--config", str(installation.file), queue_id)
    wait_until(lambda: not content_files(installation), "the file to go with the last recipient")
    assert installation.books().balance


@pytest.mark.interop
def test_E19_no_content_is_opened_on_the_way_to_another_host(
    installation: Installation, running: Process, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    with traced(installation.pid("smtppd"), trace, "-e", "trace=open,openat,openat2"):
        send(installation, FAR, content=LARGE)
        wait_until(lambda: installation.books().ready == 1, "the recipient to be sorted")
    assert "/maildrop/content/" not in trace.read_text()
    assert content_files(installation)


def test_D12_P4_each_of_100_recipients_gets_one_copy_though_the_delivery_is_killed_again_and_again(
    tmp_path: Path,
) -> None:
    accounts = tuple(f"u{number}@here.example" for number in range(100))
    installation = Installation(tmp_path, accounts=())
    lines = []
    for account in accounts:  # one command for each would take a minute
        local, _, domain = account.partition("@")
        folder = installation.mailboxes / domain / local
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(mode=0o700, parents=True)
        lines.append(f"{account}\t{domain}/{local}\n")
    (installation.folder / "data" / "accounts").write_text("".join(lines), encoding="utf-8")
    with installation.up():
        for number in range(4):
            send(installation, *accounts, content=b"Subject: %d\r\n\r\n" % number + LARGE)
            installation.kill("smtpld")
        wait_until(lambda: installation.books().open == 0, "the queue to drain", 60)
    subjects = [b"Subject: %d" % number for number in range(4)]
    for account in accounts:
        found = [
            re.findall(rb"^Subject: \d$", file.read_bytes(), re.M) for file in installation.delivered(account)
        ]
        assert sorted(subject for (subject,) in found) == subjects
    assert (installation.books().delivered, installation.books().balance) == (400, True)


@pytest.mark.timeout(300)
def test_D16_a_hundred_thousand_queued_messages_keep_nobody_from_starting(tmp_path: Path) -> None:
    """They are copies of one that was accepted, row by row: accepting so many takes too long here."""
    installation = Installation(tmp_path)
    database = installation.folder / "data" / "maildrop" / "queue.db"
    with installation.up():
        send(installation, FAR)
        wait_until(lambda: installation.books().ready == 1, "the recipient to be sorted")
    with closing(sqlite3.connect(database)) as connection:
        multiply(connection, 100_000)
        before = digest_of(connection)
    with installation.start("smtprd"):
        began_s = time.monotonic()
        wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
        send(installation, "u@here.example")
        assert time.monotonic() - began_s < 5
    with installation.up():
        installation.wait_for_deliveries(1)
        wait_until(lambda: installation.books().delivered == 1, "it to be settled")
    with closing(sqlite3.connect(database)) as connection:
        assert digest_of(connection) == before
    assert installation.books().balance


def multiply(connection: sqlite3.Connection, count: int) -> None:
    """Make many messages of the first: as many rows in each table, and the books with them."""
    for table, changed in (
        ("message", {"id": "n", "queue_id": "queue_id || n"}),
        ("content", {"message_id": "n"}),
        ("recipient", {"id": "n", "message_id": "n"}),
    ):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        chosen = ", ".join(changed.get(column, column) for column in columns)
        connection.execute(
            "WITH RECURSIVE more (n) AS (VALUES (2) UNION ALL SELECT n + 1 FROM more WHERE n < ?)"
            f" INSERT INTO {table} SELECT {chosen} FROM {table}, more",
            (count,),
        )
    connection.execute("UPDATE meta SET messages = :n, recipients = :n, accepted = :n", {"n": count})
    connection.commit()


def digest_of(connection: sqlite3.Connection) -> str:
    """Tell whether anything of what waits was written anew."""
    digest = hashlib.sha256()
    tables = (
        "SELECT * FROM message WHERE id <= 100000 ORDER BY id",
        "SELECT * FROM recipient WHERE message_id <= 100000 ORDER BY id",
        "SELECT * FROM content WHERE message_id <= 100000 ORDER BY message_id",
    )
    for table in tables:
        for row in connection.execute(table):
            digest.update(repr(row).encode())
    return digest.hexdigest()
