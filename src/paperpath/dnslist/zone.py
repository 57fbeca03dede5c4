"""A zone that is a list, and what it has under a name (RFC 5782 §2.1, §2.4, §5); pure.

Rules:

1. `d.c.b.a` and 32 nibbles name an address, whether or not it is listed: an unlisted one is a name without
   records, which says as much as no name.
2. What such a name may end with is there too, without records: a resolver that asks label by label (RFC 9156)
   and hears that "127" is no name would ask no further (RFC 8020). Any other name is not there.
3. Every list has 127.0.0.2, whatever its file says; none has 127.0.0.1, which its file cannot say.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from paperpath.config.dnslistd_table import ZoneEntry
from paperpath.config.own_list import ADDRESS_MARK
from paperpath.config.tables import Configuration
from paperpath.dns.lists import POINTS, IpAddress
from paperpath.dnslist.list_text import AddressList, Entry

_OCTETS = {str(octet).encode(): octet for octet in range(256)}
_NIBBLES = {b"%x" % nibble: nibble for nibble in range(16)}
_IPV4_LABELS, _IPV6_LABELS = 4, 32
_MOST_LABEL_OCTETS = 63
_REFRESH_S, _RETRY_S, _EXPIRE_S = 3600, 600, 7 * 86_400
"""For secondaries, which copy the file by other means than the DNS; here for the form's sake."""
_POINT = POINTS[4].listed


class Place(Enum):
    """What a name in a zone is."""

    TOP = "top"
    ADDRESS = "address"
    BETWEEN = "between"
    """It has no records; there are names below it."""
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Found:
    """What a zone has under a name; `entry` is there if it names an address that is listed."""

    place: Place
    address: IpAddress | None = None
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A list, and what is said of all its entries. Names are as they stand in messages."""

    settings: ZoneEntry
    entries: AddressList
    servers: tuple[bytes, ...]
    start: bytes
    """The data of its SOA record."""

    @property
    def name(self) -> bytes:
        """Its name."""
        return encode_name(self.settings.name)

    def find(self, labels: Sequence[bytes]) -> Found:
        """Return what there is under the labels in front of the zone's own, which are in lower case."""
        if not labels:
            return Found(Place.TOP)
        address = _read_address(labels)
        if address is not None:
            return Found(Place.ADDRESS, address, self._find_entry(address))
        return Found(Place.BETWEEN if _leads_to_address(labels) else Place.NOWHERE)

    def value(self, entry: Entry) -> bytes:
        """Return the data of an entry's A record."""
        return (self.settings.value if entry.value is None else entry.value).packed

    def reason(self, entry: Entry, address: IpAddress) -> bytes:
        """Return the text of an entry's TXT record, about an address."""
        reason = self.settings.reason if entry.reason is None else entry.reason
        return reason.replace(ADDRESS_MARK, str(address)).encode("utf-8", "replace")

    def _find_entry(self, address: IpAddress) -> Entry | None:
        entry = self.entries.find(address)
        return Entry() if entry is None and address == _POINT else entry  # rule 3


def make_zone(configuration: Configuration, settings: ZoneEntry, entries: AddressList) -> Zone:
    """Make a zone of a list; the rest is as the configuration says."""
    table = configuration.dnslistd
    named = table.name_servers if table is not None else ()
    servers = tuple(encode_name(name) for name in named or (configuration.hostname,))
    local, _, domain = configuration.post_office.postmaster.rpartition("@")
    mailbox = local.encode()[:_MOST_LABEL_OCTETS]
    times = (entries.changed_s & 0xFFFFFFFF, _REFRESH_S, _RETRY_S, _EXPIRE_S, settings.negative_ttl_s)
    start = [servers[0], bytes([len(mailbox)]), mailbox, encode_name(domain)]
    return Zone(settings, entries, servers, b"".join([*start, *(time.to_bytes(4, "big") for time in times)]))


def encode_name(name: str) -> bytes:
    """Write a name in ASCII as it stands in messages."""
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _read_address(labels: Sequence[bytes]) -> IpAddress | None:
    """Read a whole name; a mapped address is what it is (C-17)."""
    if len(labels) == _IPV4_LABELS:
        octets = [_OCTETS.get(label, -1) for label in reversed(labels)]
        return None if -1 in octets else ipaddress.IPv4Address(bytes(octets))
    if len(labels) != _IPV6_LABELS:
        return None
    nibbles = [_NIBBLES.get(label, -1) for label in reversed(labels)]
    if -1 in nibbles:
        return None
    address = ipaddress.IPv6Address(bytes.fromhex(b"".join(reversed(labels)).decode("ascii")))
    return address.ipv4_mapped or address


def _leads_to_address(labels: Sequence[bytes]) -> bool:
    return (len(labels) < _IPV4_LABELS and all(label in _OCTETS for label in labels)) or (
        len(labels) < _IPV6_LABELS and all(label in _NIBBLES for label in labels)
    )
