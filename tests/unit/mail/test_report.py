"""Reports (H-2, H-5, H-7, H-10 to H-18, H-20; attack S-6): read back by a parser that is not ours."""

import email
import email.policy
import quopri
import re
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from typing import cast

import pytest
from flufl.bounce import all_failures
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.advice import find_advice
from paperpath.mail.envelope import NO_CLIENT, Client
from paperpath.mail.letter import Letter, Letterhead, Stamps
from paperpath.mail.notice import write_notice
from paperpath.mail.notification import Action
from paperpath.mail.quoted_printable import to_quoted_printable
from paperpath.mail.reply import Reply, make_reply, parse_shown_reply
from paperpath.mail.report import write_report
from paperpath.mail.reported import ReportedMessage, ReportedRecipient, find_status
from paperpath.mail.returned import Original, returned_part

HEAD = Letterhead("mx.here.example", Mailbox("admin", "here.example"))
NOW = datetime(2026, 11, 22, 9, 5, 7, tzinfo=UTC)
STAMPS = Stamps("0RPT", NOW, "f00d")
SENDER = Mailbox("ann", "else.example")
GREEK = Mailbox("δοκιμή", "παράδειγμα.example")
NOBODY = make_reply(550, "5.1.1", "There is no such mailbox here")
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
    *recipients: ReportedRecipient,
    action: Action = Action.FAILED,
    original: Original | None = None,
    sender: Mailbox | None = SENDER,
    envid: str = "",
    client: Client = NO_CLIENT,
) -> ReportedMessage:
    found = recipients or (ReportedRecipient(Mailbox("joe", "here.example"), "", NOBODY),)
    return ReportedMessage(action, "0ABC", NOW, sender, found, envid, client, original)


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
    recipient = ReportedRecipient(Mailbox("Joe", "here.example"), "rfc822;Joe+2BX@here.example", NOBODY)
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
            "    The name before the @ is not known there: look for a slip in it, or",
            "    ask for the right address.",
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
    recipients = [ReportedRecipient(Mailbox(name, "here.example"), "", NOBODY) for name in ("a", "b", "c")]
    letter = write_report(HEAD, STAMPS, SENDER, failure(*recipients))
    assert [block["Final-Recipient"] for block in blocks(letter)[1:]] == [
        f"rfc822; {name}@here.example" for name in ("a", "b", "c")
    ]


def test_H7_H16_who_was_tried_for_long_enough_is_5_4_7_with_the_last_reply() -> None:
    given_up = make_reply(452, "4.3.1", "The disk is full")
    recipient = ReportedRecipient(Mailbox("joe", "here.example"), "", given_up)
    letter = write_report(HEAD, STAMPS, SENDER, failure(recipient))
    block = blocks(letter)[1]
    assert (block["Status"], block["Action"]) == ("5.4.7", "failed")
    assert block["Diagnostic-Code"] == "x-paperpath; 452 4.3.1 The disk is full"
    assert "as long as it may be" in str(read(letter).get_payload(0))


@pytest.mark.parametrize(
    ("action", "reply", "status"),
    [
        (Action.FAILED, Reply(550, "", ("no",)), "5.0.0"),
        (Action.FAILED, make_reply(550, "4.2.0", "class differs"), "5.0.0"),
        (Action.FAILED, make_reply(550, "5.7.1234", "too long"), "5.0.0"),
        (Action.FAILED, make_reply(550, "5.01.1", "leading zero"), "5.0.0"),
        (Action.FAILED, make_reply(554, "5.4.6", "loop"), "5.4.6"),
        (Action.FAILED, make_reply(421, "", "closing"), "5.4.7"),
        (Action.DELAYED, make_reply(421, "", "closing"), "4.0.0"),
        (Action.DELAYED, make_reply(452, "4.2.2", "full"), "4.2.2"),
        (Action.DELAYED, make_reply(452, "5.2.2", "full"), "4.0.0"),
        (Action.DELIVERED, make_reply(250, "2.1.5", "done"), "2.1.5"),
        (Action.RELAYED, make_reply(250, "", "done"), "2.0.0"),
        (Action.RELAYED, make_reply(250, "2.6.0", "done"), "2.6.0"),
        (Action.EXPANDED, make_reply(250, "2.1.5", "done"), "2.1.5"),
    ],
)
def test_H14_H16_the_status_is_of_the_class_of_the_action(action: Action, reply: Reply, status: str) -> None:
    assert find_status(action, reply) == status
    letter = write_report(HEAD, STAMPS, SENDER, failure(recipient(reply), action=action))
    (block,) = blocks(letter)[1:]
    assert (block["Action"], block["Status"]) == (action.value, status)


