"""The header section as octets (A-51)."""

import pytest

from paperpath.mail.header import count_fields, find_fields, header_section


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", b"A: 1\r\nB: 2\r\n"),
        (b"\r\nbody\r\n\r\n", b""),
        (b"A: 1\r\n", b"A: 1\r\n"),
        (b"", b""),
    ],
)
def test_header_ends_at_the_first_empty_line(octets: bytes, header: bytes) -> None:
    assert header_section(octets) == header


def test_A51_only_field_names_count() -> None:
    header = b"Received: a\r\n received: folded\r\nRECEIVED : b\r\nX-Received: c\r\nReceived\r\nreceived:\r\n"
    assert count_fields(header, b"received") == 3


def test_fields_are_found_in_their_order_and_unfolded() -> None:
    header = b"To: a\r\nX-To: no\r\nTO : b\r\n c\r\nSubject: To: x\r\n\tto: y\r\nto\r\nto:\r\n"
    assert find_fields(header, b"to") == [b" a", b" b c", b""]
    assert find_fields(b" To: folded\r\n", b"to") == []
