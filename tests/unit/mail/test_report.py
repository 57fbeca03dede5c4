"""Reports (H-2, H-5, H-7, H-10 to H-18, H-20; attack S-6): read back by a parser that is not ours."""

import email
import email.policy
import quopri
import re
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.letter import Letter, Letterhead, Stamps
from paperpath.mail.notice import write_notice
from paperpath.mail.outcome import Failed
from paperpath.mail.quoted_printable import to_quoted_printable
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.report import FailedRecipient, Failure, failure_status, write_report
from paperpath.mail.returned import Original, returned_part

HEAD = Letterhead("mx.here.example", Mailbox("admin", "here.example"))
NOW = datetime(2026, 11, 22, 9, 5, 7, tzinfo=UTC)
STAMPS = Stamps("0RPT", NOW, "f00d")
SENDER = Mailbox("ann", "else.example")
GREEK = Mailbox("δοκιμή", "παράδειγμα.example")
NOBODY = Failed(make_reply(550, "5.1.1", "There is no such mailbox here"))
ORIGINAL = b"Received: x\r\nSubject: hello\r\n\r\nbody\r\n.\r\nFrom me\r\n"

mailboxes = st.builds(
    lambda local, domain: f"{local}@{domain}",
    st.one_of(
        st.text("abc.+=", min_size=1, max_size=20),
        st.text('ab "\\()<>,;:@é☃\u00a0', max_size=60).map(
            lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        ),
        st.just("é" * 128),
    ),
    st.sampled_from(["else.example", "bücher.example", "[IPv6:2001:db8::1]"]),
)


def legal_mailbox(text: str) -> Mailbox | None:
    try:
        return parse_mailbox(text)
    except AddressError:
        return None


legal_mailboxes = (
    mailboxes.map(legal_mailbox).filter(lambda found: found is not None).map(lambda m: cast("Mailbox", m))
)


def failure(
    *recipients: FailedRecipient,
    original: Original | None = None,
    sender: Mailbox | None = SENDER,
    envid: str = "",
) -> Failure:
    found = recipients or (FailedRecipient(Mailbox("joe", "here.example"), "", NOBODY),)
    return Failure("0ABC", NOW, sender, envid, original, found)


def whole(octets: bytes, ret: str = "") -> Original:
    return Original(octets, len(octets), ret)


