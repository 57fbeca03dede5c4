"""COMPRESS=DEFLATE: raw deflate in both directions (RFC 4978), with little unpacked at a time.

What is sent is flushed each time, so the client can read it at once. A small input may be much when unpacked:
it waits packed until somebody wants it.
"""

import zlib

_RAW = -15  # no header: RFC 4978 §3
_AT_ONCE = 64 * 1024
_MEMORY = 5  # 2 ** (it + 9) octets for a session; the default is three times that


class CompressionError(Exception):
    """What came is not compressed data, or ended."""


class Deflate:
    """Both directions of one session."""

    def __init__(self) -> None:
        """Begin."""
        self._compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, _RAW, _MEMORY)
        self._decompressor = zlib.decompressobj(_RAW)
        self._packed = b""

    def compress(self, octets: bytes) -> bytes:
        """Return what is sent for octets."""
        return self._compressor.compress(octets) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def receive(self, octets: bytes) -> None:
        """Take what came."""
        self._packed += octets

    def inflate(self) -> bytes:
        """Return some of what it says; nothing, where more has to come. Raises: CompressionError."""
        try:
            octets = self._decompressor.decompress(self._packed, _AT_ONCE)
        except zlib.error as error:
            raise CompressionError(str(error)) from error
        self._packed = self._decompressor.unconsumed_tail
        if self._decompressor.eof:
            raise CompressionError("the client ended the compressed data")
        return octets
