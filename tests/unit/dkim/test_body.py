"""Bodies in canonical form: the RFC's vectors, every cut, time (I-5)."""

import base64
import hashlib
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.dkim.body import make_body
from paperpath.dkim.form import Form

LENGTH = 4_000_000
CHUNK = 4096
_VECTORS = [
    (Form.SIMPLE, b"", "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="),
    (Form.RELAXED, b"", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
]


def _write(form: Form, *chunks: bytes) -> bytes:
    written: list[bytes] = []
    body = make_body(form, written.append)
    for chunk in chunks:
        body.add(chunk)
    body.finish()
    return b"".join(written)


@pytest.mark.parametrize(("form", "body", "expected"), _VECTORS)
def test_I5_hash_of_an_empty_body(form: Form, body: bytes, expected: str) -> None:
    digest = hashlib.sha256(_write(form, body)).digest()
    assert base64.b64encode(digest).decode() == expected


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        (b"a \t b\r\n\r\n\r\n", b"a \t b\r\n", b"a b\r\n"),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n", b" C\r\nD E\r\n"),  # RFC 6376 §3.4.5
        (b"a", b"a\r\n", b"a\r\n"),
        (b"a \t", b"a \t\r\n", b"a\r\n"),
        (b"\r\n\r\n", b"\r\n", b""),
        (b" \r\n\t\r\n", b" \r\n\t\r\n", b""),
        (b"\r\n\r\na\r\n", b"\r\n\r\na\r\n", b"\r\n\r\na\r\n"),
        (b"a\r\n \r\n\r\n", b"a\r\n \r\n", b"a\r\n"),
        (b"a\r\n\n\r\n\r\n", b"a\r\n\n\r\n", b"a\r\n\n\r\n"),
        (b"a\r\n\r\r\n", b"a\r\n\r\r\n", b"a\r\n\r\r\n"),
        (b"a\n\n\n", b"a\n\n\n\r\n", b"a\n\n\n\r\n"),
        (b"a \r", b"a \r\r\n", b"a \r\r\n"),
    ],
)
def test_I5_last_empty_lines_go_and_a_last_line_end_comes(body: bytes, simple: bytes, relaxed: bytes) -> None:
    assert _write(Form.SIMPLE, body) == simple
    assert _write(Form.RELAXED, body) == relaxed


@given(
    st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\xff"])).map(b"".join),
    st.lists(st.integers(0, 40)),
)
def test_I5_bodies_may_be_cut_anywhere(body: bytes, cuts: list[int]) -> None:
    chunks = [body[begin:end] for begin, end in pairwise([0, *sorted(cuts), max([len(body), *cuts])])]
    assert b"".join(chunks) == body
    assert _write(Form.SIMPLE, *chunks) == re.sub(rb"(\r\n)*\Z", b"", body, count=1) + b"\r\n"
    shortened = re.sub(rb"[ \t]+", b" ", body)
    shortened = re.sub(rb" (?=\r\n|\Z)", b"", shortened)
    shortened = re.sub(rb"(\r\n)*\Z", b"", shortened, count=1)
    assert _write(Form.RELAXED, *chunks) == (shortened and shortened + b"\r\n")


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(
    "piece", [b"\r\n", b"\n", b"\r", b" ", b" \t", b" \r\n", b"\r\n\n", b"a \r", b"\r\nx"], ids=repr
)
def test_S11_no_body_takes_more_than_linear_time_to_canonicalize(form: Form, piece: bytes) -> None:
    # Were one step needed for each pair of octets, this would run for minutes.
    whole = piece * (LENGTH // len(piece))
    body = make_body(form, len)
    for begin in range(0, len(whole), CHUNK):
        body.add(whole[begin : begin + CHUNK])
    body.add(whole)
    body.finish()


@pytest.mark.parametrize("form", Form)
def test_last_empty_lines_are_counted_and_not_kept(form: Form) -> None:
    longest = 0

    def write(octets: bytes) -> None:
        nonlocal longest
        longest = max(longest, len(octets))

    body = make_body(form, write)
    for _ in range(LENGTH // CHUNK):
        body.add(b"\r\n" * (CHUNK // 2))
    body.add(b"a")
    body.finish()
    assert longest <= 2 * CHUNK