def recipient(reply: Reply = NOBODY, host: str = "", **more: datetime) -> ReportedRecipient:
    return ReportedRecipient(Mailbox("joe", "here.example"), "", reply, host, **more)


def test_H15_what_another_host_said_has_its_name_and_the_type_of_smtp() -> None:
    reply = Reply(550, "5.7.1", ("Not \x1b[2J you", "caf\u00e9 closed"))
    at = recipient(reply, "mx.else.example", attempted=NOW, retry_until=NOW)
    (block,) = blocks(write_report(HEAD, STAMPS, SENDER, failure(at)))[1:]
    assert block["Remote-MTA"] == "dns; mx.else.example"
    assert " ".join(block["Diagnostic-Code"].split()) == "smtp; 550-5.7.1 Not ?[2J you 550 5.7.1 caf? closed"
    assert block["Last-Attempt-Date"] == "Sun, 22 Nov 2026 09:05:07 +0000"
    assert block["Will-Retry-Until"] is None


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.1", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("1.2.3.example", "1.2.3.example"),
    ],
)
def test_H15_a_host_without_a_name_is_an_address_in_brackets(host: str, name: str) -> None:
    (block,) = blocks(write_report(HEAD, STAMPS, SENDER, failure(recipient(NOBODY, host))))[1:]
    assert block["Remote-MTA"] == f"dns; {name}"


def test_H15_what_no_host_said_names_none_and_success_of_ours_needs_no_reason() -> None:
    (block,) = blocks(write_report(HEAD, STAMPS, SENDER, failure(recipient())))[1:]
    assert block["Remote-MTA"] is None
    assert block["Diagnostic-Code"].startswith("x-paperpath; 550 5.1.1")
    delivered = failure(recipient(make_reply(250, "2.1.5", "Done")), action=Action.DELIVERED)
    (block,) = blocks(write_report(HEAD, STAMPS, SENDER, delivered))[1:]
    assert block["Diagnostic-Code"] is None


def test_H15_only_a_delay_says_until_when_it_is_tried() -> None:
    waiting = recipient(make_reply(452, "4.2.2", "Full"), retry_until=NOW)
    letter = write_report(HEAD, STAMPS, SENDER, failure(waiting, action=Action.DELAYED))
    (block,) = blocks(letter)[1:]
    assert block["Will-Retry-Until"] == "Sun, 22 Nov 2026 09:05:07 +0000"
    assert "You need do nothing" in str(read(letter).get_payload(0))


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        (Client("192.0.2.1", 25, "client.example", "ESMTP"), "dns; client.example (192.0.2.1)"),
        (Client("2001:db8::1", 25, "[IPv6:2001:db8::1]", "ESMTP"), "dns; [IPv6:2001:db8::1] (2001:db8::1)"),
        (Client("192.0.2.1", 25, "(x)\r\nAction: y", "ESMTP"), "dns; ?x???Action:?y (192.0.2.1)"),
        (NO_CLIENT, None),
    ],
)
def test_H13_S6_the_client_is_named_where_there_was_one(client: Client, shown: str | None) -> None:
    first, _ = blocks(write_report(HEAD, STAMPS, SENDER, failure(client=client)))
    assert first["Received-From-MTA"] == shown


