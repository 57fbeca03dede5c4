"""J-2, J-3: line ends and lone dots, however the text is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands.line_ends import BareCRError, LineEnds, LoneDot


def convert(pieces: list[bytes], *, dot: bool = False) -> bytes:
    ends, lone_dot = LineEnds(), LoneDot()
    written = b""
    for octets in [*map(ends.feed, pieces), ends.finish()]:
        if not dot:
            written += octets
            continue
        more, is_over = lone_dot.feed(octets)
        written += more
        if is_over:
            break
    return written


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    at = sorted({place % (len(octets) + 1) for place in places})
    return [octets[begin:end] for begin, end in zip([0, *at], [*at, len(octets)], strict=True)]


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        (b"", b""),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"a\nb\r\n\n", b"a\r\nb\r\n\r\n"),
        (b"a\nb", b"a\r\nb\r\n"),
    ],
)
def test_J3_lf_becomes_crlf_crlf_stays_and_the_last_line_ends(octets: bytes, wanted: bytes) -> None:
    assert convert([octets]) == wanted
    assert convert([bytes([octet]) for octet in octets]) == wanted


@pytest.mark.parametrize("octets", [b"a\rb\n", b"a\r", b"\r\r\n", b"a\n\r"])
def test_J3_a_bare_cr_is_refused(octets: bytes) -> None:
    for pieces in ([octets], [bytes([octet]) for octet in octets]):
        with pytest.raises(BareCRError):
            convert(pieces)


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        (b"a\n.\nb\n", b"a\r\n"),
        (b"a\r\n.\r\nb", b"a\r\n"),
        (b".\nb\n", b""),
        (b"a\n.", b"a\r\n"),
        (b"a\n..\n.b\n . \n", b"a\r\n..\r\n.b\r\n . \r\n"),
        (b"a.\n", b"a.\r\n"),
    ],
)
def test_J2_a_line_of_one_dot_ends_the_text(octets: bytes, wanted: bytes) -> None:
    assert convert([octets], dot=True) == wanted
    assert convert([bytes([octet]) for octet in octets], dot=True) == wanted


@given(
    st.lists(st.sampled_from([b"\r\n", b"\n", b".", b"a", b"..", b"\n.\n"])).map(b"".join),
    st.lists(st.integers(0, 100)),
    st.booleans(),
)
def test_J2_J3_cuts_change_nothing(octets: bytes, places: list[int], dot: bool) -> None:
    lines = octets.replace(b"\r\n", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if dot and b"." in lines:
        lines = lines[: lines.index(b".")]
    assert convert(cut(octets, places), dot=dot) == b"".join(line + b"\r\n" for line in lines)
