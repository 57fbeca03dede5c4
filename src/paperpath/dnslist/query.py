"""Queries as octets (RFC 1035 §4.1, RFC 6891): what is asked, or why that cannot be answered; pure.

Called by answering.py. Promise: any octets are read in time bounded by their number, and raise nothing but
`QueryError`. A name in a question stands there whole: one that points elsewhere could only point into the
header, so it is a mistake, and there is no way to make us go round in circles.
"""

from dataclasses import dataclass

import dns.rcode
import dns.rdatatype

from paperpath.dns.header import HEADER, OPERATION, RECORD, RESPONSE

_MOST_NAME_OCTETS = 255  # RFC 1035 §2.3.4
_MOST_LABEL_OCTETS = 63
_MOST_ADDITIONAL = 8  # records behind the question; resolvers send one or two
_TAIL_OCTETS = 4  # type and class of a question
_POINTER = 0xC0
_VERSION_SHIFT = 16  # of EDNS, in the TTL of its record


class QueryError(Exception):
    """It cannot be answered; `rcode` says so to whoever asked."""

    def __init__(self, rcode: dns.rcode.Rcode) -> None:
        """Keep the code."""
        super().__init__(dns.rcode.to_text(rcode))
        self.rcode = rcode


@dataclass(frozen=True, slots=True)
class Edns:
    """What whoever asks says of himself (RFC 6891 §6.1): the version that he speaks, and his flags."""

    version: int
    flags: int


@dataclass(frozen=True, slots=True)
class Query:
    """A question. `question` is how it stands in the message, and `folded` its name in lower case."""

    number: int
    flags: int
    question: bytes
    folded: bytes
    starts: tuple[int, ...]
    """Where each label of the name begins, and the end of the name, in `folded` and `question`."""
    kind: int
    group: int
    """The class, of which IN is the only one that anybody asks for."""
    edns: Edns | None = None

    def labels(self, count: int) -> tuple[bytes, ...]:
        """Return the first labels of the name."""
        return tuple(self.folded[start + 1 : start + 1 + self.folded[start]] for start in self.starts[:count])


def is_query(octets: bytes) -> bool:
    """Tell whether octets may be answered at all: what is an answer itself never is, or two would go on."""
    return len(octets) >= HEADER.size and not int.from_bytes(octets[2:4], "big") & RESPONSE


def read_query(octets: bytes) -> Query:
    """Read a message for which `is_query` holds. Raises: QueryError."""
    number, flags, questions, answers, authorities, additional = HEADER.unpack_from(octets)
    if flags & OPERATION:
        raise QueryError(dns.rcode.NOTIMP)
    if (questions, answers, authorities) != (1, 0, 0) or additional > _MOST_ADDITIONAL:
        raise QueryError(dns.rcode.FORMERR)
    starts = _find_labels(octets, HEADER.size)
    end = HEADER.size + starts[-1]
    question = octets[HEADER.size : end + _TAIL_OCTETS]
    if len(question) < starts[-1] + _TAIL_OCTETS:
        raise QueryError(dns.rcode.FORMERR)
    return Query(
        number,
        flags,
        question,
        question[: starts[-1]].lower(),
        starts,
        int.from_bytes(question[-4:-2], "big"),
        int.from_bytes(question[-2:], "big"),
        _find_edns(octets, end + _TAIL_OCTETS, additional),
    )


def _find_labels(octets: bytes, start: int) -> tuple[int, ...]:
    """Return where the labels of a name begin, counted from its start, and its end. Raises: QueryError."""
    starts: list[int] = []
    at = start
    while True:
        length = octets[at] if at < len(octets) else _POINTER
        if length > _MOST_LABEL_OCTETS or at + 1 - start > _MOST_NAME_OCTETS:
            raise QueryError(dns.rcode.FORMERR)
        if length == 0:
            return (*starts, at + 1 - start)
        starts.append(at - start)
        at += 1 + length


def _find_edns(octets: bytes, at: int, records: int) -> Edns | None:
    """Look for the OPT record, of which there is one at most (RFC 6891 §6.1.1). Raises: QueryError."""
    found: Edns | None = None
    for _ in range(records):
        is_root = octets[at : at + 1] == b"\0"
        at = _pass_name(octets, at)
        if at + RECORD.size > len(octets):
            raise QueryError(dns.rcode.FORMERR)
        kind, _, ttl, length = RECORD.unpack_from(octets, at)
        at += RECORD.size + length
        if at > len(octets):
            raise QueryError(dns.rcode.FORMERR)
        if kind == dns.rdatatype.OPT:
            if found is not None or not is_root:
                raise QueryError(dns.rcode.FORMERR)
            found = Edns(ttl >> _VERSION_SHIFT & 0xFF, ttl & 0xFFFF)
    return found


def _pass_name(octets: bytes, at: int) -> int:
    """Return where a name ends, which a pointer may end; where that leads is of no interest."""
    start = at
    while at < len(octets) and at - start <= _MOST_NAME_OCTETS:
        length = octets[at]
        if length >= _POINTER:
            return at + 2
        if length > _MOST_LABEL_OCTETS:
            break
        at += 1 + length
        if length == 0:
            return at
    raise QueryError(dns.rcode.FORMERR)