def read(letter: Letter) -> EmailMessage:
    """Read a report as somebody else's program does; it must have nothing to complain of."""
    octets = letter.octets
    assert octets.count(b"\r\n") == octets.count(b"\r") == octets.count(b"\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert octets.isascii() or letter.international
    assert b"\0" not in octets
    message = email.message_from_bytes(octets, policy=email.policy.SMTPUTF8)
    assert message.defects == []
    return message


def blocks(letter: Letter) -> list[Message]:
    """Return the blocks of the part for programs, and hold the parser's view of them to the octets."""
    message = read(letter)
    raw = letter.octets.split(b"--" + str(message.get_boundary()).encode())[2]
    text = raw.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    found = [email.message_from_bytes(block) for block in text.split(b"\r\n\r\n")]
    part = message.get_payload(1)
    assert isinstance(part, Message)
    if part.get_content_type() == "message/delivery-status":
        seen = cast("list[Message]", part.get_payload())
        assert [block.keys() for block in seen if block.keys()] == [block.keys() for block in found]
    else:
        assert part.get_content_type() == "message/global-delivery-status"
    return found


def test_H10_H11_H12_H13_H14_the_whole_report_as_it_stands() -> None:
    recipient = FailedRecipient(Mailbox("Joe", "here.example"), "rfc822;Joe+2BX@here.example", NOBODY)
    letter = write_report(HEAD, STAMPS, SENDER, failure(recipient, original=whole(ORIGINAL), envid="a+2Bb"))
    assert letter.octets.decode() == "\r\n".join(
        [
            'From: "Mail system mx.here.example" <admin@here.example>',
            "To: <ann@else.example>",
            "Subject: Mail could not be delivered",
            "Date: Sun, 22 Nov 2026 09:05:07 +0000",
            "Message-ID: <0RPT@mx.here.example>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;",
            ' boundary="=_f00d.0"',
            "Content-Transfer-Encoding: 7bit",
            "",
            "--=_f00d.0",
            "Content-Type: text/plain; charset=us-ascii",
            "Content-Transfer-Encoding: 7bit",
            "",
            "This is the mail system of mx.here.example.",
            "",
            "The message of <ann@else.example> could not be delivered to the",
            "recipients below. Nothing is said here about others.",
            "",
            "  Joe@here.example",
            "    550 5.1.1 There is no such mailbox here",
            "",
            "The message came in on Sun, 22 Nov 2026 09:05:07 +0000 and was known",
            "here as 0ABC. It will not be tried again for these recipients. Below is",
            "the same for mail programs, then the message.",
            "",
            "--=_f00d.0",
            "Content-Type: message/delivery-status",
            "Content-Transfer-Encoding: 7bit",
            "",
            "Original-Envelope-Id: a+b",
            "Reporting-MTA: dns; mx.here.example",
            "Arrival-Date: Sun, 22 Nov 2026 09:05:07 +0000",
            "X-Paperpath-Queue-Id: 0ABC",
            "",
            "Original-Recipient: rfc822; Joe+X@here.example",
            "Final-Recipient: rfc822; Joe@here.example",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: x-paperpath; 550 5.1.1 There is no such mailbox here",
            "",
            "--=_f00d.0",
            "Content-Type: message/rfc822",
            "Content-Transfer-Encoding: 7bit",
            "",
            *ORIGINAL.decode().split("\r\n"),
            "--=_f00d.0--",
            "",
        ]
    )


def test_H5_several_recipients_have_a_block_each() -> None:
    recipients = [FailedRecipient(Mailbox(name, "here.example"), "", NOBODY) for name in ("a", "b", "c")]
    letter = write_report(HEAD, STAMPS, SENDER, failure(*recipients))
    assert [block["Final-Recipient"] for block in blocks(letter)[1:]] == [
        f"rfc822; {name}@here.example" for name in ("a", "b", "c")
    ]


def test_H7_H16_who_was_tried_for_long_enough_is_5_4_7_with_the_last_reply() -> None:
    given_up = Failed(make_reply(452, "4.3.1", "The disk is full"))
    recipient = FailedRecipient(Mailbox("joe", "here.example"), "", given_up)
    letter = write_report(HEAD, STAMPS, SENDER, failure(recipient))
    block = blocks(letter)[1]
    assert (block["Status"], block["Action"]) == ("5.4.7", "failed")
    assert block["Diagnostic-Code"] == "x-paperpath; 452 4.3.1 The disk is full"
    assert "as long as it may be" in str(read(letter).get_payload(0))


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(550, "", ("no",)), "5.0.0"),
        (make_reply(550, "4.2.0", "class differs"), "5.0.0"),
        (make_reply(550, "5.7.1234", "too long"), "5.0.0"),
        (make_reply(554, "5.4.6", "loop"), "5.4.6"),
        (make_reply(421, "", "closing"), "5.4.7"),
    ],
)
def test_H16_the_status_is_of_the_class_of_the_action(reply: Reply, status: str) -> None:
    assert failure_status(Failed(reply)) == status


def test_H15_replies_of_many_lines_and_with_controls_are_clean() -> None:
    reply = Reply(550, "5.7.1", ("one\r\nAction: delivered\r\n\r\nx", "two\x1b[2J é", "w" * 3000))
    recipient = FailedRecipient(Mailbox("joe", "here.example"), "", Failed(reply))
    (block,) = blocks(write_report(HEAD, STAMPS, SENDER, failure(recipient)))[1:]
    assert block["Action"] == "failed"
    assert "550-5.7.1 one??Action: delivered" in block["Diagnostic-Code"].replace("\r\n", "")


