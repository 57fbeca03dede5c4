"""Octets in, octets out: what dnslistd says to a query, and what that was, for the metrics; pure.

Rules:

1. What is an answer itself, or too short for a query, gets none.
2. An answer has the records of one name and type at most, and repeats nothing but the question. One that is
   longer than the transport takes is empty and says so (TC); by UDP that is 512 octets, whatever the client
   would take, so nobody can use us to flood somebody else by forging his address.
3. Only zones of the configuration are answered for; of all others we know nothing (REFUSED).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import dns.rcode
import dns.rdataclass
import dns.rdatatype

from paperpath.dns.header import (
    AUTHORITATIVE,
    DESIRED,
    HEADER,
    MOST_DATAGRAM_OCTETS,
    OPERATION,
    RECORD,
    RESPONSE,
    TRUNCATED,
    WANTS_DNSSEC,
)
from paperpath.dnslist.query import Query, QueryError, is_query, read_query
from paperpath.dnslist.zone import Found, Place, Zone

MOST_UDP_OCTETS = 512  # RFC 1035 §4.2.1
MOST_TCP_OCTETS = 65535
_MOST_STRING_OCTETS = 255  # of a TXT record's data, which has as many strings as it takes
_POINTER = 0xC000
_TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)
_BADVERS = 1  # the upper bits of 16, in an OPT record's TTL (RFC 6891 §6.1.3)
_EXTENDED_SHIFT = 24

Zones = Mapping[bytes, Zone]
"""By their names, as they stand in messages."""


Speak = Callable[[bytes], bytes | None]
"""What a server calls with a query; `None`: it says nothing."""


class Outcome(Enum):
    """What a query came to."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    ABOUT_ZONE = "zone"
    NO_ADDRESS = "no address"
    """The name is in a zone, and of no form that addresses have."""
    REFUSED = "refused"
    MALFORMED = "malformed"
    """It was no question that we could read, or of a kind that we do not know."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer; `zone` is empty where none was asked about."""

    octets: bytes
    outcome: Outcome
    zone: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    """What stands behind the question: records of its name, or else the reason that there are none."""

    outcome: Outcome
    records: tuple[bytes, ...] = ()
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR


def answer(octets: bytes, zones: Zones, most_octets: int) -> Said | None:
    """Answer a query, with at most so many octets; `None`: say nothing."""
    if not is_query(octets):
        return None
    try:
        query = read_query(octets)
    except QueryError as error:
        return Said(_write_refusal(octets, error.rcode), Outcome.MALFORMED)
    if query.edns is not None and query.edns.version:
        return Said(_write(query, 0, [], extended=_BADVERS), Outcome.MALFORMED)
    index, zone = _find_zone(query, zones)
    if zone is None or query.group != dns.rdataclass.IN or query.kind in _TRANSFERS:
        return Said(_write(query, dns.rcode.REFUSED, []), Outcome.REFUSED)
    content = _find_content(query.kind, zone, zone.find(query.labels(index)))
    authority = [] if content.records else [_write_start(zone, query.starts[index])]
    flags = AUTHORITATIVE | content.rcode
    written = _write(query, flags, content.records, authority)
    if len(written) > most_octets:
        written = _write(query, flags | TRUNCATED, [])
    return Said(written, content.outcome, zone.settings.name)


def _find_zone(query: Query, zones: Zones) -> tuple[int, Zone | None]:
    """Return the longest of the zones that a name is in, and how many labels stand before it."""
    for index, start in enumerate(query.starts[:-1]):
        zone = zones.get(query.folded[start:])
        if zone is not None:
            return index, zone
    return 0, None


def _find_content(kind: int, zone: Zone, found: Found) -> _Content:
    if found.place is Place.TOP:
        return _Content(Outcome.ABOUT_ZONE, _list_top(kind, zone))
    if found.place is Place.NOWHERE:
        return _Content(Outcome.NO_ADDRESS, rcode=dns.rcode.NXDOMAIN)
    if found.entry is None or found.address is None:
        return _Content(Outcome.UNLISTED)
    data = b""
    if kind in (dns.rdatatype.A, dns.rdatatype.ANY):  # RFC 8482 §4.1: of all that there is, something
        kind, data = dns.rdatatype.A, zone.value(found.entry)
    elif kind == dns.rdatatype.TXT:
        data = _write_strings(zone.reason(found.entry, found.address))
    record = _write_record(kind, zone.settings.ttl_s, data)
    return _Content(Outcome.LISTED, (record,) if data else ())


def _list_top(kind: int, zone: Zone) -> tuple[bytes, ...]:
    if kind in (dns.rdatatype.SOA, dns.rdatatype.ANY):
        return (_write_record(dns.rdatatype.SOA, zone.settings.ttl_s, zone.start),)
    if kind == dns.rdatatype.NS:
        return tuple(_write_record(kind, zone.settings.ttl_s, server) for server in zone.servers)
    return ()


def _write_start(zone: Zone, start: int) -> bytes:
    """Write the zone's SOA record, which says how long there is nothing (RFC 2308 §3)."""
    return _write_record(dns.rdatatype.SOA, zone.settings.negative_ttl_s, zone.start, start)


def _write_record(kind: int, ttl_s: int, data: bytes, start: int = 0) -> bytes:
    """Write a record of the name in the question, or of what that ends with, from an octet of it on."""
    owner = (_POINTER | HEADER.size + start).to_bytes(2, "big")
    return owner + RECORD.pack(kind, dns.rdataclass.IN, ttl_s, len(data)) + data


def _write_strings(text: bytes) -> bytes:
    parts = [text[at : at + _MOST_STRING_OCTETS] for at in range(0, len(text), _MOST_STRING_OCTETS)]
    return b"".join(bytes([len(part)]) + part for part in parts)


def _write(
    query: Query, flags: int, records: Sequence[bytes], authority: Sequence[bytes] = (), *, extended: int = 0
) -> bytes:
    options = b""
    if query.edns is not None:
        ttl = extended << _EXTENDED_SHIFT | query.edns.flags & WANTS_DNSSEC
        options = b"\0" + RECORD.pack(dns.rdatatype.OPT, MOST_DATAGRAM_OCTETS, ttl, 0)
    flags |= RESPONSE | query.flags & DESIRED
    head = HEADER.pack(query.number, flags, 1, len(records), len(authority), 1 if options else 0)
    return b"".join([head, query.question, *records, *authority, options])


def _write_refusal(octets: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """Write a header alone, to what cannot be read."""
    number, flags, *_ = HEADER.unpack_from(octets)
    return HEADER.pack(number, RESPONSE | flags & (OPERATION | DESIRED) | rcode, 0, 0, 0, 0)
