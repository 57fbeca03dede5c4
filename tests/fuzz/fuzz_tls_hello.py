"""Invariant: no octets do harm, and a ClientHello names, at any cut, the host that a plain reader finds."""

from paperpath.service.tls.hello import MOST_HELLO_OCTETS, HelloReader, find_server_name
from tests.fuzz.pace import at_pace
from tests.fuzz.session import segments

MOST_OCTETS = 4096
WORDS = (b"\x16\x03\x01", b"\x01\x00\x00", b"\x00\x00", b"\x03\x03", b"\x00\x05\x00\x00\x02")


def check(octets: bytes) -> None:
    """The first octet says how the rest is cut."""
    cut, wire = sum(octets[:1]), octets[1:]
    at_pace(lambda: read(wire, 1), len(wire), 20)
    whole, pieces = read(wire, 0), read(wire, cut)
    assert whole == pieces
    assert find_server_name(wire) == find_plainly(wire)


def read(wire: bytes, cut: int) -> tuple[bool, bytes]:
    """Read until it is enough; tell whether it was, and the name."""
    reader = HelloReader()
    taken, is_enough = 0, False
    for segment in segments(wire, cut):
        is_enough = reader.receive(segment)
        taken += len(segment)
        assert reader.octets == wire[:taken]
        assert is_enough or taken <= MOST_HELLO_OCTETS
        if is_enough:
            break
    message = gather(wire)
    assert reader.find_server_name() in (b"", find_plainly(message))
    assert not reader.is_too_long or is_enough
    return is_enough, reader.find_server_name()


def gather(wire: bytes) -> bytes:
    """Take the records of a handshake off their message."""
    message = b""
    while wire[:1] == b"\x16" and len(wire) >= 5:
        size = wire[3] * 256 + wire[4]
        message, wire = message + wire[5 : 5 + size], wire[5 + size :]
    return message


def find_plainly(message: bytes) -> bytes:
    """Find the name by counting octets."""
    try:
        at = 38
        at += 1 + message[at]
        at += 2 + 256 * message[at] + message[at + 1]
        at += 1 + message[at]
        end = at + 2 + 256 * message[at] + message[at + 1]
        if end > len(message):
            return b""
        return _find_in_extensions(message[at + 2 : end])
    except IndexError:
        return b""


def _find_in_extensions(octets: bytes) -> bytes:
    while octets:
        size = 256 * octets[2] + octets[3]
        content, octets, is_name = octets[4 : 4 + size], octets[4 + size :], octets[:2] == b"\0\0"
        if len(content) < size:
            return b""
        if is_name:
            return _find_in_names(content)
    return b""


def _find_in_names(octets: bytes) -> bytes:
    size = 256 * octets[0] + octets[1]
    names = octets[2 : 2 + size]
    if len(names) < size:
        return b""
    while names:
        length = 256 * names[1] + names[2]
        name = names[3 : 3 + length]
        if len(name) < length:
            return b""
        if names[0] == 0:
            return name
        names = names[3 + length :]
    return b""
