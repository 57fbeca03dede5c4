"""Header fields in canonical form, and those that a signature is about (I-4)."""

import pytest

from paperpath.dkim.form import Form
from paperpath.dkim.header import canonicalize_field, choose_fields, read_name, split_fields


@pytest.mark.parametrize(
    ("field", "relaxed"),
    [
        (b"A: X\r\n", b"a:X\r\n"),  # these two: RFC 6376 §3.4.5
        (b"B : Y\t\r\n\tZ  \r\n", b"b:Y Z\r\n"),
        (b"SUBJect:\t a \r\n\t \r\n b\r\n", b"subject:a b\r\n"),
        (b"Empty:\r\n", b"empty:\r\n"),
        (b"Empty: \t\r\n", b"empty:\r\n"),
        (b"Times: 12:30\r\n", b"times:12:30\r\n"),
        (b"Odd:\x0ba\x0c\xa0b\xc3\xa9\r\n", b"odd:\x0ba\x0c\xa0b\xc3\xa9\r\n"),
    ],
)
def test_fields_in_canonical_form(field: bytes, relaxed: bytes) -> None:
    assert canonicalize_field(field, Form.RELAXED) == relaxed
    assert canonicalize_field(field, Form.SIMPLE) == field


def test_header_is_split_at_fields_and_not_at_folds() -> None:
    header = b"A: 1\r\n 2\r\n\t3\r\nB : 4\r\n"
    assert split_fields(header) == [b"A: 1\r\n 2\r\n\t3\r\n", b"B : 4\r\n"]
    assert [read_name(field) for field in split_fields(header)] == [b"a", b"b"]
    assert split_fields(b"") == []


def test_I4_repeated_fields_are_signed_from_the_bottom() -> None:
    fields = [b"Comments: 1\r\n", b"From: a\r\n", b"COMMENTS: 2\r\n", b"Comments: 3\r\n"]
    assert list(choose_fields(fields, [b"comments", b"from", b"from", b"comments", b"subject"])) == [
        b"Comments: 3\r\n",
        b"From: a\r\n",
        b"COMMENTS: 2\r\n",
    ]
