"""The line ends of a batch: LF or CRLF, as the first line has them, never both (J-27)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.submission.batch.line_ends import LineEnds


def convert(*pieces: bytes) -> tuple[bytes, bool, bytes]:
    """Return what is given of a batch, whether its ends are mixed, and what lies behind that."""
    ends = LineEnds()
    given_out = b""
    for number, piece in enumerate(pieces):
        given_out += ends.feed(piece)
        if ends.is_mixed:
            return given_out, True, ends.rest + b"".join(pieces[number + 1 :])
    ends.finish()
    return given_out, ends.is_mixed, ends.rest


@pytest.mark.parametrize(
    ("octets", "given_out", "rest"),
    [
        (b"a\nb\n\nc", b"a\r\nb\r\n\r\nc", None),
        (b"a\r\nb\r\n\r\nc", b"a\r\nb\r\n\r\nc", None),
        (b"\na\n", b"\r\na\r\n", None),
        (b"no end", b"no end", None),
        (b"", b"", None),
        (b"a\nb\r\nc\n", b"a\r\nb", b"\r\nc\n"),
        (b"a\r\nb\nc\r\n", b"a\r\nb", b"\nc\r\n"),
        (b"a\r\nb\rc\r\n", b"a\r\nb", b"\rc\r\n"),
        (b"a\nb\rc\n", b"a\r\nb", b"\rc\n"),
        (b"a\rb\n", b"a", b"\rb\n"),
        (b"a\r\nb\r", b"a\r\nb", b"\r"),
        (b"a\r\nb\r\n.\n", b"a\r\nb\r\n.", b"\n"),
    ],
)
def test_J27_all_lines_end_as_the_first_does(octets: bytes, given_out: bytes, rest: bytes | None) -> None:
    assert convert(octets) == (given_out, rest is not None, rest or b"")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a"])), st.data())
def test_J27_however_a_batch_is_cut_it_is_the_same(pieces: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)))))
    cut = [octets[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    whole = convert(octets)
    assert convert(*cut) == whole
    given_out, is_mixed, rest = whole
    assert given_out.count(b"\r\n") == given_out.count(b"\r") == given_out.count(b"\n")
    if not is_mixed:
        assert given_out in (octets, octets.replace(b"\n", b"\r\n"))
    assert octets.endswith(rest)
