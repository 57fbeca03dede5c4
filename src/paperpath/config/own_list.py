"""What people write of lists of their own: the zone, the values, the reasons (RFC 5782 §2.1).

Called by the table of dnslistd, and by the reader of its files, which have values and reasons too.
"""

import ipaddress

from paperpath.config.client_list import ERRORS, LONGEST_ZONE, VALUES
from paperpath.config.domain import parse_full_domain

MOST_REASON_OCTETS = 1000
ADDRESS_MARK = "{address}"
"""What stands for the address that was asked about, in a reason."""

OWN_ZONE_EXPECTED = f'a domain such as "bad.example.org", of at most {LONGEST_ZONE} octets'
OWN_VALUE_EXPECTED = f'an address in {VALUES} such as "127.0.0.2", and not in {ERRORS}, which means an error'
REASON_EXPECTED = f"a reason of one line, at most {MOST_REASON_OCTETS} octets"


def parse_own_zone(text: str) -> str:
    """Return the domain of a list: a client's address has room before it.

    Raises: ValueError, whose text says what was expected.
    """
    try:
        zone = parse_full_domain(text)
    except ValueError:
        zone = ""
    if not 0 < len(zone) <= LONGEST_ZONE:
        raise ValueError(f"expected {OWN_ZONE_EXPECTED}")
    return zone


def parse_own_value(text: str) -> ipaddress.IPv4Address:
    """Read the value of what is listed. Raises: ValueError, whose text says what was expected."""
    try:
        value = ipaddress.IPv4Address(text)
    except ValueError:
        raise ValueError(f"expected {OWN_VALUE_EXPECTED}") from None
    if value not in VALUES or value in ERRORS:
        raise ValueError(f"expected {OWN_VALUE_EXPECTED}")
    return value


def parse_reason(text: str) -> str:
    """Check a reason, and return it as it is. Raises: ValueError, whose text says what was expected."""
    if not text or not text.isprintable() or len(text.encode("utf-8", "replace")) > MOST_REASON_OCTETS:
        raise ValueError(f"expected {REASON_EXPECTED}")
    return text
