"""Mailboxes and paths of the envelope: octets to values and back (RFC 5321 §4.1.2, §4.1.3).

Called by the SMTP grammar, the configuration, the account store and the post office. A mailbox is held
with its local part unquoted, so that all spellings of one mailbox are one value; `format_mailbox` writes
the least quoted spelling. Local parts are opaque and their case is kept (RFC 5321 §2.4).
"""

import ipaddress
import re
from dataclasses import dataclass

MOST_DOMAIN_OCTETS = 255
MOST_LABEL_OCTETS = 63
# RFC 5321 §4.5.3.1.1 asks us to take 64. Senders with a return path per recipient write longer ones, and
# refusing those would help nobody; the command line bounds the whole.
MOST_LOCAL_OCTETS = 256

_ATOM_CHARACTERS = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_DOT_STRING = re.compile(rf"[{_ATOM_CHARACTERS}.]+")
_QUOTED_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\[ -~])*)"')
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")
_LITERAL = re.compile(r"\[([A-Za-z0-9.:-]+)\]")
_QUOTED_PAIR = re.compile(r"\\(.)")


class AddressError(ValueError):
    """The octets are no mailbox or path; `str()` says what is wrong, in words fit for a reply."""


class NonASCIIAddressError(AddressError):
    """An octet above 7F in an address, where SMTPUTF8 is not in force (RFC 6531 §3.5)."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox: the local part without quotes, and the domain as it was written.

    `domain` is empty for the bare `Postmaster` alone (RFC 5321 §4.5.1), and an address literal in brackets.
    """

    local: str
    domain: str

    def __str__(self) -> str:
        return format_mailbox(self)

    @property
    def is_postmaster(self) -> bool:
        """Whether the local part means the postmaster, in any case (RFC 5321 §4.5.1)."""
        return self.local.lower() == "postmaster"


def parse_path(octets: bytes) -> tuple[Mailbox | None, bytes]:
    """Read a path in angle brackets; return its mailbox, `None` for `<>`, and the octets behind it.

    A source route is checked and dropped (RFC 5321 §4.1.1.3, appendix C).

    Raises: AddressError.
    """
    if not octets.startswith(b"<"):
        raise AddressError("the address must stand in angle brackets")
    if octets.startswith(b"<>"):
        return None, octets[2:]
    text, behind = _decode_path(octets)
    start = _skip_source_route(text, 1)
    mailbox, end = _read_mailbox(text, start)
    if text[end : end + 1] != ">":
        raise AddressError("the address has no closing angle bracket where it should end")
    return mailbox, text[end + 1 :].encode("ascii") + behind


def parse_mailbox(text: str) -> Mailbox:
    """Read a mailbox written without angle brackets, as the configuration and the maildrop hold it.

    Raises: AddressError.
    """
    if not text.isascii():
        raise NonASCIIAddressError("the address is not ASCII")
    mailbox, end = _read_mailbox(text, 0)
    if end != len(text):
        raise AddressError("something follows the address")
    return mailbox


def format_mailbox(mailbox: Mailbox) -> str:
    """Write a mailbox in its least quoted form (RFC 5321 §4.1.2), the inverse of `parse_mailbox`."""
    local = mailbox.local
    if not is_dot_string(local):
        local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{local}@{mailbox.domain}" if mailbox.domain else local


def format_path(mailbox: Mailbox | None) -> str:
    """Write a path, `<>` for the null sender."""
    return "<>" if mailbox is None else f"<{format_mailbox(mailbox)}>"


def domain_key(domain: str) -> str:
    """Return the form in which two domains are compared: lower case, no trailing dot, literals normalised."""
    if domain.startswith("["):
        return f"[{_literal_address(domain)}]"
    return domain.lower().removesuffix(".")


def is_dot_string(local: str) -> bool:
    """Tell whether a local part needs no quotes."""
    return (
        _DOT_STRING.fullmatch(local) is not None
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
    )


def is_domain(name: str) -> bool:
    """Tell whether a name is a domain of letters, digits and hyphens (RFC 5321 §4.1.2, RFC 1123 §2.1)."""
    if not name or len(name) > MOST_DOMAIN_OCTETS or _DOMAIN.fullmatch(name) is None:
        return False
    return all(
        0 < len(label) <= MOST_LABEL_OCTETS and label[0] != "-" and label[-1] != "-"
        for label in name.split(".")
    )


def is_address_literal(text: str) -> bool:
    """Tell whether a text is an address literal with its brackets (RFC 5321 §4.1.3)."""
    try:
        _literal_address(text)
    except AddressError:
        return False
    return True


def _decode_path(octets: bytes) -> tuple[str, bytes]:
    """Decode up to the last bracket that can close the path; what is behind it stays octets."""
    try:
        return octets.decode("ascii"), b""
    except UnicodeDecodeError as error:
        end = octets.rfind(b">", 0, error.start)
        if end < 0:
            raise NonASCIIAddressError("addresses outside ASCII are not taken here") from None
        return octets[: end + 1].decode("ascii"), octets[end + 1 :]


def _skip_source_route(text: str, start: int) -> int:
    if text[start : start + 1] != "@":
        return start
    end = text.find(":", start)
    hosts = text[start:end].split(",") if end > 0 else []
    if not hosts or not all(host.startswith("@") and is_domain(host[1:]) for host in hosts):
        raise AddressError("the source route is malformed")
    return end + 1


def _read_mailbox(text: str, start: int) -> tuple[Mailbox, int]:
    """Read a mailbox at `start`; return it and the index behind it."""
    local, end = _read_local_part(text, start)
    if len(local) > MOST_LOCAL_OCTETS:
        raise AddressError("the local part is too long")
    if text[end : end + 1] == "@":
        domain, end = _read_domain(text, end + 1)
        return Mailbox(local, domain), end
    mailbox = Mailbox(local, "")
    if mailbox.is_postmaster:  # RFC 5321 §4.1.1.3: the one mailbox that needs no domain
        return mailbox, end
    raise AddressError("the address has no domain")


def _read_local_part(text: str, start: int) -> tuple[str, int]:
    if quoted := _QUOTED_STRING.match(text, start):
        return _QUOTED_PAIR.sub(r"\1", quoted[1]), quoted.end()
    dot_string = _DOT_STRING.match(text, start)
    if dot_string is None or not is_dot_string(dot_string[0]):
        raise AddressError("the local part is malformed")
    return dot_string[0], dot_string.end()


def _read_domain(text: str, start: int) -> tuple[str, int]:
    if literal := _LITERAL.match(text, start):
        _literal_address(literal[0])
        return literal[0], literal.end()
    domain = _DOMAIN.match(text, start)
    if domain is None or not is_domain(domain[0]):
        raise AddressError("the domain is malformed")
    return domain[0], domain.end()


def _literal_address(literal: str) -> str:
    """Return the address inside a literal in one spelling, tagged when it is IPv6."""
    match = _LITERAL.fullmatch(literal)
    if match is None:
        raise AddressError("the address literal is malformed")
    inner = match[1]
    try:
        if inner[:5].lower() == "ipv6:":
            return f"IPv6:{ipaddress.IPv6Address(inner[5:])}"
        return str(ipaddress.IPv4Address(inner))
    except ipaddress.AddressValueError:
        raise AddressError("the address literal is malformed") from None
