"""The blocking driver of the client core: what it does where something fails half-way."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from paperpath.commands.submission_session import AwayError, Session, connect
from paperpath.config.endpoint import Endpoint
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient
from paperpath.smtp.transaction import Transaction
from tests.support.sendmail import Script, scripted


def make_transaction(recipients: int = 1) -> Transaction:
    return Transaction(
        None, [Recipient(Mailbox(f"r{number}", "x.example")) for number in range(recipients)], 9
    )


def read_content() -> Iterator[bytes]:
    yield b"S: x\r\n"


@contextmanager
def opened(replies: dict[str, str]) -> Iterator[tuple[Session, Script]]:
    with scripted(replies) as script:
        connection = connect((Endpoint("127.0.0.1", script.port),))
        with closing(Session(connection, "me.example")) as session:
            session.open()
            yield session, script


def test_J13_content_that_cannot_be_read_is_never_ended() -> None:
    def fail() -> Iterator[bytes]:
        yield b"S: x\r\n"
        raise OSError("the disk is broken")

    with opened({}) as (session, script), pytest.raises(OSError, match="broken"):
        session.submit(make_transaction(), fail)
    assert script.lines[-1] == "DATA"
    assert script.contents == []


def test_J13_a_reply_that_is_missing_makes_it_uncertain() -> None:
    with opened({".": ""}) as (session, script):
        (answer,) = session.submit(make_transaction(), read_content)
    assert answer.is_uncertain
    assert answer.reply.code == 451
    assert script.contents == [b"S: x\r\n"]


def test_neither_end_waits_for_the_other_when_both_have_much_to_say() -> None:
    """What is said to 40,000 recipients, and about them, fills the buffers of both directions."""
    count = 40_000
    recipients = [Recipient(Mailbox(f"r{number}{'x' * 200}", "x.example")) for number in range(count)]
    with opened({"RCPT": "250 2.1.5 " + "x" * 200}) as (session, script):
        answers = session.submit(Transaction(None, recipients, 9), read_content)
    assert {answer.reply.code for answer in answers} == {250}
    assert len(answers) == count
    assert len(script.contents) == 1


def test_recipients_that_no_transaction_takes_are_for_later() -> None:
    with opened({"EHLO": "250-mx\r\n250 LIMITS RCPTDOMAINMAX=1"}) as (session, script):
        far = Recipient(Mailbox("far", "y.example"))
        transaction = Transaction(None, [*make_transaction().recipients, far], 9)
        near_answer, far_answer = session.submit(transaction, read_content)
    assert (near_answer.reply.code, far_answer.reply.code) == (250, 452)
    assert len(script.contents) == 1


def test_J13_a_server_that_gives_up_within_a_piece_is_heard() -> None:
    with opened({"content": "421 4.3.2 Ending"}) as (session, script):
        (answer,) = session.submit(make_transaction(), lambda: iter([b"0123456789\r\n" * 2_000_000]))
    assert answer.reply.code in (421, 451)  # where the connection is reset what was said may be lost
    assert script.contents == []


def test_J1_without_a_place_to_go_it_is_away() -> None:
    with pytest.raises(AwayError, match=r"no table \[submission\]"):
        connect(())
