"""Questions and answers as octets (RFC 1035 §4, RFC 6891, RFC 4035 §3.2), on dnspython's codec.

Called by the transports. Pure. Promise: any octets are an answer or `None`, and reading them takes time in
proportion to what is used of them. So only the records that were asked for are read, the aliases that lead to
them, and the SOA record that says how long there are none. The codec's own reader of whole messages takes
seconds for 64 KiB that somebody made for the purpose.
"""

import struct
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.SOA
import dns.wire

from paperpath.dns.answer import Answer, Status
from paperpath.dns.header import (
    DESIRED,
    HEADER,
    MOST_DATAGRAM_OCTETS,
    OPERATION,
    RECORD,
    RESPONSE,
    SECURE,
    TRUNCATED,
    WANTS_DNSSEC,
)
from paperpath.dns.records import RecordType, format_name

MOST_RECORDS = 1000
MOST_ALIASES = 8
AGE_WITHOUT_SOA_S = 5

_LARGEST_TTL = 0x7FFFFFFF
# Both DO and AD are set: there are resolvers that tell whether an answer is secure for one of them only.
_EDNS = b"\0" + RECORD.pack(dns.rdatatype.OPT, MOST_DATAGRAM_OCTETS, WANTS_DNSSEC, 0)


@dataclass(frozen=True, slots=True)
class Question:
    """A name and a type; `octets` is how they stand in a message."""

    name: dns.name.Name
    type: RecordType[Any]
    octets: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says; `size` is that of the message, `age_s` how long it is true."""

    answer: Answer[Any]
    age_s: int = 0
    size: int = 0
    is_truncated: bool = False
    leads_to: dns.name.Name | None = None
    """Where the aliases lead, if the server left it to us to ask there."""


@dataclass(slots=True)
class _Found:
    """What was read of the records: aliases by name, values by name, and the age of the shortest-lived."""

    aliases: dict[dns.name.Name, tuple[dns.name.Name, int]]
    values: dict[dns.name.Name, list[Any]]
    ages: dict[dns.name.Name, int]
    age_of_nothing_s: int | None = None


def make_question(name: dns.name.Name, kind: RecordType[Any]) -> Question:
    """Make a question."""
    return Question(name, kind, name.to_digestable() + struct.pack("!HH", kind.number, dns.rdataclass.IN))


def make_query(question: Question, number: int) -> bytes:
    """Write a query that asks for recursion, for DNSSEC's word, and for answers that fit one packet."""
    return HEADER.pack(number, DESIRED | SECURE, 1, 0, 0, 1) + question.octets + _EDNS


def read_number(octets: bytes) -> int:
    """Return the number by which a message names its query."""
    return int.from_bytes(octets[:2], "big")


def read_answer(octets: bytes, question: Question, *, trusted: bool) -> Reading | None:
    """Read an answer to this very question; `None` for anything else.

    `trusted`: the server may say that an answer is secure. The message's number is the caller's to check.
    """
    if not _answers(octets, question):
        return None
    _, flags, _, answers, authorities, _ = HEADER.unpack_from(octets)
    if flags & TRUNCATED:
        return Reading(Answer(Status.FAILED, detail="truncated"), is_truncated=True)
    rcode = flags & 0xF
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Reading(Answer(Status.FAILED, detail=dns.rcode.Rcode.to_text(rcode)))
    try:
        found = _read_records(octets, question, answers, authorities)
    except dns.exception.DNSException:
        return None
    is_secure = trusted and bool(flags & SECURE)
    return _conclude(question, found, rcode == dns.rcode.NXDOMAIN, is_secure, len(octets))


def _answers(octets: bytes, question: Question) -> bool:
    """Tell whether this is a response to this one question (RFC 5452 §9.1); case may differ."""
    if len(octets) < HEADER.size + len(question.octets):
        return False
    _, flags, questions, *_ = HEADER.unpack_from(octets)
    asked = octets[HEADER.size : HEADER.size + len(question.octets)]
    return (
        flags & (RESPONSE | OPERATION) == RESPONSE
        and questions == 1
        and asked[-4:] == question.octets[-4:]
        and asked[:-4].lower() == question.octets[:-4]
    )


