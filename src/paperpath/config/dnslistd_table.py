"""The table [dnslistd]: the lists of one's own that are published, and where.

Like tables.py, whose `Configuration` holds it.
"""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from paperpath.config.domain import HOSTNAME_EXPECTED
from paperpath.config.fields import (
    EndpointField,
    FileField,
    HostnameField,
    OwnValueField,
    OwnZoneField,
    ReasonField,
    Table,
)
from paperpath.config.intake_tables import ENDPOINTS_EXPECTED, require_some
from paperpath.config.own_list import ADDRESS_MARK, OWN_VALUE_EXPECTED, OWN_ZONE_EXPECTED, REASON_EXPECTED
from paperpath.config.places import FILE_EXPECTED

MOST_ZONES = 32  # as many as a way in asks
LONGEST_TTL_S = 7 * 86_400
MOST_NAME_SERVERS = 8

TTL_EXPECTED = f"a whole number of seconds from 0 to {LONGEST_TTL_S}"
ZONES_EXPECTED = (
    f"at least one table [[dnslistd.zone]], and at most {MOST_ZONES}, each with a name of its own"
)


class ZoneEntry(Table):
    """[[dnslistd.zone]]: one list."""

    name: OwnZoneField = Field(description=OWN_ZONE_EXPECTED)
    file: FileField = Field(description=FILE_EXPECTED)
    value: OwnValueField = Field(default=ipaddress.IPv4Address("127.0.0.2"), description=OWN_VALUE_EXPECTED)
    """That of entries which name no other."""
    reason: ReasonField = Field(default=f"{ADDRESS_MARK} is on this list", description=REASON_EXPECTED)
    """Likewise."""
    ttl_s: int = Field(default=86_400, ge=0, le=LONGEST_TTL_S, description=TTL_EXPECTED)
    """Seconds for which others may remember that an address is listed."""
    negative_ttl_s: int = Field(default=300, ge=0, le=LONGEST_TTL_S, description=TTL_EXPECTED)
    """Seconds for which they may remember that it is not."""


def _check_zones(zones: tuple[ZoneEntry, ...]) -> tuple[ZoneEntry, ...]:
    if not 0 < len({zone.name for zone in zones}) == len(zones) <= MOST_ZONES:
        raise ValueError(f"expected {ZONES_EXPECTED}")
    return zones


class DnslistdTable(Table):
    """[dnslistd], for the program of that name: where it answers, and about what."""

    listen: Annotated[tuple[EndpointField, ...], Strict(False), AfterValidator(require_some)] = Field(
        description=ENDPOINTS_EXPECTED
    )
    """By UDP and TCP."""
    name_servers: Annotated[tuple[HostnameField, ...], Strict(False)] = Field(
        default=(),
        max_length=MOST_NAME_SERVERS,
        description=f"an array of at most {MOST_NAME_SERVERS} names, each {HOSTNAME_EXPECTED}",
    )
    """Those that the zones are delegated to; none: this host."""
    zone: Annotated[tuple[ZoneEntry, ...], Strict(False), AfterValidator(_check_zones)] = Field(
        description=ZONES_EXPECTED
    )
