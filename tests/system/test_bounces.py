"""What cannot be delivered goes back, through all programs (A-43, E-16, E-17, F-5, F-11, H-3, H-4)."""

import email
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow

GOOD, GONE, SENDER, ADMIN = (f"{name}@here.example" for name in ("u", "gone", "joe", "admin"))


def accept(
    installation: Installation, sender: str, *recipients: str, content: bytes = b"Subject: x\r\n"
) -> None:
    """Have a message taken while nobody sorts or delivers."""
    with installation.start("smtprd"):
        wait_until(lambda: "ready" in installation.output(), "smtprd to be ready")
        with Wire(installation.port) as wire:
            wire.reply()
            wire.ask(b"EHLO client.example")
            wire.ask(f"MAIL FROM:<{sender}>".encode())
            for recipient in recipients:
                assert wire.ask(f"RCPT TO:<{recipient}>".encode()).startswith(b"250 ")
            wire.ask(b"DATA")
            wire.send(stuffed(content))
            assert wire.reply().startswith(b"250 ")


def remove(installation: Installation, *accounts: str) -> None:
    for account in accounts:
        installation.run("account", "remove", "--config", str(installation.file), account)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path, accounts=(GOOD, GONE, SENDER, ADMIN))


def test_A43_E17_one_good_and_one_bad_are_one_delivery_and_one_report(installation: Installation) -> None:
    accept(installation, SENDER, GOOD, GONE)
    remove(installation, GONE)
    with installation.up():
        installation.wait_for_deliveries(1, GOOD)
        (file,) = installation.wait_for_deliveries(1, SENDER)
        wait_until(lambda: installation.books().open == 0, "nothing to be open")
    report = email.message_from_bytes(file.read_bytes())
    assert report["Return-Path"] == "<>"
    assert report.get_content_type() == "multipart/report"
    assert "Final-Recipient: rfc822; gone@here.example" in report.as_string()
    assert GOOD not in report.as_string()
    books = installation.books()
    assert (books.accepted, books.delivered, books.failed, books.reported) == (2, 2, 1, 1)
    assert books.balance


def test_H3_H4_a_report_that_cannot_be_delivered_goes_to_the_postmaster(installation: Installation) -> None:
    accept(installation, SENDER, GONE)
    remove(installation, GONE, SENDER)
    with installation.up():
        (file,) = installation.wait_for_deliveries(1, ADMIN)
        wait_until(lambda: installation.books().open == 0, "nothing to be open")
    assert b"You get this as the" in file.read_bytes()
    assert installation.books().reported == 2
    assert installation.books().balance


def test_E16_mail_in_a_circle_goes_back_once(installation: Installation) -> None:
    accept(installation, SENDER, GOOD, content=b"Delivered-To: u@here.example\r\nSubject: x\r\n")
    with installation.up():
        (file,) = installation.wait_for_deliveries(1, SENDER)
        wait_until(lambda: installation.books().open == 0, "nothing to be open")
    assert b"Status: 5.4.6\n" in file.read_bytes()
    assert b"message/rfc822" in file.read_bytes()
    assert installation.delivered(GOOD) == []


def test_F5_F11_mail_waits_for_a_folder_that_is_missing(installation: Installation) -> None:
    folder = installation.mailboxes / "here.example" / "u"
    folder.rename(folder.with_name("away"))
    accept(installation, SENDER, GOOD)
    with installation.up():
        wait_until(lambda: "450 4.2.0" in installation.output(), "the delivery to be deferred")
    assert installation.books().open == 1
    folder.with_name("away").rename(folder)
    with closing(sqlite3.connect(installation.folder / "data/maildrop/queue.db")) as database:
        database.execute("UPDATE recipient SET due_us = 0")
        database.commit()
    with installation.up():
        installation.wait_for_deliveries(1, GOOD)
    assert installation.delivered(SENDER) == []


def test_X9_H7_what_cannot_be_delivered_in_time_goes_back_with_the_last_reply(
    installation: Installation,
) -> None:
    folder = installation.mailboxes / "here.example" / "u"
    folder.rename(folder.with_name("away"))
    installation.file.write_text(installation.file.read_text() + "\n[delivery]\ngive_up_after_s = 0.001\n")
    accept(installation, SENDER, GOOD)
    with installation.up():
        (file,) = installation.wait_for_deliveries(1, SENDER)
    assert b"Status: 5.4.7\nDiagnostic-Code: x-paperpath; 450 4.2.0 " in file.read_bytes()


def test_P1_P2_a_message_whose_content_changed_is_set_aside_and_the_rest_flows(
    installation: Installation,
) -> None:
    accept(installation, SENDER, GOOD, content=b"Subject: damaged\r\n")
    with closing(sqlite3.connect(installation.folder / "data/maildrop/queue.db")) as database:
        database.execute("UPDATE message SET digest = zeroblob(32)")
        database.commit()
    accept(installation, SENDER, GOOD, content=b"Subject: whole\r\n")
    with installation.up():
        (file,) = installation.wait_for_deliveries(1, GOOD)
        (notice,) = installation.wait_for_deliveries(1, ADMIN)
        wait_until(lambda: installation.books().open == 1, "one to be open")
    assert b"Subject: whole" in file.read_bytes()
    assert b"its digest differs" in b" ".join(notice.read_bytes().split())
    assert installation.books().held == 1
    assert installation.books().balance
    assert installation.delivered(SENDER) == []
