"""The public key of a certificate, in the octets in which the certificate has it (RFC 5280 §4.1).

Called by tlsa.py, which compares these octets and digests of them. Cut out and not read and written anew:
what a library makes of a key may be the same key in other octets, or it may not know the algorithm. Pure.
"""

_SEQUENCE = 0x30
_VERSION = 0xA0
_INTEGER = 0x02
_BEHIND_SERIAL = 4
"""What stands between serial number and key: algorithm, issuer, validity, subject."""


def find_public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate, both in DER. Raises: ValueError, for other octets."""
    outer, _ = _enter(certificate, 0, _SEQUENCE)
    place, _ = _enter(certificate, outer, _SEQUENCE)
    if certificate[place : place + 1] == bytes([_VERSION]):
        place = _pass(certificate, place, _VERSION)
    place = _pass(certificate, place, _INTEGER)
    for _ in range(_BEHIND_SERIAL):
        place = _pass(certificate, place, _SEQUENCE)
    return certificate[place : _pass(certificate, place, _SEQUENCE)]


def _pass(octets: bytes, place: int, tag: int) -> int:
    """Return where the element ends that begins at a place. Raises: ValueError."""
    start, length = _enter(octets, place, tag)
    return start + length


def _enter(octets: bytes, place: int, tag: int) -> tuple[int, int]:
    """Return where the content of an element begins, and its length. Raises: ValueError."""
    head = octets[place : place + 2]
    if len(head) < 2 or head[0] != tag:
        raise ValueError("it is no certificate")
    start, length = place + 2, head[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(octets[place + 2 : start], "big")
    if start + length > len(octets):
        raise ValueError("it is no whole certificate")
    return start, length
