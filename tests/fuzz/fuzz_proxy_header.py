"""Invariant: at any cut a plain reader's header is read, or none, and never more than the longest is held."""

import ipaddress

from paperpath.intake.proxy_header import MOST_OCTETS as MOST_HEADER_OCTETS
from paperpath.intake.proxy_header import ProxyHeader, ProxyHeaderError, parse_proxy_header
from tests.fuzz.pace import at_pace
from tests.fuzz.session import segments
from tests.support.proxy import SIGNATURE

MOST_OCTETS = 8192
WORDS = (
    SIGNATURE, b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN", b"192.0.2.9 ", b"2001:db8::9 ",
    b"::ffff:192.0.2.9 ", b"\r\n", b"\x20\x00\x00\x00", b"\x21\x11\x00\x0c", b"\x21\x21\x00\x24",
    b"\x21\x11\x10\x00", b"%eth0", b" 65535", b" 65536", b" 0",
)  # fmt: skip


def check(octets: bytes) -> None:
    """The first octet says how the rest is cut."""
    cut, wire = sum(octets[:1]), octets[1:]
    at_pace(lambda: read(wire, 1), len(wire), 20)
    whole = read(wire, 0)
    assert whole == read(wire, cut) == read(wire, 1)
    assert whole == find_plainly(wire)


def read(wire: bytes, cut: int) -> ProxyHeader | None:
    """Read until there is a header or an error; `None` for the latter, and for an end before either."""
    held = b""
    for segment in segments(wire, cut):
        held += segment
        try:
            header = parse_proxy_header(held)
        except ProxyHeaderError:
            return None
        if header is not None:
            assert header.length <= min(len(held), MOST_HEADER_OCTETS)
            return header
        assert len(held) < MOST_HEADER_OCTETS
    return None


def find_plainly(wire: bytes) -> ProxyHeader | None:
    """Find the header by splitting and counting."""
    try:
        return _find_line(wire) if wire.startswith(b"PROXY ") else _find_block(wire)
    except (ValueError, IndexError):
        return None


def _find_line(wire: bytes) -> ProxyHeader:
    length = wire[:107].index(b"\r\n") + 2
    words = wire[: length - 2].split(b" ")
    if words[1] == b"UNKNOWN":
        return ProxyHeader(length)
    _, family, source, target, port, target_port = (word.decode("ascii") for word in words)
    version = {"TCP4": 4, "TCP6": 6}.get(family)
    addresses = [ipaddress.ip_address(text) for text in (source, target) if "%" not in text]
    ports = [int(text) for text in (port, target_port) if text.isdecimal() and str(int(text)) == text]
    if [address.version for address in addresses] != [version] * 2 or len(ports) < 2 or max(ports) >= 2**16:
        raise ValueError
    return ProxyHeader(length, _write(addresses[0]), ports[0])


def _find_block(wire: bytes) -> ProxyHeader:
    size = wire[14] * 256 + wire[15]
    content = wire[16 : 16 + size]
    if not wire.startswith(SIGNATURE) or wire[12] not in (0x20, 0x21) or size > 4096 or len(content) < size:
        raise ValueError
    if wire[12] == 0x20 or wire[13] == 0:
        return ProxyHeader(16 + size)
    octets = {0x11: 4, 0x21: 16}.get(wire[13], 0)
    if not octets or size < 2 * octets + 4:
        raise ValueError
    port = content[2 * octets] * 256 + content[2 * octets + 1]
    return ProxyHeader(16 + size, _write(ipaddress.ip_address(content[:octets])), port)


def _write(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