@pytest.mark.parametrize(
    ("header", "about"),
    [
        (b"Message-ID: <a.b$c@else.example>\r\n", "<a.b$c@else.example>"),
        (b"message-id:\r\n <a@b>\r\nSubject: x\r\n", "<a@b>"),
        (b"Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n", None),
        (b"Message-ID: <a b@c>\r\n", None),
        (b"Message-ID: \xff<a@b>\r\n", None),
        (b"Message-ID: <" + b"a" * 300 + b">\r\n", None),
        (b"Subject: x\r\n", None),
    ],
)
def test_H10_a_report_answers_the_message_that_it_is_about(header: bytes, about: str | None) -> None:
    message = read(write_report(HEAD, STAMPS, SENDER, failure(original=whole(header + b"\r\nx\r\n"))))
    assert message["In-Reply-To"] == about
    assert message["References"] == about


@pytest.mark.parametrize("ret", ["", "FULL", "HDRS"])
@pytest.mark.parametrize("action", [action for action in Action if action is not Action.FAILED])
def test_H17_only_a_failure_brings_the_message_back(action: Action, ret: str) -> None:
    letter = write_report(HEAD, STAMPS, SENDER, failure(action=action, original=whole(ORIGINAL, ret)))
    part = read(letter).get_payload(2)
    assert isinstance(part, Message)
    assert part.get_content_type() == "text/rfc822-headers"
    assert b"body" not in letter.octets.partition(b"text/rfc822-headers")[2]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("5.2.2", "mailbox is full"),
        ("4.2.2", "mailbox is full"),
        ("5.1.1", "not known"),
        ("5.1.2", "does not exist"),
        ("5.4.4", "No host"),
        ("5.1.10", "takes no mail"),
        ("5.3.4", "larger"),
        ("5.7.1", "by its rules"),
        ("5.7.26", "by its rules"),
        ("5.4.7", "in time"),
        ("5.4.6", "circle"),
        ("5.6.3", "8-bit"),
        ("5.6.7", "beyond ASCII"),
        ("5.6.99", "plain text"),
    ],
)
def test_a_report_says_what_to_do(status: str, advice: str) -> None:
    code = 550 if status.startswith("5") else 450
    letter = write_report(HEAD, STAMPS, SENDER, failure(recipient(make_reply(code, status, "Sorry"))))
    text = " ".join(str(read(letter).get_payload(0)).split())
    assert advice in text
    assert text.count("Sorry") == 1


def test_a_report_says_nothing_where_nothing_is_known() -> None:
    assert [find_advice(status) for status in ("", "5", "5.0.0", "x.y.z")] == [""] * 4


@given(lines=st.lists(st.text(max_size=60), min_size=1, max_size=3))
@pytest.mark.parametrize("status", ["", "4.2.2", "5.7.26"])
def test_a_reply_is_read_back_from_what_is_shown(status: str, lines: list[str]) -> None:
    shown = str(Reply(452, status, tuple(lines)))
    found = parse_shown_reply(shown)
    assert found is not None
    assert found.code == 452
    assert str(found) == shown.rstrip(" ") or str(found) == shown


def test_what_is_no_reply_is_not_read_as_one() -> None:
    assert [parse_shown_reply(text) for text in ("", "held to be bounced", "1234 x", "99 y")] == [None] * 4


