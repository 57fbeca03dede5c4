"""Encodings undone, however the octets are cut (K-27)."""

from base64 import encodebytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.mime.encodings import UnknownEncodingError, decode_pieces
from paperpath.mail.quoted_printable import to_quoted_printable

ENCODINGS = (b"base64", b"quoted-printable", b"7bit")


def decode(encoding: bytes, octets: bytes, length: int = 0) -> bytes:
    pieces = (
        [octets[place : place + length] for place in range(0, len(octets), length)] if length else [octets]
    )
    return b"".join(decode_pieces(encoding, pieces))


@given(st.binary(), st.integers(1, 9))
def test_K27_base64_gives_back_what_was_encoded(octets: bytes, length: int) -> None:
    assert decode(b"BASE64", encodebytes(octets).replace(b"\n", b"\r\n"), length) == octets


@given(st.binary(), st.integers(1, 9))
def test_K27_quoted_printable_gives_back_what_was_encoded(octets: bytes, length: int) -> None:
    assert decode(b"Quoted-Printable", to_quoted_printable(octets), length) == octets


@pytest.mark.parametrize(
    ("encoding", "octets", "decoded"),
    [
        (b"base64", b"YQ==YmM=", b"abc"),
        (b"base64", b"Y*W J\xff\r\njZ", b"abc"[:2] + b"c"),
        (b"base64", b"YWJjZ", b"abc"),
        (b"quoted-printable", b"a =\r\nb  \r\nc=3d=3D=zz=", b"a b\r\nc===zz="),
        (b"quoted-printable", b"a==\r\n41 =  \r\n\t", b"a=41 "),
        (b"quoted-printable", b"=4=\r\n1", b"=41"),
        (b"8bit", b"\xff\0", b"\xff\0"),
    ],
)
def test_K27_what_is_malformed_is_decoded_as_far_as_it_goes(
    encoding: bytes, octets: bytes, decoded: bytes
) -> None:
    assert decode(encoding, octets) == decoded


@given(
    st.lists(st.sampled_from([b"=", b"\r\n", b"\r", b"\n", b" ", b"\t", b"4", b"1", b"A", b"q", b"=3D"])),
    st.sampled_from(ENCODINGS),
    st.integers(1, 5),
)
def test_what_comes_out_does_not_depend_on_how_octets_are_cut(
    pieces: list[bytes], encoding: bytes, length: int
) -> None:
    octets = b"".join(pieces)
    assert decode(encoding, octets, length) == decode(encoding, octets)


def test_K27_an_unknown_encoding_is_said_at_once() -> None:
    with pytest.raises(UnknownEncodingError):
        decode_pieces(b"x-uue", [])


@pytest.mark.slow
@pytest.mark.parametrize("piece", [b" ", b"=", b"= ", b"A", b"=4", b"\r"])
def test_S11_no_body_takes_more_than_linear_time_to_decode(piece: bytes) -> None:
    octets = piece * 2_000_000
    for encoding in ENCODINGS:
        assert len(decode(encoding, octets, 65536)) <= len(octets)
