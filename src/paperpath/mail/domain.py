"""Domains of mail: what is one, in which form two compare, both spellings (RFC 5321 §4.1.2, RFC 5890 §2.3).

Called by address.py and trace.py, by the configuration, and by whatever looks something up by domain. Nothing
here raises, and a name in ASCII costs no conversion. Such a name is judged by its letters, digits and hyphens
alone and not by IDNA, which refuses some that are in the DNS and get mail ("r3---sn.example").
"""

import ipaddress
import re

import idna

MOST_DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2
MOST_LABEL_OCTETS = 63  # RFC 1035 §2.3.4

_A_LABEL_PREFIX = "xn--"
_NAME = re.compile(r"(?![.-])[A-Za-z0-9.-]+(?<![.-])")
_LITERAL = re.compile(r"\[([A-Za-z0-9.:]+)\]")


def is_domain(name: str) -> bool:
    """Tell whether a name is a domain of letters, digits and hyphens (RFC 5321 §4.1.2, RFC 1123 §2.1)."""
    return (
        len(name) <= MOST_DOMAIN_OCTETS
        and _NAME.fullmatch(name) is not None
        and ".." not in name
        and ".-" not in name
        and "-." not in name
        and (len(name) <= MOST_LABEL_OCTETS or max(map(len, name.split("."))) <= MOST_LABEL_OCTETS)
    )


def is_address_literal(text: str) -> bool:
    """Tell whether a text is an address literal with its brackets (RFC 5321 §4.1.3)."""
    return _normalise_literal(text) is not None


def domain_key(domain: str) -> str:
    """Return the form in which two domains are compared; equal for a U-label and its A-label.

    Lower case, A-labels, no trailing dot; literals in one spelling. What is no domain is left as it is.
    """
    if domain.isascii():
        if domain.startswith("["):
            return _normalise_literal(domain) or domain
        return domain.lower().removesuffix(".")
    return to_a_labels(domain.removesuffix(".")) or domain


def to_a_labels(name: str) -> str | None:
    """Return a domain in lower case and with A-labels for its U-labels, or `None` where it is no domain.

    Names outside ASCII are mapped first (UTS 46): `BÜCHER.example` is `bücher.example`.
    """
    if name.isascii():
        return name.lower() if is_domain(name) else None
    # As written, too, a domain has at most 255 octets; that keeps the lines of the header short.
    if len(name.encode("utf-8", "surrogatepass")) > MOST_DOMAIN_OCTETS:
        return None
    try:
        mapped = idna.uts46_remap(name)
        encoded = ".".join(map(_to_a_label, mapped.split(".")))
    except idna.IDNAError:
        return None
    return encoded if is_domain(encoded) else None


def to_u_labels(domain: str) -> str:
    """Write a domain with U-labels for its A-labels; one that would not lead back to it stays as it is."""
    folded = domain.lower()
    if _A_LABEL_PREFIX not in folded:
        return domain
    name = ".".join(map(_to_u_label, folded.split(".")))
    return name if to_a_labels(name) == folded else domain


def _to_a_label(label: str) -> str:
    """Raises: idna.IDNAError."""
    return label if label.isascii() else idna.alabel(label).decode("ascii")


def _to_u_label(label: str) -> str:
    if not label.startswith(_A_LABEL_PREFIX):
        return label
    try:
        return idna.ulabel(label)
    except idna.IDNAError:
        return label


def _normalise_literal(text: str) -> str | None:
    """Return an address literal in one spelling, tagged when it is IPv6; `None` where it is none."""
    match = _LITERAL.fullmatch(text)
    if match is None:
        return None
    inner = match[1]
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ipaddress.AddressValueError:
        return None
