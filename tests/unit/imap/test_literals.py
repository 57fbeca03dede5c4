"""Literals stand wherever a string may, in each of their forms (requirement K-8)."""

from dataclasses import replace

import pytest

from paperpath.imap.append import MOST_MESSAGES
from paperpath.imap.commands import Append
from paperpath.imap.events import AppendDropped, CommandReceived, MessageAnnounced
from paperpath.smtp.events import PasswordReceived
from tests.support.imap_core import MINUS, SETTINGS, Heard, converse

LOGIN = b"l LOGIN tim tanstaaftanstaaf\r\n"
SELECT = b"s SELECT INBOX\r\n"
# Each @ is a place where a string may stand; some may be only where a mailbox is selected.
PLACES = (
    b"SELECT @Box@",
    b"EXAMINE @Box@ (CONDSTORE)",
    b"CREATE @Box@ (USE (\\Sent))",
    b"DELETE @Box@",
    b"RENAME @Box@ @Other@",
    b"SUBSCRIBE @Box@",
    b"UNSUBSCRIBE @Box@",
    b"LIST @Ref@ @Box@",
    b"LIST (SUBSCRIBED) @Ref@ (@Box@ @Other@) RETURN (CHILDREN)",
    b"LSUB @Ref@ @Box@",
    b"STATUS @Box@ (MESSAGES)",
    b"GETQUOTA @Root@",
    b"GETQUOTAROOT @Box@",
    b"SEARCH CHARSET @UTF-8@ FROM @Ann@ OR SUBJECT @News@ HEADER @X-A@ @Value@",
    b"SEARCH BCC @a@ BODY @b@ CC @c@ TEXT @d@ TO @e@ EMAILID @M1@ THREADID @T1@",
    b"SORT (DATE) @UTF-8@ BODY @b@",
    b"THREAD REFERENCES @UTF-8@ BODY @b@",
    b"FETCH 1 BODY[HEADER.FIELDS (@From@ @To@)]",
    b"UID FETCH 1 BODY.PEEK[1.HEADER.FIELDS.NOT (@From@)]<0.5>",
    b"COPY 1 @Box@",
    b"UID MOVE 1:* @Box@",
)
FORMS = {
    "quoted": b'"%s"',
    "literal": b"{%d}\r\n%s",
    "literal+": b"{%d+}\r\n%s",
}


def write(place: bytes, form: bytes) -> bytes:
    """Write a command, with its strings in one of their forms, or as atoms."""
    pieces = place.split(b"@")
    for n in range(1, len(pieces), 2):
        word = pieces[n]
        pieces[n] = (form % (len(word), word)) if b"%d" in form else form % word
    return b"t " + b"".join(pieces) + b"\r\n"


def hear(octets: bytes, *, minus: bool = False) -> Heard:
    settings = replace(MINUS if minus else SETTINGS, command_octets=10_000)
    return converse([LOGIN, SELECT, octets], settings)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.replace(b"@", b"").decode())
@pytest.mark.parametrize("form", FORMS)
def test_K8_a_literal_is_the_string_that_it_has(place: bytes, form: str) -> None:
    plain, heard = hear(write(place, b"%s")), hear(write(place, FORMS[form]))
    assert isinstance(plain.told[-1], CommandReceived)
    assert heard.told == plain.told
    asked = place.count(b"@") // 2 if form == "literal" else 0
    assert heard.lines == [*plain.lines[:-1], *[b"+ Go ahead"] * asked, plain.lines[-1]]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.replace(b"@", b"").decode())
@pytest.mark.parametrize("form", ["{%d}\r\n%s", "{%d+}\r\n%s"])
def test_K8_an_empty_literal_is_an_empty_string(place: bytes, form: str) -> None:
    pieces = place.split(b"@")
    pieces[1::2] = [b""] * len(pieces[1::2])
    empty = b"@".join(pieces)
    quoted, literal = hear(write(empty, b'"%s"')), hear(write(empty, form.encode()))
    assert literal.told == quoted.told
    assert literal.lines[-1] == quoted.lines[-1]


def test_K8_names_and_passwords_may_be_literals() -> None:
    for form in FORMS.values():
        heard = converse([write(b"LOGIN @tim@ @tanstaaftanstaaf@", form)])
        assert isinstance(heard.told[-1], PasswordReceived)
        assert heard.lines[-1].startswith(b"t OK")


def test_K8_the_mailbox_of_APPEND_may_be_a_literal_too() -> None:
    for form in FORMS.values():
        heard = hear(write(b"APPEND @Box@ (\\Seen) {4+}\r\na: b", form))
        announced, _, _, command = heard.told[-4:]
        assert announced == MessageAnnounced("Box", 1, 4, ("\\Seen",), None)
        assert isinstance(command, CommandReceived)
        assert command.command == Append("Box")


@pytest.mark.parametrize(
    ("messages", "answer"), [(MOST_MESSAGES, b"t OK"), (MOST_MESSAGES + 1, b"t NO [LIMIT] ")]
)
def test_K10_so_many_messages_come_by_one_command_and_no_more(messages: int, answer: bytes) -> None:
    heard = hear(b"t APPEND INBOX" + b" {1+}\r\nm" * messages + b"\r\nu NOOP\r\n")
    assert heard.lines[-2].startswith(answer)
    assert heard.lines[-1].startswith(b"u OK")
    assert sum(isinstance(event, MessageAnnounced) for event in heard.told) == MOST_MESSAGES
    assert any(isinstance(event, AppendDropped) for event in heard.told) is (messages > MOST_MESSAGES)


@pytest.mark.parametrize(("octets", "answer"), [(4096, b"t OK"), (4097, b"t BAD")])
def test_K8_with_LITERAL_MINUS_so_much_comes_unasked_and_no_more(octets: int, answer: bytes) -> None:
    heard = hear(b"t SEARCH TEXT {%d+}\r\n%s\r\nu NOOP\r\n" % (octets, b"x" * octets), minus=True)
    assert heard.lines[-2].startswith(answer)
    assert heard.lines[-1].startswith(b"u OK")
