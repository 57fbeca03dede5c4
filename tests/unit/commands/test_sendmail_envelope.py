"""J-4, J-6, J-14: who a message is from and for, and what its header gets of that."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands.exits import ExitError
from paperpath.commands.sendmail_envelope import Posting, make_posting
from paperpath.commands.sendmail_options import Options
from paperpath.mail.address import Mailbox
from paperpath.mail.fields.addresses import Named, parse_addresses
from paperpath.mail.fields.shown_words import decode_words

OWN = Mailbox("me", "here.example")
HEADER = b"Subject: x\r\n"


def post(options: Options, header: bytes = HEADER, *, binds_senders: bool = False) -> Posting:
    if not options.recipients and not options.reads_recipients:
        options = replace(options, recipients=("u@x.example",))
    return make_posting(options, header, OWN, binds_senders=binds_senders)


def recipients(posting: Posting) -> list[str]:
    return [str(recipient.address) for recipient in posting.recipients]


def test_J4_recipients_of_the_command_line_are_added_and_blind_fields_removed() -> None:
    options = Options(recipients=("c@x.example", "A@X.example"), reads_recipients=True)
    posting = post(options, b"To: a@x.example, A@x.EXAMPLE\r\nBcc: b@x.example,\r\n d@x.example\r\n" + HEADER)
    assert recipients(posting) == ["c@x.example", "A@X.example", "a@x.example", "b@x.example", "d@x.example"]
    assert posting.header == b"To: a@x.example, A@x.EXAMPLE\r\n" + HEADER


def test_J4_without_t_the_header_is_no_list_of_recipients() -> None:
    header = b"To: a@x.example\r\nBcc: b@x.example\r\n"
    posting = post(Options(recipients=("c@x.example",)), header)
    assert (recipients(posting), posting.header) == (["c@x.example"], header)


@pytest.mark.parametrize("header", [b"", b"To: undisclosed-recipients:;\r\n"])
def test_J4_without_a_recipient_nothing_is_sent(header: bytes) -> None:
    with pytest.raises(ExitError, match="no recipient") as caught:
        post(Options(reads_recipients=True), header)
    assert caught.value.exit_code == 64
    with pytest.raises(ExitError, match="no recipient"):
        make_posting(Options(), HEADER, OWN, binds_senders=False)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("a@x.example", ["a@x.example"]),
        ("a@x.example, Joe <b@x.example>", ["a@x.example", "b@x.example"]),
        ("-odd@x.example", ["-odd@x.example"]),
        ("-f", ["-f"]),
        ("|/bin/sh", ["|/bin/sh"]),
        ("$(reboot)", ["$"]),
        ("`id`", ["`id`"]),
        ("a;b", None),
        ("a b", None),
        ("", None),
        ("jörg@x.example", ["jörg@x.example"]),
        ("\udce4@x.example", None),
    ],
)
def test_J14_addresses_of_the_command_line(typed: str, wanted: list[str] | None) -> None:
    if wanted is None:
        with pytest.raises(ExitError, match=r"^recipient ") as caught:
            post(Options(recipients=(typed,)))
        assert caught.value.exit_code == 65
    else:
        assert recipients(post(Options(recipients=(typed,)))) == wanted


@pytest.mark.parametrize("typed", ["a@b>\r\nRCPT TO:<x", "a@b\n", "a@b,\r\n c@d", "a\0@b", "\r"])
def test_J14_no_line_end_gets_into_an_address(typed: str) -> None:
    for options in (Options(sender=typed), Options(recipients=(typed,))):
        with pytest.raises(ExitError, match="one line") as caught:
            post(options)
        assert caught.value.exit_code == 65
        assert str(caught.value).isprintable()


def test_J6_without_options_the_sender_is_who_calls_and_the_header_is_left_alone() -> None:
    posting = post(Options())
    assert (posting.sender, posting.header) == (OWN, HEADER)


@pytest.mark.parametrize(
    ("typed", "sender", "author"),
    [
        ("joe@x.example", "joe@x.example", b"From: joe@x.example\r\n"),
        ("Joe <joe@x.example>", "joe@x.example", b"From: joe@x.example\r\n"),
        ("joe", "joe@here.example", b"From: joe@here.example\r\n"),
        ("", None, b""),
    ],
)
def test_J6_the_sender_that_is_asked_for(typed: str, sender: str | None, author: bytes) -> None:
    posting = post(Options(sender=typed))
    assert (posting.sender and str(posting.sender)) == sender
    assert posting.header == HEADER + author


@pytest.mark.parametrize("typed", ["a@x.example, b@x.example", "a b", ":;", "g:;"])
def test_J6_a_sender_is_one_address(typed: str) -> None:
    with pytest.raises(ExitError, match=r"^sender ") as caught:
        post(Options(sender=typed))
    assert caught.value.exit_code == 65


@pytest.mark.parametrize(
    "header", [b"From: f@x.example\r\n", b"FROM : f@x.example\r\n", b"Resent-From: f@x.example\r\n"]
)
def test_J6_an_author_that_is_there_stays(header: bytes) -> None:
    assert post(Options(sender="joe@x.example", full_name="Joe"), header).header == header


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Joe Doe", b"From: Joe Doe <me@here.example>\r\n"),
        ("Doe, J.", b'From: "Doe, J." <me@here.example>\r\n'),
        ("CronDaemon", b"From: CronDaemon <me@here.example>\r\n"),
    ],
)
def test_J6_a_name_goes_into_a_field_that_is_made(name: str, written: bytes) -> None:
    assert post(Options(full_name=name)).header == HEADER + written


@pytest.mark.parametrize(
    "name", ['Ünï "X"', "<evil@x.example>", "a\\b", "=?utf-8?q?x?=", "\x1b[1m", "x" * 3000]
)
def test_J6_whatever_the_name_is_the_field_reads_as_it(name: str) -> None:
    header = post(Options(full_name=name)).header
    assert header.isascii()
    assert max(map(len, header.split(b"\r\n"))) <= 998
    (named,) = parse_addresses(header.removeprefix(HEADER + b"From:").strip().decode()).addresses
    assert isinstance(named, Named)
    assert named.mailbox == OWN
    if not name.isascii():
        assert decode_words(named.name) == name


@given(st.text(max_size=30), st.text(max_size=30))
def test_J14_whatever_is_typed_ends_no_line_of_the_header(sender: str, name: str) -> None:
    try:
        header = post(Options(sender=sender, full_name=name)).header
    except ExitError:
        return
    assert header.startswith(HEADER)
    lines = header.removeprefix(HEADER).split(b"\r\n")
    assert lines.pop() == b""
    assert all(line.startswith((b"From: ", b" ")) for line in lines)
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)


def test_J6_where_senders_are_bound_the_caller_is_shown_as_sender() -> None:
    posting = post(Options(sender="joe@x.example"), binds_senders=True)
    assert posting.sender == OWN
    assert posting.header == HEADER + b"From: joe@x.example\r\nSender: me@here.example\r\n"
    assert post(Options(sender="me"), binds_senders=True).header == HEADER + b"From: me@here.example\r\n"
    assert post(Options(sender=""), binds_senders=True).sender is None


def test_J7_parameters_go_with_the_envelope() -> None:
    posting = post(Options(notify="NEVER", ret="HDRS", envid="x", body="8BITMIME", international=True))
    assert posting.recipients[0].notify == "NEVER"
    parameters = posting.parameters
    assert (parameters.ret, parameters.envid, parameters.body) == ("HDRS", "x", "8BITMIME")
    assert parameters.international
