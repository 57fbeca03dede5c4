"""Unwanted fields taken out of a header in pieces, and nothing else changed (I-21, P6)."""

import pytest

from paperpath.mail.field_sieve import FieldSieve

HEADER = (
    b"A: 1\r\nBad: yes\r\nbAd \t: yes\r\n more\r\n\tand more\r\nBad: no\r\nBadly: yes\r\n"
    b"Bad\r\n :yes\r\nX-Bad: yes\r\nB:\r\n Bad: yes\r\n"
)
KEPT = b"A: 1\r\nBad: no\r\nBadly: yes\r\nX-Bad: yes\r\nB:\r\n Bad: yes\r\n"


def sift(*pieces: bytes) -> bytes:
    sieve = FieldSieve(b"bad", lambda value: b"yes" in value)
    return b"".join(map(sieve.sift, pieces)) + sieve.end()


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\nBad: yes\r\n", b"\r\nbody"])
def test_I21_unwanted_fields_go_at_every_cut(body: bytes) -> None:
    octets = HEADER + body
    assert sift(octets) == KEPT + body
    assert sift(*(octets[n : n + 1] for n in range(len(octets)))) == KEPT + body
    for cut in range(len(octets)):
        assert sift(octets[:cut], octets[cut:]) == KEPT + body


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (b"", b""),
        (b"\r\nBad: yes\r\n", b"\r\nBad: yes\r\n"),
        (b"Bad: yes", b""),
        (b"Bad: yes\r\n\r\n", b"\r\n"),
        (b"A: 1\nBad: yes\nB: 2\n\nBad: yes\n", b"A: 1\nB: 2\n\nBad: yes\n"),
        (b"A: 1\rBad: yes\rB: 2\r\n\r\nBad: yes", b"A: 1\rB: 2\r\n\r\nBad: yes"),
        (b"A: 1\r\n\rBad: yes\r\n\r\nb", b"A: 1\r\n\r\r\nb"),
    ],
)
def test_I21_line_ends_of_any_kind_begin_a_field(octets: bytes, kept: bytes) -> None:
    assert sift(octets) == kept
    assert sift(*(octets[n : n + 1] for n in range(len(octets)))) == kept


@pytest.mark.parametrize("piece", [1000, 65536, 1 << 22])
def test_I21_P6_a_field_that_never_seems_to_end_is_not_held(piece: int) -> None:
    long = b"(" + b"x" * 200_000 + b")\r\n (" + b"y" * 200_000 + b")"
    octets = b"A:" + long + b"\r\nBad:" + long + b" no\r\nB: 2\r\nBad: yes\r\n\r\nBad: yes"
    pieces = [octets[n : n + piece] for n in range(0, len(octets), piece)]
    assert sift(*pieces) == b"A:" + long + b"\r\nB: 2\r\n\r\nBad: yes"
