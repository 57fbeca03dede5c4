"""Message ids: which are legal, and what an obsolete one says (B-11, B-18)."""

import pytest

from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.glance import is_canonical_message_id
from paperpath.mail.fields.message_ids import make_message_id, parse_message_id

CANONICAL = [
    ("<a.b$c@x.example>", "<a.b$c@x.example>"),
    (" \r\n\t<a@x_y>  ", "<a@x_y>"),
    ("<a@[192.0.2.1]>", "<a@[192.0.2.1]>"),
    ("<a@[whatever/there/stands]>", "<a@[whatever/there/stands]>"),
    ("<=?utf-8?q?a?=@b>", "<=?utf-8?q?a?=@b>"),
    ("<a@b> (c \\) d)", "<a@b>"),
    (f"<{'a' * 896}@b>", f"<{'a' * 896}@b>"),
]
MENDED = [
    ("< a . b @ c . d >", "<a.b@c.d>"),
    ("(x) <a(y)@(z)b>", "<a@b>"),
    ('<"a b"@c>', '<"a b"@c>'),
    ("<a@b>\r\n ", "<a@b>"),
    ("<é@b>", "<é@b>"),
]
REFUSED = [
    "",
    "a@b",
    "<>",
    "<a>",
    "<@b>",
    "<a@>",
    "<a@b",
    "<a@b@c>",
    "<a..b@c>",
    "<.a@c>",
    "<a@b.>",
    "<a b@c>",
    "<a@b> <c@d>",
    "<a@b> c",
    "x <a@b>",
    "<<a@b>>",
    "<a:b@c>",
    "<a@b>\r\n",
    "<a@b\0>",
    "<a@b)>",
    f"<{'a' * 897}@b>",
    f"<{'é' * 449}@b>",
]


@pytest.mark.parametrize(("text", "found"), CANONICAL)
def test_B11_valid_ids_are_known_as_such(text: str, found: str) -> None:
    assert is_canonical_message_id(text.encode())
    assert parse_message_id(text) == found


@pytest.mark.parametrize(("text", "found"), MENDED)
def test_B11_B18_obsolete_ids_are_understood(text: str, found: str) -> None:
    assert not is_canonical_message_id(text.encode())
    assert parse_message_id(text) == found


@pytest.mark.parametrize("text", REFUSED)
def test_B11_what_is_no_id_is_refused(text: str) -> None:
    assert not is_canonical_message_id(text.encode())
    with pytest.raises(FieldError) as caught:
        parse_message_id(text)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


def test_B11_what_is_made_is_canonical() -> None:
    made = make_message_id("0123456789AB", "mx.here.example")
    assert made == "<0123456789AB@mx.here.example>"
    assert is_canonical_message_id(f" {made}".encode())
    assert parse_message_id(made) == made
