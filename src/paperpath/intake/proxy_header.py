"""What a proxy says, before anything else, about the client it speaks for: the PROXY protocol, 1 and 2.

Called by the beginning of a session with all that has come as yet. Pure. Promise: whatever comes, it is a
header, or not one, or so far the begin of one of at most `MOST_OCTETS`. Names in it are not looked at, and
what it says behind the addresses (TLVs) is passed over.

HAProxy's text is the only specification: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
import re
import struct
from dataclasses import dataclass

MOST_LINE_OCTETS = 107  # of version 1, CRLF included
MOST_BLOCK_OCTETS = 4096  # of version 2, behind its begin; addresses have 36 of them at most

_LINE_BEGIN = b"PROXY "
_LINE = re.compile(rb"PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})")
_UNKNOWN_LINE = re.compile(rb"PROXY UNKNOWN(?: .*)?", re.DOTALL)
_BLOCK_BEGIN = b"\r\n\r\n\0\r\nQUIT\n"
_BLOCK = struct.Struct(">12sBBH")  # begin, version and command, family and transport, length
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED = 0x00
_ADDRESSES = {
    0x11: struct.Struct(">4s4sHH"),  # TCP over IPv4: source, destination, and their ports
    0x21: struct.Struct(">16s16sHH"),  # TCP over IPv6
}
MOST_OCTETS = _BLOCK.size + MOST_BLOCK_OCTETS


class ProxyHeaderError(Exception):
    """This is no header that we take. The text is for a log: plain words, and none that came."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """Whom a proxy speaks for, in `length` octets; without an address it is itself, or does not know."""

    length: int
    address: str = ""
    port: int = 0


def parse_proxy_header(octets: bytes) -> ProxyHeader | None:
    """Read the header that octets begin with; `None` as long as its end has not come.

    Raises: ProxyHeaderError.
    """
    if octets[:1] == _LINE_BEGIN[:1]:
        return _parse_line(octets)
    return _parse_block(octets)


def _parse_line(octets: bytes) -> ProxyHeader | None:
    _check_begin(octets, _LINE_BEGIN)
    end = octets.find(b"\r\n", 0, MOST_LINE_OCTETS)
    if end < 0:
        if len(octets) >= MOST_LINE_OCTETS:
            raise ProxyHeaderError("the line is too long")
        return None
    line, length = octets[:end], end + 2
    if _UNKNOWN_LINE.fullmatch(line):
        return ProxyHeader(length)
    match = _LINE.fullmatch(line)
    if match is None:
        raise ProxyHeaderError("the line is malformed")
    version, *addresses = match.group(1, 2, 3)
    source, _ = (_read_address(address, int(version)) for address in addresses)
    port, _ = (_read_port(port) for port in match.group(4, 5))
    return ProxyHeader(length, source, port)


def _read_address(text: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(text.decode("ascii"))
    except ValueError:
        raise ProxyHeaderError("the line has an address that cannot be") from None
    if address.version != version or b"%" in text:  # an interface of the proxy's is none of ours
        raise ProxyHeaderError("the line has an address that cannot be")
    return _write_address(address)


def _read_port(text: bytes) -> int:
    if (port := int(text)) > 0xFFFF:
        raise ProxyHeaderError("the line has a port that cannot be")
    return port


def _parse_block(octets: bytes) -> ProxyHeader | None:
    _check_begin(octets, _BLOCK_BEGIN)
    if len(octets) < _BLOCK.size:
        return None
    _, command, family, size = _BLOCK.unpack_from(octets)
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError("the version or the command is not known")
    if size > MOST_BLOCK_OCTETS:
        raise ProxyHeaderError("the block is too long")
    layout = _find_layout(command, family)
    if layout is not None and size < layout.size:
        raise ProxyHeaderError("the block is too short for its addresses")
    length = _BLOCK.size + size
    if len(octets) < length:
        return None
    if layout is None:
        return ProxyHeader(length)
    source, _, port, _ = layout.unpack_from(octets, _BLOCK.size)
    return ProxyHeader(length, _write_address(ipaddress.ip_address(source)), port)


def _find_layout(command: int, family: int) -> struct.Struct | None:
    """Return how addresses are written; `None` where the proxy speaks for itself, or does not know."""
    if command == _LOCAL or family == _UNSPECIFIED:
        return None
    if family not in _ADDRESSES:
        raise ProxyHeaderError("the client is no client of TCP")
    return _ADDRESSES[family]


def _check_begin(octets: bytes, begin: bytes) -> None:
    """See that octets are what a header begins with, as far as they have come. Raises: ProxyHeaderError."""
    if not octets.startswith(begin[: len(octets)]):
        raise ProxyHeaderError("what came is no such header")


def _write_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Write an address; IPv4 is IPv4, however it came."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
