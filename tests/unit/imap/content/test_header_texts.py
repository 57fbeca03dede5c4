"""What is kept of headers finds what the headers have, and no more (K-13)."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.imap.content.header_texts import LEFT_OUT, first_text, has_text, write_header_texts
from paperpath.imap.content.needle import Needle
from paperpath.imap.content.search import prepare_search
from paperpath.imap.content.searched import SearchContext
from paperpath.imap.search_keys import HeaderKey, TextKey
from paperpath.mail.charsets import decode_octets
from paperpath.mail.fields.shown_words import decode_words
from paperpath.mail.header import header_section
from paperpath.mail.mime.fields import read_fields
from tests.support.mime import Message

PIECES = (
    b"\r\n", b"\r\n ", b"\n", b"\r", b"\0", b":", b" ", b"\t", b"a", b"B", b"=?utf-8?q?=C3=84?=",
    b"=?utf-8?b?YQo=?=", b"Subject: ", b"X:", b"Received: ", b"subject:a", b"\xe4",
    "ÄÖ".encode(), "ﬁ".encode(), "İ".encode(),
)  # fmt: skip
headers = st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join)
names = st.sampled_from(["Subject", "x", "received", "subject:a", "none", "a\nx", ""])
texts = st.sampled_from(["", "a", "b", "ä", "ÄÖ", "fi", "a b", "\n", "ab", "İ", ":", "�", "\x00"])


def is_in_a_field(header: bytes, name: str, text: str) -> bool:
    """Tell it as RFC 9051 §6.4.4 has it, field by field."""
    return any(
        field.name == name.lower().encode() and is_shown_in(field.value, text)
        for field in read_fields(header)
    )


def is_shown_in(octets: bytes, text: str) -> bool:
    return Needle(text).is_in(decode_words(decode_octets(octets)))


@given(headers, names, texts)
@example(b"subject:a:x\r\n", "subject:a", "x")
@example(b"Received: by a\r\n", "received", "a")
def test_K13_a_field_is_found_by_what_is_kept(header: bytes, name: str, text: str) -> None:
    matches = prepare_search(HeaderKey(name, text), SearchContext(1, 1, 0))
    message = Message(header + b"\r\n\r\nbody")
    assert matches(message) is is_in_a_field(message.header(), name, text)


@given(headers, texts.filter(bool))
@example(b"a\r\nb", "\n")
def test_K13_all_fields_at_once_have_what_each_has(header: bytes, text: str) -> None:
    """What is no field may be found, or not."""
    message = Message(header_section(header + b"\r\n\r\n"))
    is_found = prepare_search(TextKey(text), SearchContext(1, 1, 0))(message)
    in_fields = any(is_shown_in(field.octets, text) for field in read_fields(message.header()))
    in_lines = any(is_shown_in(line, text) for line in re.split(rb"\r\n(?![ \t])", message.header()))
    assert in_fields <= is_found <= in_lines


def test_K13_what_nobody_looks_for_is_not_kept() -> None:
    kept = write_header_texts(
        b"Received: by mx\r\nSubject: =?utf-8?q?=C3=84?=\r\n b\r\nDate: 1 Feb\r\nDate: 2 Feb\r\n"
    )
    assert not any(has_text(kept, name, b"") for name in LEFT_OUT)
    assert has_text(kept, b"subject", Needle("ä B").octets)
    assert first_text(kept, b"date") == b" 1 feb"
    assert first_text(kept, b"from") is None
