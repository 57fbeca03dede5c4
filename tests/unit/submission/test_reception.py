"""One submitted message into the maildrop: completed, its body as it came, failures told once (B.2, D-4)."""

import asyncio
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperpath.accounts.secrets import NO_LIMITS, Limits
from paperpath.dkim.keyring import Keyring, Signer
from paperpath.dkim.keys import load_key, make_ed25519_key
from paperpath.intake.guest import Guest
from paperpath.intake.way_in import Stored
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Recipient, SenderParameters
from paperpath.mail.trace import Stamp
from paperpath.maildrop.content import read_content
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryContent, MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import NewMessage, Origin
from paperpath.submission.reception import SubmissionReception, Submitter
from tests.support.dkim import verify
from tests.unit.submission.example import ENVELOPE, JOE, RULES, WHOLE, Setting


class FailingMaildrop(MemoryMaildrop):
    """Fails when the message is accepted."""

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(StorageError("disk", no_space=True))
        return future


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_B11_ten_thousand_messages_at_once_have_as_many_ids(setting: Setting) -> None:
    """In one moment, by four workers; a valid id stays."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    header = b"From: joe@here.example\r\n\r\n"

    async def run() -> list[str]:
        store = MemoryStore()
        drops = [MemoryMaildrop(store) for _ in range(4)]
        ids, stored = [], []
        for number in range(10_000):
            site = replace(setting.site, maildrop=drops[number % 4])
            stamp = Stamp("mx.here.example", site.maildrop.new_queue_id(1), now)
            reception = SubmissionReception(site, setting.envelope, stamp, setting.submitter)
            reception.add(header)
            done: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
            reception.store(done.set_result)
            stored.append(done)
            ids.append(reception.message_id)
        assert all(one.reply.is_positive for one in await asyncio.gather(*stored))
        return ids

    ids = asyncio.run(run())
    assert len(set(ids)) == 10_000
    assert all(re.fullmatch(r"<\w+@mx\.here\.example>", one) for one in ids)


def test_B28_our_trace_comes_first_then_what_needs_no_repair_octet_for_octet(setting: Setting) -> None:
    said: list[SubmissionReception] = []
    message = WHOLE + b"\r\nx \t\r\n.\r\n"
    assert setting.receive(message, then=said.append).startswith("250 2.0.0 ")
    claim = setting.claim()
    trace, _, rest = read_content(claim.message.content).partition(b"From: ")
    assert re.fullmatch(
        rb"Received: from c \(\[192\.0\.2\.1\]\)\r\n by mx\.here\.example with ESMTPSA id \w+\r\n tls TLS_X;"
        rb"\r\n Sun, 22 Nov 2026 00:00:00 \+0000\r\n",
        trace,
    )
    assert b"From: " + rest == message
    assert claim.message.origin is Origin.SUBMISSION
    assert said[0].changes == ()
    assert said[0].message_id == "<1@here.example>"


def _give_key(setting: Setting, domain: str = "here.example") -> dict[str, str]:
    """Have authors of a domain signed; return the records."""
    key = load_key(make_ed25519_key().encode())
    setting.site = replace(setting.site, keyring=Keyring([Signer(domain, "s", key)]))
    return {f"s._domainkey.{domain}": key.record}


@pytest.mark.parametrize("body", [b"", b"\r\nhello \t you\r\n\r\n\r\n", b"\r\n" + b"long\r\n" * 100_000])
def test_I1_what_is_stored_is_signed(setting: Setting, body: bytes) -> None:
    records = _give_key(setting)
    header = b"DKIM-Signature: v=1; d=there.example\r\n" + WHOLE
    assert setting.receive(header, body).startswith("250 ")
    content = read_content(setting.claim().message.content)
    assert content.endswith(header + body)
    assert content.startswith(
        b"DKIM-Signature: v=1; a=ed25519-sha256;"
    )  # above the trace and other signatures
    assert content.index(b"Received:") < content.index(b"there.example")
    content = content.replace(b"DKIM-Signature: v=1; d=there", b"X-Signature: v=1; d=there")
    assert verify(content, records) == [True]


def test_I1_the_signature_is_of_the_form_that_goes_out(setting: Setting) -> None:
    """The header is completed, and a line that is too long is encoded."""
    records = _give_key(setting)
    assert setting.receive(b"From: joe\r\nSubject: \xc3\xbc\r\n\r\n" + b"x" * 5000 + b"\r\n").startswith(
        "250 "
    )
    content = read_content(setting.claim().message.content)
    assert b"quoted-printable" in content
    assert b"xxx=\r\n" in content
    assert verify(content, records) == [True]
    assert verify(b"From: evil@here.example\r\n" + content, records) == [False]


def test_I6_without_a_key_for_its_author_a_message_goes_unsigned(setting: Setting) -> None:
    _give_key(setting, "there.example")
    assert setting.receive(WHOLE + b"\r\nhello\r\n").startswith("250 ")
    assert b"DKIM-Signature" not in read_content(setting.claim().message.content)


def test_B26_where_no_empty_line_came_none_is_added(setting: Setting) -> None:
    assert setting.receive(WHOLE).startswith("250 ")
    assert read_content(setting.claim().message.content).endswith(b"\r\n" + WHOLE)


def test_B10_B11_B12_what_is_missing_is_added_and_told(setting: Setting) -> None:
    said: list[SubmissionReception] = []
    assert setting.receive(b"Subject: x\r\n\r\n", then=said.append).startswith("250 ")
    content = read_content(setting.claim().message.content)
    for field in (
        b"From: joe@here.example\r\n",
        b"Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n",
        b"Message-ID: <",
    ):
        assert b"\r\n" + field in content
    assert {"From added", "Date added", "Message-ID added"} <= set(said[0].changes)
    assert said[0].message_id.endswith("@mx.here.example>")


def test_a_long_body_passes_through_a_file_octet_for_octet(setting: Setting, tmp_path: Path) -> None:
    body = b"".join(b"%d\r\n" % number for number in range(200_000))
    message = WHOLE + b"\r\n" + body
    pieces = [message[begin : begin + 9999] for begin in range(0, len(message), 9999)]
    assert setting.receive(*pieces).startswith("250 ")
    assert read_content(setting.claim().message.content).endswith(b"\r\n\r\n" + body)
    assert list(tmp_path.iterdir()) == []


def test_B6_what_cannot_be_repaired_is_refused_with_the_field(setting: Setting) -> None:
    reply = setting.receive(WHOLE.replace(b"To: u@here.example", b"To: a@@b.example") + b"\r\n")
    assert re.match(r"554 5\.(6\.0|1\.3) .*\bTo\b", reply), reply
    assert setting.maildrop.read_books().accepted == 0


def test_A51_a_message_that_goes_in_circles_is_refused(setting: Setting) -> None:
    loop = b"Received: by a.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n" * 100
    assert setting.receive(loop + WHOLE + b"\r\n").startswith("554 5.4.6 ")


@pytest.mark.parametrize("body", [b"x\r\n", os.urandom(50_000).hex().encode() * 2], ids=["short", "long"])
def test_D4_a_failure_to_store_is_told_once(tmp_path: Path, body: bytes) -> None:
    setting = Setting(tmp_path, FailingMaildrop)
    message = WHOLE + b"\r\n" + b"\r\n".join(body[begin : begin + 70] for begin in range(0, len(body), 70))
    assert setting.receive(message).startswith("452 4.3.1 ")


def test_S3_what_is_on_its_way_in_is_bounded(setting: Setting) -> None:
    setting.budget.most_octets = 1000
    assert setting.receive(WHOLE, b"\r\n", b"x" * 2000).startswith("452 4.3.1 ")


@pytest.mark.parametrize(
    ("declared", "body", "kept"),
    [
        ("", "x", ""),
        ("", "ü", "8BITMIME"),
        ("7BIT", "ü", "8BITMIME"),
        ("8BITMIME", "ü", "8BITMIME"),
        ("8BITMIME", "x", ""),
        ("7BIT", "x", "7BIT"),
    ],
)
def test_the_message_goes_on_as_what_it_is(setting: Setting, declared: str, body: str, kept: str) -> None:
    setting.envelope = replace(ENVELOPE, parameters=SenderParameters(body=declared))
    assert setting.receive(WHOLE + f"\r\n{body}\r\n".encode()).startswith("250 ")
    assert setting.claim().message.parameters.body == kept


def test_X5_where_the_world_has_7_bits_the_body_is_encoded(setting: Setting) -> None:
    setting.site = replace(setting.site, rules=replace(RULES, encode_8bit=True))
    setting.envelope = replace(ENVELOPE, parameters=SenderParameters(body="8BITMIME"))
    assert setting.receive(WHOLE + "\r\nüber\r\n".encode()).startswith("250 ")
    message = setting.claim().message
    content = read_content(message.content)
    assert content.isascii()
    assert b"Content-Transfer-Encoding: quoted-printable" in content
    assert content.endswith(b"=C3=BCber\r\n")
    assert message.parameters.body == ""


def test_who_hides_clients_tells_nothing_of_them(setting: Setting) -> None:
    setting.site = replace(setting.site, hides_clients=True)
    assert setting.receive(WHOLE + b"\r\n").startswith("250 ")
    content = read_content(setting.claim().message.content)
    assert content.startswith(b"Received: by mx.here.example with ESMTPSA id ")
    assert b"192.0.2.1" not in content


def test_a_user_of_this_host_is_named_in_the_trace(setting: Setting) -> None:
    setting.submitter = Submitter(Guest("", uid=1000, login="joe"), lambda: NO_LIMITS, JOE)
    setting.envelope = replace(ENVELOPE, client=Client("", 0, "c", "ESMTP"))
    assert setting.receive(WHOLE + b"\r\n").startswith("250 ")
    content = read_content(setting.claim().message.content)
    assert content.startswith(
        b"Received: by mx.here.example (Paperpath, from user joe, uid 1000)\r\n with ESMTP id "
    )


def test_who_was_suspended_while_a_message_came_in_has_not_sent_it(setting: Setting) -> None:
    setting.submitter = replace(setting.submitter, find_limits=lambda: None)
    assert setting.receive(WHOLE, b"\r\nHi\r\n").startswith("550 5.7.13 ")
    assert setting.maildrop.read_books().accepted == 0


def test_the_limits_of_an_account_hold_for_its_user_on_this_host(setting: Setting) -> None:
    guest, limits = Guest("", uid=1000, login="joe"), Limits(messages_per_day=1)
    setting.submitter = Submitter(guest, lambda: limits, JOE)
    assert setting.receive(WHOLE, b"\r\nHi\r\n").startswith("250 ")
    assert setting.receive(WHOLE, b"\r\nHi\r\n").startswith("450 4.7.1 ")


def test_the_limits_of_an_account_are_kept(setting: Setting) -> None:
    setting.submitter = replace(setting.submitter, find_limits=lambda: Limits(messages_per_day=2))
    codes = [setting.receive(WHOLE + b"\r\n").split()[0] for _ in range(3)]
    assert codes == ["250", "250", "450"]
    setting.submitter = replace(setting.submitter, find_limits=lambda: Limits(new_recipients_per_day=1))
    setting.envelope = replace(
        ENVELOPE, recipients=tuple(Recipient(Mailbox(name, "new.example")) for name in ("a", "b"))
    )
    assert "new recipients" in setting.receive(WHOLE + b"\r\n")


def test_of_a_message_that_is_given_up_nothing_stays(setting: Setting, tmp_path: Path) -> None:
    stamp = Stamp("mx.here.example", setting.maildrop.new_queue_id(1), datetime(2026, 11, 22, tzinfo=UTC))
    reception = SubmissionReception(setting.site, ENVELOPE, stamp, setting.submitter)
    reception.add(WHOLE + b"\r\n" + b"x" * 100_000)
    assert setting.budget.taken > 100_000
    reception.discard()
    assert setting.budget.taken == 0
    assert isinstance(reception._content, MemoryContent)
    assert list(tmp_path.iterdir()) == []
