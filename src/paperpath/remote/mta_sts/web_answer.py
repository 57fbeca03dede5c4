"""The answer of a web server to one GET, read from a stream: its body, if it is a text (RFC 9112).

As much of HTTP as it takes to get a small file, on a connection that is for this alone. What leads elsewhere,
is of another type, or longer than allowed is an error: nothing is followed, and nothing is remembered.
"""

import asyncio
import re
from email.message import Message
from http.client import HTTPException, parse_headers
from io import BytesIO

MOST_HEAD_OCTETS = 16 * 1024
"""The limit that the stream is to have."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: .*)?\r\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\r\n")
_LENGTH = re.compile(r"[0-9]{1,12}")
_TYPE = "text/plain"


class WebError(Exception):
    """There is no such text: why."""


def make_request(host: str, path: str) -> bytes:
    """Return the octets that ask for a file."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Accept: {_TYPE}",
        "Accept-Encoding: identity",
        "User-Agent: Paperpath",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


async def read_body(stream: asyncio.StreamReader, most_octets: int) -> bytes:
    """Read the answer, as long as that takes. Raises: WebError, OSError."""
    try:
        fields = _read_head(await stream.readuntil(b"\r\n\r\n"))
        encoding = fields.get("Transfer-Encoding")
        if encoding is not None:
            return await _read_chunks(stream, encoding, most_octets)
        return await _read_plain(stream, fields.get("Content-Length"), most_octets)
    except asyncio.IncompleteReadError as error:
        raise WebError("the answer ends too early") from error
    except asyncio.LimitOverrunError as error:
        raise WebError("the head of the answer is too long") from error


def _read_head(octets: bytes) -> Message:
    """Return the fields. Raises: WebError, unless what follows is what was asked for."""
    status = _STATUS.match(octets)
    if status is None:
        raise WebError("the answer is not HTTP")
    if status[1] != b"200":
        raise WebError(f"the status is {status[1].decode('ascii')}")
    try:
        fields = parse_headers(BytesIO(octets[status.end() :]))
    except HTTPException as error:
        raise WebError("the answer has too many fields") from error
    found = fields.get("Content-Type", "").partition(";")[0].strip().lower()
    if found != _TYPE:
        raise WebError(f"the type is {found or 'not told'}")
    return fields


async def _read_plain(stream: asyncio.StreamReader, length: str | None, most_octets: int) -> bytes:
    if length is None:
        body = await _read_to_end(stream, most_octets + 1)
    elif _LENGTH.fullmatch(length.strip()) is None:
        raise WebError("the length is no number")
    else:
        body = await stream.readexactly(min(int(length), most_octets + 1))
    return _bound(body, most_octets)


async def _read_to_end(stream: asyncio.StreamReader, enough: int) -> bytes:
    body = bytearray()
    while len(body) < enough and (some := await stream.read(enough - len(body))):
        body += some
    return bytes(body)


async def _read_chunks(stream: asyncio.StreamReader, encoding: str, most_octets: int) -> bytes:
    if encoding.strip().lower() != "chunked":
        raise WebError("the answer has an encoding of its own")
    body = bytearray()
    while True:
        size = _SIZE.fullmatch(await stream.readuntil(b"\r\n"))
        if size is None:
            raise WebError("a chunk has no size")
        octets = int(size[1], 16)
        if octets == 0:
            return bytes(body)
        body += await stream.readexactly(min(octets, most_octets + 1))
        _bound(body, most_octets)
        if await stream.readexactly(2) != b"\r\n":
            raise WebError("a chunk is longer than its size")


def _bound(body: bytes | bytearray, most_octets: int) -> bytes:
    if len(body) > most_octets:
        raise WebError(f"the answer has more than {most_octets} octets")
    return bytes(body)
