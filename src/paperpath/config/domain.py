"""Domain names and the patterns that stand for several: "example.org", ".example.net", "*".

Called by the tables and the advice; the relay and the routing ask a pattern what it matches. Names
compare in ASCII lower case and without a trailing dot, and are kept in that form.
"""

import re
import string
from dataclasses import dataclass

DOMAIN_EXPECTED = 'a domain such as "example.org", or ".example.org" for all its subdomains'
HOSTNAME_EXPECTED = 'the full name of this host, such as "mail.example.org"'
ROUTE_DOMAIN_EXPECTED = f'{DOMAIN_EXPECTED}, or "*" for every domain'
POSTMASTER_EXPECTED = 'an address such as "me@example.org"'

ANY_DOMAIN = "*"
MOST_DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2
MOST_LOCAL_PART_OCTETS = 64  # RFC 5321 §4.5.3.1.1

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DOT_STRING = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# str.lower would turn some letters outside ASCII, the Kelvin sign for one, into letters inside it.
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class DomainPattern:
    """One domain, all subdomains of one (a leading dot; the domain itself not), or every domain ("*")."""

    text: str

    def __str__(self) -> str:
        return self.text

    def matches(self, domain: str) -> bool:
        """Tell whether a domain is meant; of another pattern's text: whether all that it means is meant."""
        name = _fold(domain)
        if self.text.startswith("."):
            return name.endswith(self.text)
        return self.text in (ANY_DOMAIN, name)


def parse_hostname(text: str) -> str:
    """Return a host's full name: at least two labels.

    Raises: ValueError, whose text says what was expected.
    """
    return _parse_name(text, HOSTNAME_EXPECTED, fewest_labels=2)


def parse_domain_pattern(text: str) -> DomainPattern:
    """Read "example.org" or ".example.org"; "*" is not taken, since a relay for every domain is an open one.

    Raises: ValueError, whose text says what was expected.
    """
    if text == ANY_DOMAIN:
        raise ValueError(f"expected {DOMAIN_EXPECTED}; every domain would make this an open relay")
    dot = "." if text.startswith(".") else ""
    return DomainPattern(dot + _parse_name(text.removeprefix("."), DOMAIN_EXPECTED))


def parse_route_domain(text: str) -> DomainPattern:
    """Read what a route may be for: a pattern, or "*".

    Raises: ValueError, whose text says what was expected.
    """
    if text == ANY_DOMAIN:
        return DomainPattern(ANY_DOMAIN)
    dot = "." if text.startswith(".") else ""
    return DomainPattern(dot + _parse_name(text.removeprefix("."), ROUTE_DOMAIN_EXPECTED))


def parse_postmaster(text: str) -> str:
    """Return an address whose local part needs no quotes, its domain folded.

    Raises: ValueError, whose text says what was expected.
    """
    local, _, domain = text.rpartition("@")
    if len(local) > MOST_LOCAL_PART_OCTETS or _DOT_STRING.fullmatch(local) is None:
        raise ValueError(f"expected {POSTMASTER_EXPECTED}")
    return f"{local}@{_parse_name(domain, POSTMASTER_EXPECTED)}"


def _parse_name(text: str, expected: str, fewest_labels: int = 1) -> str:
    if not text.isascii():
        raise ValueError(f"expected {expected}, in ASCII: write the A-label (xn--…)")
    name = _fold(text)
    labels = name.split(".")
    if (
        len(name) > MOST_DOMAIN_OCTETS
        or len(labels) < fewest_labels
        or not all(_LABEL.fullmatch(label) for label in labels)
        or labels[-1].isdigit()  # an IPv4 address is no name
    ):
        raise ValueError(f"expected {expected}")
    return name


def _fold(domain: str) -> str:
    return domain.translate(_ASCII_LOWER).removesuffix(".")