HDRS_ONLY = ("text/rfc822-headers", "7bit")


@pytest.mark.parametrize(
    ("original", "international", "kind"),
    [
        (whole(ORIGINAL), False, ("message/rfc822", "7bit")),
        (whole(ORIGINAL, "FULL"), False, ("message/rfc822", "7bit")),
        (whole(ORIGINAL, "HDRS"), False, HDRS_ONLY),
        (Original(ORIGINAL, 10**6, "FULL"), False, HDRS_ONLY),
        (whole("Subject: x\r\n\r\né\r\n".encode()), False, HDRS_ONLY),
        (whole("Subject: x\r\n\r\né\r\n".encode()), True, ("message/rfc822", "8bit")),
        (whole("Subject: é\r\n\r\nx\r\n".encode()), False, ("text/rfc822-headers", "quoted-printable")),
        (whole("Subject: é\r\n\r\nx\r\n".encode()), True, ("message/global", "8bit")),
        (whole("Subject: é\r\n\r\nx\r\n".encode(), "HDRS"), True, ("message/global-headers", "8bit")),
        (whole(b"Subject: \xe9\r\n\r\nx\r\n"), True, ("text/rfc822-headers", "quoted-printable")),
        (whole(b"Subject: x\r\n\r\nbare\nLF\r\n"), False, HDRS_ONLY),
        (whole(b"Subject: x\r\n\r\n\0\r\n"), False, HDRS_ONLY),
        (whole(b"Subject: x\r\n\r\n" + b"l" * 999 + b"\r\n"), False, HDRS_ONLY),
        (whole(b"Subject: " + b"l" * 999 + b"\r\n\r\n"), False, ("text/rfc822-headers", "quoted-printable")),
    ],
)
def test_H17_H18_H20_what_comes_back(original: Original, international: bool, kind: tuple[str, str]) -> None:
    part = returned_part(original, international=international)
    assert part is not None
    assert (part.kind, part.encoding) == kind


def test_H17_without_a_header_there_is_nothing_to_bring_back() -> None:
    assert returned_part(whole(b"\r\nbody\r\n", "HDRS"), international=False) is None
    assert returned_part(whole(b""), international=False) is not None


def test_H17_a_header_longer_than_what_was_read_ends_with_a_whole_line() -> None:
    part = returned_part(Original(b"A: 1\r\nB: 2\r\nC: 3", 10**6), international=False)
    assert part is not None
    assert part.octets == b"A: 1\r\nB: 2\r\n"


@given(octets=st.binary(max_size=400) | st.text("=\t \r\né.a", max_size=300).map(str.encode))
def test_quoted_printable_gives_back_what_there_was(octets: bytes) -> None:
    encoded = to_quoted_printable(octets)
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n") == octets.replace(b"\r\n", b"\n")
    assert all(len(line) <= 76 and line == line.rstrip(b" \t") for line in encoded.split(b"\r\n"))
    assert encoded.isascii()