def _read_records(octets: bytes, question: Question, answers: int, authorities: int) -> _Found:
    """Raises: dns.exception.DNSException."""
    parser = dns.wire.Parser(octets, HEADER.size + len(question.octets))
    found = _Found({}, {}, {})
    count = 0
    for _ in range(answers):
        owner, kind, age_s, end = _read_head(parser)
        if kind == question.type.number:
            if count == MOST_RECORDS:
                return found
            count += 1
            value = question.type.read(_read_data(parser, kind, end))
            found.values.setdefault(owner, []).append(value)
            found.ages[owner] = min(age_s, found.ages.get(owner, age_s))
        elif kind == dns.rdatatype.CNAME and len(found.aliases) <= MOST_ALIASES:
            found.aliases.setdefault(owner, (_read_alias(parser, end), age_s))
        parser.seek(end)
    for _ in range(authorities):
        owner, kind, age_s, end = _read_head(parser)
        if kind == dns.rdatatype.SOA:
            # RFC 2308 §5: the lesser of both.
            found.age_of_nothing_s = min(age_s, _read_minimum(parser, end))
            break
        parser.seek(end)
    return found


def _read_head(parser: dns.wire.Parser) -> tuple[dns.name.Name, int, int, int]:
    """Return a record's owner, type (0 where the class is none of ours), TTL, and where it ends."""
    owner = parser.get_name(decompress=True)
    kind, group, age_s, length = parser.get_struct(RECORD.format)
    if length > parser.remaining():
        raise dns.exception.FormError
    # RFC 2181 §8: a TTL with the first bit set is none.
    return (
        owner,
        kind if group == dns.rdataclass.IN else 0,
        age_s if age_s <= _LARGEST_TTL else 0,
        parser.current + length,
    )


def _read_alias(parser: dns.wire.Parser, end: int) -> dns.name.Name:
    alias = _read_data(parser, dns.rdatatype.CNAME, end)
    assert isinstance(alias, dns.rdtypes.ANY.CNAME.CNAME)
    return alias.target


def _read_minimum(parser: dns.wire.Parser, end: int) -> int:
    start = _read_data(parser, dns.rdatatype.SOA, end)
    assert isinstance(start, dns.rdtypes.ANY.SOA.SOA)
    return start.minimum


def _read_data(parser: dns.wire.Parser, kind: int, end: int) -> dns.rdata.Rdata:
    with parser.restrict_to(end - parser.current):
        return dns.rdata.from_wire_parser(dns.rdataclass.IN, dns.rdatatype.RdataType(kind), parser)


def _conclude(question: Question, found: _Found, is_missing: bool, is_secure: bool, size: int) -> Reading:
    name, ages = question.name, []
    for _ in range(MOST_ALIASES + 1):
        if name in found.values or name not in found.aliases:
            break
        name, age_s = found.aliases[name]
        ages.append(age_s)
    else:
        return Reading(Answer(Status.FAILED, detail="aliases without an end"), size=size)
    values = tuple(found.values.get(name, ()))
    if values and is_missing:
        return Reading(Answer(Status.FAILED, detail="a name that is there and is not"), size=size)
    if values:
        ages.append(found.ages[name])
        answer = Answer(Status.FOUND, values, format_name(name), is_secure)
        return Reading(answer, min(ages), size)
    ages.append(AGE_WITHOUT_SOA_S if found.age_of_nothing_s is None else found.age_of_nothing_s)
    status = Status.NXDOMAIN if is_missing else Status.NODATA
    # Where the server has followed the aliases to a name without such a record, it says so by a SOA record.
    is_open = status is Status.NODATA and name != question.name and found.age_of_nothing_s is None
    answer = Answer(status, (), format_name(name), is_secure)
    return Reading(answer, min(ages), size, leads_to=name if is_open else None)
