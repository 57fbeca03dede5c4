"""Headers of the PROXY protocol, as a proxy would write them (A-99)."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
US4, US6 = "192.0.2.25", "2001:db8::25"


def write_line(client: str, port: int = 40000) -> bytes:
    """Write version 1."""
    is_ipv6 = ":" in client
    return f"PROXY TCP{'6' if is_ipv6 else '4'} {client} {US6 if is_ipv6 else US4} {port} 25\r\n".encode()


def write_block(client: str, port: int = 40000, more: bytes = b"", command: int = PROXY) -> bytes:
    """Write version 2; `more` is what stands behind the addresses."""
    is_ipv6 = ":" in client
    us = US6 if is_ipv6 else US4
    addresses = ipaddress.ip_address(client).packed + ipaddress.ip_address(us).packed
    block = addresses + struct.pack(">HH", port, 25) + more
    return SIGNATURE + struct.pack(">BBH", command, 0x21 if is_ipv6 else 0x11, len(block)) + block


def write_local(more: bytes = b"") -> bytes:
    """Write version 2 of a proxy that speaks for itself."""
    return SIGNATURE + struct.pack(">BBH", LOCAL, 0, len(more)) + more
