"""J-16, J-17, J-20: who a message of mailto is from and for, and its header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands.exits import ExitError
from paperpath.commands.mailto_heading import choose_originators, read_heading
from paperpath.commands.mailto_options import Options
from paperpath.mail.address import Mailbox
from paperpath.mail.fields.shown_words import decode_words
from paperpath.mail.header import find_fields

OWN = Mailbox("me", "here.example")
TO = ("u@x.example",)


def names(options: Options) -> list[str]:
    return [str(mailbox) for mailbox in read_heading(options).recipients]


def test_J17_J20_addresses_are_lists_as_in_a_header() -> None:
    options = Options(
        recipients=('"A, B" <a@x.example>, c@x.example', "joe"),
        copies=("Jörg <d@x.example>, C@x.example", "Us: e@x.example, c@X.example;"),
        blind_copies=("f@x.example, g@x.example", "h@x.example"),
    )
    heading = read_heading(options)
    assert [str(mailbox) for mailbox in heading.recipients] == [
        *("a@x.example", "c@x.example", "joe", "d@x.example", "C@x.example", "e@x.example"),
        *("f@x.example", "g@x.example", "h@x.example"),
    ]
    assert heading.fields == (
        b'To: "A, B" <a@x.example>, c@x.example, joe\r\n'
        b"Cc: =?utf-8?q?J=C3=B6rg?= <d@x.example>, C@x.example,\r\n Us: e@x.example, c@X.example;\r\n"
    )


def test_J20_blind_recipients_alone_leave_no_field() -> None:
    heading = read_heading(Options(blind_copies=("b@x.example",)))
    assert heading.fields == b""
    assert list(map(str, heading.recipients)) == ["b@x.example"]


def test_J20_a_list_that_hides_its_members() -> None:
    options = Options(recipients=("undisclosed-recipients:;",), blind_copies=("b@x.example",))
    assert read_heading(options).fields == b"To: undisclosed-recipients:;\r\n"
    assert names(options) == ["b@x.example"]


@pytest.mark.parametrize("to", [(), ("nobody:;",)])
def test_J17_without_a_recipient_there_is_nothing_to_do(to: tuple[str, ...]) -> None:
    with pytest.raises(ExitError, match="no address") as caught:
        read_heading(Options(recipients=to))
    assert caught.value.exit_code == 64


@pytest.mark.parametrize(
    "options",
    [
        Options(recipients=("a@b@c",)),
        Options(recipients=("",)),
        Options(recipients=("a@x.example\nb@x.example",)),
        Options(recipients=("a@x.example>\r\nRCPT TO:<b@x.example",)),
        Options(recipients=TO, copies=("joe doe",)),
        Options(recipients=TO, blind_copies=("a@x.example,, <",)),
        Options(recipients=TO, subject="a\nBcc: y"),
        Options(recipients=TO, subject="a\r"),
        Options(recipients=TO, subject="a\0"),
        Options(recipients=TO, subject="\udcff"),
        Options(recipients=("\udcff@x.example",)),
        Options(recipients=TO, sender="a@x.example, b@x.example"),
        Options(recipients=TO, sender="a@x.example\n"),
        Options(recipients=TO, sender="nobody:;"),
        Options(recipients=TO, fields=("no field",)),
        Options(recipients=TO, fields=("X Y: z",)),
        Options(recipients=TO, fields=(": z",)),
        Options(recipients=TO, fields=("X: a\nBcc: y",)),
        Options(recipients=TO, fields=("Content-Type: text/plain; name=ü",)),
    ],
)
def test_J20_bad_data_is_refused(options: Options) -> None:
    with pytest.raises(ExitError) as caught:
        read_heading(options)
    assert caught.value.exit_code == 65
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("field", ["Bcc: a@x.example", "bcc:", "To: x", "Cc : x", "FROM: x", "Subject: x"])
def test_J17_what_an_option_says_is_no_other_field(field: str) -> None:
    with pytest.raises(ExitError, match="says that") as caught:
        read_heading(Options(recipients=TO, fields=(field,)))
    assert caught.value.exit_code == 64


@pytest.mark.parametrize("field", ["Resent-To: a@x.example", "resent-bcc: a@x.example", "RESENT-FROM : b"])
def test_J17_a_new_message_is_not_sent_again(field: str) -> None:
    with pytest.raises(ExitError, match="does not resend") as caught:
        read_heading(Options(recipients=TO, fields=(field,)))
    assert caught.value.exit_code == 64


def test_J17_other_fields() -> None:
    fields = ("X-Foo: bär ", "Reply-To:joe@x.example", "X-Empty:", "content-type: text/html")
    heading = read_heading(Options(recipients=TO, fields=fields))
    rest = heading.fields.decode().removeprefix("To: u@x.example\r\n")
    assert rest == "X-Foo: bär\r\nReply-To: joe@x.example\r\nX-Empty:\r\n"
    assert heading.content_fields == b"content-type: text/html\r\n"


@pytest.mark.parametrize(
    ("subject", "field"), [(None, b""), ("", b"Subject:\r\n"), (" x ", b"Subject: x\r\n")]
)
def test_J17_the_subject(subject: str | None, field: bytes) -> None:
    heading = read_heading(Options(recipients=TO, subject=subject))
    assert heading.fields == b"To: u@x.example\r\n" + field


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"], blacklist_characters="\u2028\u2029")))
def test_J19_any_subject_is_encoded_in_short_lines(subject: str) -> None:
    field = read_heading(Options(blind_copies=TO, subject=subject)).fields
    assert field.isascii()
    if "=?" not in subject and max(map(len, subject.split(" "))) < 60:
        assert max(map(len, field.split(b"\r\n"))) <= 78
        (value,) = find_fields(field, b"subject")
        assert decode_words(value.decode()).strip(" ") == subject.strip(" ")


def test_a_domain_beyond_ascii_needs_no_smtputf8_and_a_name_does() -> None:
    heading = read_heading(Options(recipients=("u@bücher.example",)))
    assert heading.fields == b"To: u@xn--bcher-kva.example\r\n"
    assert not heading.is_international
    assert read_heading(Options(recipients=("jörg@x.example",))).is_international
    assert read_heading(Options(recipients=TO, sender="jörg@x.example")).is_international


@pytest.mark.parametrize(
    ("sender", "binds_senders", "wanted"),
    [
        (None, False, ("me@here.example", b"")),
        (None, True, ("me@here.example", b"")),
        ("", False, ("None", b"")),
        ("", True, ("None", b"")),
        ("joe", False, ("joe@here.example", b"From: joe@here.example\r\n")),
        ("Jörg <j@x.example>", False, ("j@x.example", b"From: =?utf-8?q?J=C3=B6rg?= <j@x.example>\r\n")),
        ("j@x.example", True, ("me@here.example", b"From: j@x.example\r\nSender: me@here.example\r\n")),
        ("Me <me@here.example>", True, ("me@here.example", b"From: Me <me@here.example>\r\n")),
    ],
)
def test_J17_who_it_is_from(sender: str | None, binds_senders: bool, wanted: tuple[str, bytes]) -> None:
    heading = read_heading(Options(recipients=TO, sender=sender))
    chosen, fields = choose_originators(heading, OWN, binds_senders=binds_senders)
    assert (str(chosen), fields) == wanted


def test_ten_thousand_addresses() -> None:
    addresses = [f"r{number}@x.example" for number in range(10_000)]
    heading = read_heading(Options(recipients=tuple(addresses)))
    assert list(map(str, heading.recipients)) == addresses
    assert max(map(len, heading.fields.split(b"\r\n"))) <= 78
