"""A message cut into header and body, however it comes, and no more held than is allowed (P6)."""

import errno
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.values import SMALL_CONTENT_OCTETS
from paperpath.submission.body import WaitingBody
from paperpath.submission.canonical.body import NO_BODY
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.section import MOST_HEADER_OCTETS
from paperpath.submission.draft import Draft

MESSAGES = {
    "header and body": (
        b"A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore\r\n",
        b"A: b\r\nC: d\r\n",
        b"body\r\n\r\nmore\r\n",
    ),
    "no header": (b"\r\nbody\r\n", b"", b"body\r\n"),
    "no header, an empty line first": (b"\r\n\r\nbody\r\n", b"", b"\r\nbody\r\n"),
    "no body": (b"A: b\r\n\r\n", b"A: b\r\n", b""),
    "no empty line": (b"A: b\r\nC: d\r\n", b"A: b\r\nC: d\r\n", None),
    "no end of line": (b"A: b\r\nC: d", b"A: b\r\nC: d\r\n", None),
    "half an end of line": (b"A: b\r\nC: d\r", b"A: b\r\nC: d\r\r\n", None),
    "nothing": (b"", b"", None),
}


def cut(message: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(message)) for place in places} | {0, len(message)})
    return [message[begin:end] for begin, end in pairwise(ends)]


@pytest.mark.parametrize(("message", "header", "body"), MESSAGES.values(), ids=MESSAGES.keys())
@given(places=st.lists(st.integers(0, 40)))
def test_however_it_is_cut_header_and_body_are_the_same(
    message: bytes, header: bytes, body: bytes | None, places: list[int]
) -> None:
    draft = Draft(Path())
    for piece in cut(message, places):
        draft.add(piece)
    draft.finish()
    assert draft.header == header
    assert draft.has_separator is (body is not None)
    assert b"".join(draft.body.read()) == (body or b"")
    draft.close()


def test_P6_of_a_header_that_does_not_end_nothing_is_held() -> None:
    draft = Draft(Path())
    for _ in range(2 * MOST_HEADER_OCTETS // 1000):
        draft.add(b"X: " + b"x" * 995 + b"\r\n")
    assert draft.header_octets == 0
    with pytest.raises(CanonicalError, match=r"^554 5\.6\.0 "):
        draft.finish()
    draft.close()


def test_a_header_as_long_as_it_may_be_is_taken() -> None:
    draft = Draft(Path())
    draft.add(b"X: " + b"x" * (MOST_HEADER_OCTETS - 5) + b"\r\n\r\n")
    assert draft.finish() == NO_BODY
    assert draft.header_octets == MOST_HEADER_OCTETS
    draft.close()


def test_what_the_body_is_like_is_seen_while_it_passes() -> None:
    draft = Draft(Path())
    for octet in "Subject: x\r\n\r\nüber\r\n".encode():
        draft.add(bytes([octet]))
    facts = draft.finish()
    assert facts.is_eight_bit
    assert facts.is_utf8
    draft.close()


@pytest.mark.parametrize("octets", [0, SMALL_CONTENT_OCTETS, SMALL_CONTENT_OCTETS + 1, 1_000_000])
def test_L3_a_body_waits_in_memory_or_in_a_file_without_a_name(tmp_path: Path, octets: int) -> None:
    body, content = WaitingBody(tmp_path), os.urandom(octets)
    for begin in range(0, octets, 7000):
        body.write(content[begin : begin + 7000])
    assert body.is_in_file is (octets > SMALL_CONTENT_OCTETS)
    for _ in range(2):  # it may be read again
        assert b"".join(body.read()) == content
    assert list(tmp_path.iterdir()) == []
    body.close()


def test_a_full_disk_is_told_as_such() -> None:
    body = WaitingBody(Path("/dev/shm/there/is/no/such/folder"))
    with pytest.raises(StorageError) as caught:
        body.write(b"x" * (SMALL_CONTENT_OCTETS + 1))
    assert not caught.value.no_space
    full = WaitingBody(Path())
    full._file = Path("/dev/full").open("r+b", buffering=0)  # noqa: SIM115 - `close` does
    with pytest.raises(StorageError) as caught:
        full.write(b"x")
    assert caught.value.no_space
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    full.close()
