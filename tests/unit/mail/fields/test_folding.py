"""Folding: lines are short, and unfolded they say what they said (B-22)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.mail.fields.address_text import fold_addresses
from paperpath.mail.fields.addresses import parse_addresses
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.folding import fold_field, unfold


def check_lines(field: bytes, most: int) -> None:
    *lines, last = field.split(b"\r\n")
    assert last == b""
    assert max(map(len, lines)) <= most
    assert all(line.strip(b" \t") for line in lines)
    assert all(line.startswith((b" ", b"\t")) for line in lines[1:])


def test_B22_a_long_list_is_folded_between_addresses() -> None:
    members = ", ".join(f'"Member no. {number}" <member{number}@x.example>' for number in range(140))
    assert len(members) > 5000
    field = fold_addresses(b"To", parse_addresses(members).addresses)
    check_lines(field, 78)
    assert unfold(field.decode()) == f"To: {members}\r\n"
    assert all(line.endswith(b">,") for line in field.split(b"\r\n")[:-2])


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("short", b"Subject: short\r\n"),
        ("", b"Subject:\r\n"),
        (" \t", b"Subject:\r\n"),
        ("a  ", b"Subject: a\r\n"),
        ("a" * 69, b"Subject: " + b"a" * 69 + b"\r\n"),
        ("a" * 69 + " b", b"Subject: " + b"a" * 69 + b"\r\n b\r\n"),
        ("a" * 69 + " \t b", b"Subject: " + b"a" * 69 + b"\r\n \t b\r\n"),
        ("a" * 70, b"Subject: " + b"a" * 70 + b"\r\n"),  # no blank to fold at but the first
        ("a" * 989 + " b", b"Subject: " + b"a" * 989 + b"\r\n b\r\n"),
        ("a" * 990 + " b", b"Subject:\r\n " + b"a" * 990 + b"\r\n b\r\n"),
        ("a" * 997, b"Subject:\r\n " + b"a" * 997 + b"\r\n"),
        ("é" * 34 + " é", b"Subject: " + "é".encode() * 34 + b"\r\n " + "é".encode() + b"\r\n"),
    ],
)
def test_B22_lines_break_at_blanks(value: str, field: bytes) -> None:
    assert fold_field(b"Subject", value) == field


@pytest.mark.parametrize("value", ["a" * 998, "a " + "é" * 499, "a" + " " * 998 + "b"])
def test_B22_what_has_room_in_no_line_is_refused(value: str) -> None:
    with pytest.raises(FieldError, match="has no room in a line"):
        fold_field(b"Subject", value)


def test_B22_a_name_that_has_room_in_no_line_is_refused() -> None:
    assert fold_field(b"X" * 997, "a") == b"X" * 997 + b":\r\n a\r\n"
    with pytest.raises(FieldError, match="a name of 998 octets has no room in a line"):
        fold_field(b"X" * 998, "a")


def test_B22_an_address_that_is_longer_than_a_line_is_folded_within() -> None:
    name = " ".join(["name"] * 30)
    field = fold_addresses(b"From", parse_addresses(f"a@x.example, {name} <b@x.example>").addresses)
    check_lines(field, 78)
    assert unfold(field.decode()) == f"From: a@x.example, {name} <b@x.example>\r\n"
    check_lines(fold_addresses(b"Resent-Reply-To", parse_addresses(f"{name} <b@x.example>").addresses), 78)


@given(st.text(st.sampled_from('ab,"é \t'), max_size=300), st.sampled_from([b"To", b"X-" + b"y" * 70]))
@example("\t\t" * 60 + "x", b"To")
def test_B22_unfolding_gives_the_value_back(value: str, name: bytes) -> None:
    field = fold_field(name, value)
    check_lines(field, 998)
    value = f" {value}".rstrip(" \t")
    assert unfold(field.decode()) == f"{name.decode()}:{value}\r\n"


@pytest.mark.parametrize(
    ("text", "unfolded"),
    [("a\r\n b\r\n\tc", "a b\tc"), ("a\r\n \r\n b", "a  b"), ("a\r\n", "a\r\n"), ("a\r\nb", "a\r\nb")],
)
def test_what_unfolding_takes_away(text: str, unfolded: str) -> None:
    assert unfold(text) == unfolded
