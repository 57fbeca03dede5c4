"""The types of records that are asked for, and what a record of each is here: plain values.

Used by whoever asks, and by wire.py, which reads the records. A type knows the value it gives, so an answer
about `MX` has `Exchange`s and one about `A` has addresses as text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import dns.name
import dns.rdatatype
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.nsbase

Value = TypeVar("Value", covariant=True)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A host that takes mail for a domain (RFC 5321 §5.1); `host` is empty for the root, as in a null MX."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class Tlsa:
    """What a host's certificate must be (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class RecordType(Generic[Value]):
    """A type of records: its name, its number on the wire, how one becomes a value."""

    name: str
    number: int
    read: Callable[[Any], Value]

    def __str__(self) -> str:
        return self.name


def format_name(name: dns.name.Name) -> str:
    """Write a name as it compares: lower case, no trailing dot; octets that no host name has are escaped."""
    return name.to_text(omit_final_dot=True).lower() if name.labels != (b"",) else ""


def _make(kind: dns.rdatatype.RdataType, read: Callable[[Any], Value]) -> RecordType[Value]:
    return RecordType(kind.name, int(kind), read)


def _read_address(data: dns.rdtypes.IN.A.A | dns.rdtypes.IN.AAAA.AAAA) -> str:
    return str(data.address)


def _read_target(data: dns.rdtypes.nsbase.NSBase) -> str:
    return format_name(data.target)


A = _make(dns.rdatatype.A, _read_address)
AAAA = _make(dns.rdatatype.AAAA, _read_address)
MX = _make(dns.rdatatype.MX, lambda data: Exchange(data.preference, format_name(data.exchange)))
TXT = _make(dns.rdatatype.TXT, lambda data: b"".join(data.strings))
TLSA = _make(
    dns.rdatatype.TLSA, lambda data: Tlsa(int(data.usage), int(data.selector), int(data.mtype), data.cert)
)
PTR = _make(dns.rdatatype.PTR, _read_target)
CNAME = _make(dns.rdatatype.CNAME, _read_target)
