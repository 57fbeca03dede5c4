"""COMPRESS=DEFLATE (K-27)."""

import zlib

import pytest

from paperpath.imap.compression import CompressionError, Deflate


def test_K27_what_one_side_packs_the_other_unpacks_at_once() -> None:
    here, there = Deflate(), Deflate()
    for text in (b"a NOOP\r\n", b"b NOOP\r\n"):
        there.receive(here.compress(text))
        assert there.inflate() == text
        assert there.inflate() == b""


def test_P6_a_small_input_is_never_unpacked_as_a_whole() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflate = Deflate()
    deflate.receive(packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH))
    assert len(deflate.inflate()) <= 64 * 1024


def test_K27_what_is_no_compressed_data_is_an_error() -> None:
    deflate = Deflate()
    deflate.receive(b"\xff\xff\xff")
    with pytest.raises(CompressionError):
        deflate.inflate()
