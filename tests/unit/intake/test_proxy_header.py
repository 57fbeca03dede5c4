"""The PROXY protocol, both versions: read whole, cut anywhere, malformed, oversized (A-99)."""

import ipaddress
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.intake.proxy_header import MOST_OCTETS, ProxyHeader, ProxyHeaderError, parse_proxy_header
from tests.support.proxy import SIGNATURE, write_block, write_line, write_local

BEHIND = b"EHLO c\r\n"
TLV = struct.pack(">BH", 0x04, 3) + bytes(3)  # NOOP
LONGEST_LINE = b"PROXY UNKNOWN" + b" " + b"f" * (107 - 16) + b"\r\n"

ADDRESSES = st.ip_addresses().map(str)
PORTS = st.integers(0, 0xFFFF)


def block(command: int, family: int, content: bytes = b"", length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return SIGNATURE + struct.pack(">BBH", command, family, size) + content


@given(ADDRESSES, PORTS, st.sampled_from([write_line, write_block]))
@example("::ffff:192.0.2.9", 1, write_line)
@example("::ffff:192.0.2.9", 1, write_block)
def test_A99_the_address_of_the_client_is_read_at_any_cut(client, port, write):
    header = write(client, port)
    address = ipaddress.ip_address(client)
    expected = str(getattr(address, "ipv4_mapped", None) or address)
    read = ProxyHeader(len(header), expected, port)
    for end in range(len(header)):
        assert parse_proxy_header(header[:end]) is None
    assert parse_proxy_header(header) == parse_proxy_header(header + BEHIND) == read


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
        LONGEST_LINE,
        write_local(),
        write_local(TLV * 9),
        write_block("192.0.2.9", command=0x20),
        block(0x21, 0x00, bytes(40)),
        block(0x20, 0x31, bytes(216)),
    ],
)
def test_A99_a_proxy_that_speaks_for_itself_or_does_not_know_names_nobody(header):
    assert parse_proxy_header(header + BEHIND) == ProxyHeader(len(header))
    assert all(parse_proxy_header(header[:end]) is None for end in range(len(header)))


def test_A99_what_stands_behind_the_addresses_is_passed_over_by_its_length():
    header = write_block("2001:db8::9", 41, TLV * 100 + b"no TLV")
    assert parse_proxy_header(header + BEHIND) == ProxyHeader(len(header), "2001:db8::9", 41)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (BEHIND, "no such header"),
        (b"\x16\x03\x01", "no such header"),
        (b"\r\n\r\nQ", "no such header"),
        (b"proxy TCP4", "no such header"),
        (b"PROXX", "no such header"),
        (b"PROXY  TCP4 192.0.2.9 192.0.2.1 1 2\r\n", "the line is malformed"),
        (b"PROXY TCP5 192.0.2.9 192.0.2.1 1 2\r\n", "the line is malformed"),
        (b"PROXY UNKNOWNS\r\n", "the line is malformed"),
        (b"PROXY TCP4\r\n", "the line is malformed"),
        (b"PROXY TCP4 192.0.2.9 192.0.2.1 1 2 \r\n", "the line is malformed"),
        (b"PROXY TCP4 192.0.2.9 192.0.2.1 01 2\r\n", "the line is malformed"),
        (b"PROXY TCP4 192.0.2.9 192.0.2.1 1 \xb2\r\n", "the line is malformed"),
        (b"PROXY TCP4 192.0.2.9 192.0.2.1 65536 2\r\n", "a port that cannot be"),
        (b"PROXY TCP4 192.0.2.9 192.0.2.1 1 65536\r\n", "a port that cannot be"),
        (b"PROXY TCP4 192.0.2.09 192.0.2.1 1 2\r\n", "an address that cannot be"),
        (b"PROXY TCP4 192.0.2.9 here 1 2\r\n", "an address that cannot be"),
        (b"PROXY TCP4 192.0.2.\xb9 192.0.2.1 1 2\r\n", "an address that cannot be"),
        (b"PROXY TCP4 2001:db8::9 2001:db8::1 1 2\r\n", "an address that cannot be"),
        (b"PROXY TCP6 192.0.2.9 192.0.2.1 1 2\r\n", "an address that cannot be"),
        (b"PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n", "an address that cannot be"),
        (b"PROXY UNKNOWN " + b"f" * 93, "the line is too long"),
        (LONGEST_LINE.replace(b"\r\n", b"f\r\n"), "the line is too long"),
        (block(0x11, 0x11, bytes(12)), "the version or the command is not known"),
        (block(0x22, 0x11, bytes(12)), "the version or the command is not known"),
        (block(0x21, 0x12, bytes(12)), "no client of TCP"),
        (block(0x21, 0x31, bytes(216)), "no client of TCP"),
        (block(0x21, 0x11, bytes(11)), "too short for its addresses"),
        (block(0x21, 0x21, bytes(35)), "too short for its addresses"),
        (block(0x20, 0x00, length=4097), "the block is too long"),
        (block(0x21, 0x11, length=0xFFFF), "the block is too long"),
    ],
)
def test_A99_what_is_no_header_is_known_at_once(octets, reason):
    with pytest.raises(ProxyHeaderError, match=reason):
        parse_proxy_header(octets)


@given(st.binary(max_size=300) | st.binary(max_size=20).map(SIGNATURE.__add__), st.data())
@example(write_block("192.0.2.9", more=bytes(MOST_OCTETS)), None)
@example(b"PROXY UNKNOWN " + b"f" * MOST_OCTETS, None)
def test_A99_P6_whatever_comes_no_more_than_the_bound_is_waited_for(octets, data):
    begin = octets if data is None else octets[: data.draw(st.integers(0, len(octets)))]
    try:
        header = parse_proxy_header(begin)
    except ProxyHeaderError:
        with pytest.raises(ProxyHeaderError):  # and more of it makes it no better
            parse_proxy_header(octets)
    else:
        assert header is not None or len(begin) < MOST_OCTETS
        assert header is None or header.length <= min(len(begin), MOST_OCTETS)