@given(
    to=legal_mailboxes,
    accepted=st.lists(legal_mailboxes, min_size=1, max_size=3),
    orcpt=st.sampled_from(
        [
            "",
            "rfc822;a+0D+0AX@b",
            "utf-8;δ@b",
            "utf-8;\\x{3B4}\\x{A}@b",
            "utf-8;" + "δ" * 245,
            "utf-8;\\x{110000}",
        ]
    ),
    lines=st.lists(st.text(max_size=80), min_size=1, max_size=3),
    envid=st.sampled_from(["", "plain", "+0D+0AX-Evil:+201"]),
    octets=st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [b"--=_f00d.0", b"--=_f00d.1--", b"\r\n", b"Subject: x", b"\r\n\r\n", b"\xc3\xa9", b"\n"]
        ),
        max_size=12,
    ).map(b"".join),
)
def test_S6_H12_H20_any_report_is_a_legal_message(
    to: Mailbox,
    accepted: list[Mailbox],
    orcpt: str,
    lines: list[str],
    envid: str,
    octets: bytes,
) -> None:
    failed = Failed(Reply(550, "5.1.1", tuple(lines)))
    recipients = [FailedRecipient(mailbox, orcpt, failed) for mailbox in accepted]
    letter = write_report(
        HEAD,
        STAMPS,
        to,
        failure(*recipients, original=whole(octets), envid=envid),
    )
    message = read(letter)
    names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    assert message.keys() == [*names, "Content-Transfer-Encoding"]
    parts = cast("list[Message]", message.get_payload())
    assert len(parts) in (2, 3)
    text = parts[0].get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().count("\r\n    ") >= len(accepted)
    first, *others = blocks(letter)
    assert [key for key in first if key != "Original-Envelope-Id"] == [
        "Reporting-MTA",
        "Arrival-Date",
        "X-Paperpath-Queue-Id",
    ]
    assert len(others) == len(accepted)
    for block in others:
        assert [key for key in block if key != "Original-Recipient"] == [
            "Final-Recipient",
            "Action",
            "Status",
            "Diagnostic-Code",
        ]
        assert block["Action"] == "failed"
    if len(parts) == 3 and parts[2].get_content_type() == "message/rfc822":
        assert octets in letter.octets


def test_H11_no_content_holds_the_boundary() -> None:
    nested = write_report(HEAD, STAMPS, SENDER, failure(original=whole(ORIGINAL))).octets
    outer = read(write_report(HEAD, STAMPS, SENDER, failure(original=whole(nested))))
    assert outer.get_boundary() == "=_f00d.1"
    inner = outer.get_payload(2)
    assert isinstance(inner, Message)
    assert inner.get_payload(0).get_boundary() == "=_f00d.0"  # type: ignore[union-attr]


def test_H20_an_address_beyond_ascii_is_shown_as_the_way_back_allows() -> None:
    recipient = FailedRecipient(GREEK, "utf-8;\\x{3B4}@b.example", NOBODY)
    in_ascii = write_report(HEAD, STAMPS, SENDER, failure(recipient))
    block = blocks(in_ascii)[1]
    embedded = "".join(f"\\x{{{ord(letter):X}}}" for letter in "δοκιμή")
    assert block["Final-Recipient"] == f"utf-8; {embedded}@xn--hxajbheg2az3al.example"
    assert block["Original-Recipient"] == "utf-8; \\x{3B4}@b.example"
    in_utf8 = write_report(HEAD, STAMPS, GREEK, failure(recipient))
    read(in_utf8)
    assert in_utf8.international
    assert "Final-Recipient: utf-8; δοκιμή@παράδειγμα.example\r\n".encode() in in_utf8.octets
    assert "Original-Recipient: utf-8; δ@b.example\r\n".encode() in in_utf8.octets


def test_H20_a_domain_beyond_ascii_alone_needs_no_smtputf8() -> None:
    letter = write_report(HEAD, STAMPS, Mailbox("ann", "bücher.example"), failure())
    assert letter.octets.isascii()
    assert letter.to == Mailbox("ann", "xn--bcher-kva.example")


def test_H4_what_a_postmaster_gets_of_a_report_that_failed_says_so() -> None:
    letter = write_report(HEAD, STAMPS, HEAD.postmaster, failure(sender=None))
    assert b"You get this as the postmaster" in re.sub(rb"\s+", b" ", letter.octets)


def test_a_notice_says_what_is_held_and_why() -> None:
    letter = write_notice(HEAD, STAMPS, "0ABC", ["joe@here.example"], "its digest differs\r\nX: y")
    message = read(letter)
    assert message["To"] == "admin@here.example"
    assert message["Subject"] == "Message 0ABC was set aside"
    text = message.get_content()
    assert "  joe@here.example\r\n" in text
    assert "its digest differs??X: y" in text
    assert message["X"] is None
