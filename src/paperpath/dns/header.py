"""What begins every message of the DNS, and every record in one (RFC 1035 §4.1, RFC 6891 §6.1).

Used by whoever asks (wire.py), and by dnslistd, which answers.
"""

import struct

MOST_DATAGRAM_OCTETS = 1232  # which need no fragments on any path: what DNS software agreed on in 2020

HEADER = struct.Struct("!HHHHHH")
"""Number, flags, and how many questions, answers, authorities and additional records follow."""
RECORD = struct.Struct("!HHIH")
"""Type, class, TTL, and the length of the data; the owner's name stands before it."""

RESPONSE, OPERATION, AUTHORITATIVE, TRUNCATED, DESIRED, SECURE = (
    0x8000,
    0x7800,
    0x0400,
    0x0200,
    0x0100,
    0x0020,
)
"""The flags of the header: an answer, the kind of query, AA, TC, RD, AD."""
WANTS_DNSSEC = 0x8000
"""In the TTL of an OPT record: DO (RFC 3225)."""
