"""Domain names and the patterns that stand for several: "example.org", ".example.net", "*".

Called by the tables and the advice; the relay and the routing ask a pattern what it matches. Names are
kept in the form in which they compare: lower case, A-labels, no trailing dot (`mail.domain.domain_key`). An
address literal in brackets is a domain of its own (RFC 5321 §4.1.3), and in no pattern but "*".
"""

from dataclasses import dataclass

from paperpath.mail.address import is_dot_string
from paperpath.mail.domain import domain_key, is_address_literal, to_a_labels

DOMAIN_EXPECTED = 'a domain such as "example.org", or ".example.org" for all its subdomains'
HOSTNAME_EXPECTED = 'the full name of this host, such as "mail.example.org"'
FULL_DOMAIN_EXPECTED = 'a domain of at least two labels, such as "example.org"'
HOST_EXPECTED = 'a host such as "mail.example.org", or ".example.org" for all below that name'
ROUTE_DOMAIN_EXPECTED = f'{DOMAIN_EXPECTED}, or "*" for every domain'
POSTMASTER_EXPECTED = 'an address such as "me@example.org"'

ANY_DOMAIN = "*"
MOST_LOCAL_PART_OCTETS = 64  # RFC 5321 §4.5.3.1.1


@dataclass(frozen=True, slots=True)
class DomainPattern:
    """One domain, all subdomains of one (a leading dot; the domain itself not), or every domain ("*")."""

    text: str

    def __str__(self) -> str:
        return self.text

    def matches(self, domain: str) -> bool:
        """Tell whether a domain is meant; of another pattern's text: whether all that it means is meant."""
        name = domain_key(domain)
        if self.text.startswith("."):
            return name.endswith(self.text)
        return self.text in (ANY_DOMAIN, name)


def parse_hostname(text: str) -> str:
    """Return a host's full name: at least two labels, all of them ASCII since greetings are.

    Raises: ValueError, whose text says what was expected.
    """
    return _parse_name(text, HOSTNAME_EXPECTED, fewest_labels=2)


def parse_full_domain(text: str) -> str:
    """Return a domain of at least two labels, as A-labels: what completes an address.

    Raises: ValueError, whose text says what was expected.
    """
    return _parse_name(text, FULL_DOMAIN_EXPECTED, fewest_labels=2)


def parse_domain_pattern(text: str) -> DomainPattern:
    """Read "example.org" or ".example.org"; "*" is not taken, since a relay for every domain is an open one.

    Raises: ValueError, whose text says what was expected.
    """
    if text == ANY_DOMAIN:
        raise ValueError(f"expected {DOMAIN_EXPECTED}; every domain would make this an open relay")
    return _parse_pattern(text, DOMAIN_EXPECTED)


def parse_route_domain(text: str) -> DomainPattern:
    """Read what a route may be for: a pattern, or "*".

    Raises: ValueError, whose text says what was expected.
    """
    if text == ANY_DOMAIN:
        return DomainPattern(ANY_DOMAIN)
    return _parse_pattern(text, ROUTE_DOMAIN_EXPECTED)


def parse_host_pattern(text: str) -> DomainPattern:
    """Read the name of a host, or of all below one. Raises: ValueError, whose text says what was expected."""
    if text.startswith("["):
        raise ValueError(f"expected {HOST_EXPECTED}")
    return _parse_pattern(text, HOST_EXPECTED)


def parse_postmaster(text: str) -> str:
    """Return an address whose local part is ASCII and needs no quotes, its domain folded.

    Whoever writes to a postmaster may know nothing of SMTPUTF8.

    Raises: ValueError, whose text says what was expected.
    """
    local, _, domain = text.rpartition("@")
    if len(local) > MOST_LOCAL_PART_OCTETS or not (local.isascii() and is_dot_string(local)):
        raise ValueError(f"expected {POSTMASTER_EXPECTED}")
    return f"{local}@{_parse_name(domain, POSTMASTER_EXPECTED)}"


def _parse_pattern(text: str, expected: str) -> DomainPattern:
    if is_address_literal(text):
        return DomainPattern(domain_key(text))
    dot = "." if text.startswith(".") else ""
    return DomainPattern(dot + _parse_name(text.removeprefix("."), expected))


def _parse_name(text: str, expected: str, fewest_labels: int = 1) -> str:
    name = to_a_labels(text.removesuffix("."))
    if name is None and not text.isascii():
        raise ValueError(f"expected {expected}; what is not ASCII in it must be valid in IDNA2008")
    labels = name.split(".") if name else []
    if len(labels) < fewest_labels or labels[-1].isdigit():  # an IPv4 address is no name
        raise ValueError(f"expected {expected}")
    return ".".join(labels)