def test_H15_replies_of_many_lines_and_with_controls_are_clean() -> None:
    reply = Reply(550, "5.7.1", ("one\r\nAction: delivered\r\n\r\nx", "two\x1b[2J é", "w" * 3000))
    recipient = ReportedRecipient(Mailbox("joe", "here.example"), "", reply)
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
    action=st.sampled_from(Action),
    host=st.sampled_from(["", "mx.else.example", "b\u00fccher.example", "x\r\nAction: y"])
    | st.text(max_size=400),
    client=st.just(NO_CLIENT)
    | st.builds(Client, st.just("192.0.2.1"), st.just(25), st.text(max_size=300), st.just("ESMTP")),
    octets=st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"--=_f00d.0",
                b"--=_f00d.1--",
                b"Message-ID: <a@b>",
                b"\r\n",
                b"Subject: x",
                b"\r\n\r\n",
                b"\xc3\xa9",
                b"\n",
            ]
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
    action: Action,
    host: str,
    client: Client,
    octets: bytes,
) -> None:
    reply = Reply(550, "5.1.1", tuple(lines))
    recipients = [ReportedRecipient(mailbox, orcpt, reply, host, NOW, NOW) for mailbox in accepted]
    letter = write_report(
        HEAD,
        STAMPS,
        to,
        failure(*recipients, action=action, original=whole(octets), envid=envid, client=client),
    )
    message = read(letter)
    names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    found_names = [name for name in message if name not in ("In-Reply-To", "References")]
    assert found_names == [*names, "Content-Transfer-Encoding"]
    parts = cast("list[Message]", message.get_payload())
    assert len(parts) in (2, 3)
    text = parts[0].get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().count("\r\n    ") >= len(accepted)
    first, *others = blocks(letter)
    assert [key for key in first if key != "Original-Envelope-Id"] == [
        "Reporting-MTA",
        *(["Received-From-MTA"] if client.address else []),
        "Arrival-Date",
        "X-Paperpath-Queue-Id",
    ]
    assert len(others) == len(accepted)
    for block in others:
        assert [key for key in block if key != "Original-Recipient"] == [
            "Final-Recipient",
            "Action",
            "Status",
            *(["Remote-MTA"] if host else []),
            *(["Diagnostic-Code"] if host or action in (Action.FAILED, Action.DELAYED) else []),
            "Last-Attempt-Date",
            *(["Will-Retry-Until"] if action is Action.DELAYED else []),
        ]
        assert block["Action"] == action.value
    if len(parts) == 3 and parts[2].get_content_type() == "message/rfc822":
        assert octets in letter.octets


def test_H11_no_content_holds_the_boundary() -> None:
    nested = write_report(HEAD, STAMPS, SENDER, failure(original=whole(ORIGINAL))).octets
    outer = read(write_report(HEAD, STAMPS, SENDER, failure(original=whole(nested))))
    assert outer.get_boundary() == "=_f00d.1"
    inner = outer.get_payload(2)
    assert isinstance(inner, Message)
    assert inner.get_payload(0).get_boundary() == "=_f00d.0"  # type: ignore[union-attr]


@pytest.mark.parametrize("nesting", range(3))
@pytest.mark.parametrize("action", Action)
def test_H12_H14_any_parser_reads_our_reports(action: Action, nesting: int) -> None:
    octets = ORIGINAL
    for _ in range(nesting):
        inner = ReportedRecipient(Mailbox("inner", "x.example"), "", NOBODY)
        octets = write_report(HEAD, STAMPS, SENDER, failure(inner, original=whole(octets))).octets
    replies = {Action.FAILED: NOBODY, Action.DELAYED: make_reply(452, "4.2.2", "Full")}
    reply = replies.get(action, make_reply(250, "2.1.5", "Done"))
    names = [ReportedRecipient(Mailbox(name, "h.example"), "", reply, "mx.else.example") for name in "ab"]
    letter = write_report(HEAD, STAMPS, SENDER, failure(*names, action=action, original=whole(octets)))
    read(letter)
    temporary, permanent = all_failures(email.message_from_bytes(letter.octets))
    both = {b"a@h.example", b"b@h.example"}
    assert temporary == (both if action is Action.DELAYED else set())
    assert permanent - {b"inner@x.example"} == (both if action is Action.FAILED else set())
    # It looks into what was brought back, too, which only a failure does.
    assert (b"inner@x.example" in permanent) is (nesting > 0 and action is Action.FAILED)


def test_H20_an_address_beyond_ascii_is_shown_as_the_way_back_allows() -> None:
    recipient = ReportedRecipient(GREEK, "utf-8;\\x{3B4}@b.example", NOBODY)
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
