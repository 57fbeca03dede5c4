"""Mailboxes and paths of the envelope: octets to values and back (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3).

Called by the SMTP grammar, the configuration, the account store and the post office. A mailbox is held
with its local part unquoted, so that all spellings of one mailbox are one value; `format_mailbox` writes
the least quoted spelling. Local parts are opaque: their case and their Unicode form are kept (RFC 5321 §2.4).
Reading takes time linear in the octets, whatever they are: no expression here has one repetition in another.
"""

import re

from paperpath.mail.domain import MOST_LABEL_OCTETS, to_a_labels
from paperpath.mail.domain import domain_key as domain_key
from paperpath.mail.domain import is_address_literal as is_address_literal
from paperpath.mail.domain import is_domain as is_domain

# Who handles addresses finds these here as well.
from paperpath.mail.value import value

# RFC 5321 §4.5.3.1.1 asks us to take 64. Senders with a return path per recipient write longer ones, and
# refusing those would help nobody; the command line bounds the whole.
MOST_LOCAL_OCTETS = 256

# What an atom may hold, to stand in a character class (RFC 5322 §3.2.3).
ATOM_CHARACTERS = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
# What of RFC 6532 §3.1 is not taken: the controls U+0080 to U+009F, and U+2028 and U+2029, which end a line
# in many a program; nor are surrogates, and with them octets that are no UTF-8. Classes with this in them say
# what they do not hold: else Python looks at each character that they do to compile them, 3 ms for a class,
# and sendmail has to answer at once.
FORBIDDEN_BEYOND_ASCII = "\x80-\x9f\u2028\u2029\ud800-\udfff"
NO_ATOM_CHARACTERS = rf'\x00-\x1f"(),:;<>@\[-\]\x7f{FORBIDDEN_BEYOND_ASCII}'  # blanks and dots beside

_PLAIN = rf"(?!\.)([{ATOM_CHARACTERS}.]+)(?<!\.)@(?![.-])([A-Za-z0-9.-]+)(?<![.-])"
_PLAIN_MAILBOX = re.compile(_PLAIN)
_PLAIN_PATH = re.compile(f"<{_PLAIN}>")

_ATOMS_AND_DOTS = f"[^ {NO_ATOM_CHARACTERS}]+"
_UNQUOTED = re.compile(_ATOMS_AND_DOTS)
_DOT_STRING = re.compile(rf"(?!\.){_ATOMS_AND_DOTS}(?<!\.)")
_QUOTED_STRING = re.compile(rf'"((?:[^\x00-\x1f"\\\x7f{FORBIDDEN_BEYOND_ASCII}]|\\[ -~])*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_DOMAIN = re.compile(rf"[^\x00-,/:-@\[-`{{-\x7f{FORBIDDEN_BEYOND_ASCII}]+")


class AddressError(ValueError):
    """The octets are no mailbox or path; `str()` says what is wrong, in words fit for a reply."""


class NonASCIIAddressError(AddressError):
    """An octet above 7F in an address, where SMTPUTF8 is not in force (RFC 6531 §3.5)."""


@value
class Mailbox:
    """One mailbox: the local part without quotes, and the domain as it was written.

    `domain` is an address literal in brackets, and empty for the bare `Postmaster` alone (RFC 5321 §4.5.1);
    but see `parse_path` on unfinished ones.
    """

    local: str
    domain: str

    def __str__(self) -> str:
        return format_mailbox(self)

    @property
    def is_postmaster(self) -> bool:
        """Whether the local part means the postmaster, in any case (RFC 5321 §4.5.1)."""
        return self.local.lower() == "postmaster"


def parse_path(
    octets: bytes, *, international: bool = False, unfinished: bool = False
) -> tuple[Mailbox | None, bytes]:
    """Read a path in angle brackets; return its mailbox, `None` for `<>`, and the octets behind it.

    A source route is checked and dropped (RFC 5321 §4.1.1.3, appendix C). `international` is whether SMTPUTF8
    is in force, which allows UTF-8 in the local part and U-labels in the domain. `unfinished`: as people type
    it, the domain may be missing or end with a dot, and comes as it is (RFC 6409 §4.2).

    Raises: AddressError.
    """
    plain = _PLAIN_PATH.match(octets.decode("latin-1"))
    if plain is not None and (mailbox := _take_plain(plain)) is not None:
        return mailbox, octets[plain.end() :]
    if octets.startswith(b"<>"):
        return None, octets[2:]
    if not octets.startswith(b"<"):
        raise AddressError("the address must stand in angle brackets")
    if international:
        return _read_path(octets, "utf-8", unfinished=unfinished)
    try:
        return _read_path(octets, "ascii", unfinished=unfinished)
    except AddressError:
        path, bracket, _ = octets.rpartition(b">")
        if (path if bracket else octets).isascii():
            raise
        raise NonASCIIAddressError("addresses outside ASCII are not taken here") from None


def parse_mailbox(text: str) -> Mailbox:
    """Read a mailbox written without angle brackets, as the configuration and the maildrop hold it.

    Takes whatever `format_mailbox` writes, UTF-8 included.

    Raises: AddressError.
    """
    plain = _PLAIN_MAILBOX.fullmatch(text)
    if plain is not None and (mailbox := _take_plain(plain)) is not None:
        return mailbox
    mailbox, end = _read_mailbox(text, 0)
    if end != len(text):
        raise AddressError("something follows the address")
    return mailbox


def parse_local_part(text: str) -> str:
    """Read a local part without a domain, and without quotes return it.

    Raises: AddressError.
    """
    local, end = _read_local_part(text, 0)
    if end != len(text):
        raise AddressError("something follows the local part")
    if len(local.encode()) > MOST_LOCAL_OCTETS:
        raise AddressError("the local part is too long")
    return local


def format_mailbox(mailbox: Mailbox) -> str:
    """Write a mailbox in its least quoted form (RFC 5321 §4.1.2), the inverse of `parse_mailbox`."""
    local = mailbox.local
    if not is_dot_string(local):
        local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{local}@{mailbox.domain}" if mailbox.domain else local


def format_path(mailbox: Mailbox | None) -> str:
    """Write a path, `<>` for the null sender."""
    return "<>" if mailbox is None else f"<{format_mailbox(mailbox)}>"


def is_dot_string(local: str) -> bool:
    """Tell whether a local part needs no quotes."""
    return _DOT_STRING.fullmatch(local) is not None and ".." not in local


def _take_plain(plain: re.Match[str]) -> Mailbox | None:
    """Return the mailbox of a match that needs no closer look, as nearly all do; `None` for the others."""
    local, domain = plain.groups()
    if (
        ".." in local
        or len(local) > MOST_LOCAL_OCTETS
        or len(domain) > MOST_LABEL_OCTETS  # else every label is short enough, whatever their number
        or ".." in domain
        or ".-" in domain
        or "-." in domain
    ):
        return None
    return Mailbox(local, domain)


def _read_path(octets: bytes, encoding: str, *, unfinished: bool) -> tuple[Mailbox, bytes]:
    # What the encoding does not know becomes surrogates: no part of an address, and octets again behind it.
    text = octets.decode(encoding, "surrogateescape")
    mailbox, end = _read_mailbox(text, _skip_source_route(text, 1), unfinished=unfinished)
    if text[end : end + 1] != ">":
        raise AddressError("the address has no closing angle bracket where it should end")
    return mailbox, text[end + 1 :].encode(encoding, "surrogateescape")


def _skip_source_route(text: str, start: int) -> int:
    if text[start : start + 1] != "@":
        return start
    end = text.find(":", start)
    hosts = text[start:end].split(",") if end > 0 else []
    if not hosts or not all(host.startswith("@") and to_a_labels(host[1:]) for host in hosts):
        raise AddressError("the source route is malformed")
    return end + 1


def _read_mailbox(text: str, start: int, *, unfinished: bool = False) -> tuple[Mailbox, int]:
    """Read a mailbox at `start`; return it and the index behind it."""
    local, end = _read_local_part(text, start)
    if len(local.encode()) > MOST_LOCAL_OCTETS:
        raise AddressError("the local part is too long")
    if text[end : end + 1] == "@":
        domain, end = _read_domain(text, end + 1, unfinished=unfinished)
        return Mailbox(local, domain), end
    mailbox = Mailbox(local, "")
    if unfinished or mailbox.is_postmaster:  # RFC 5321 §4.1.1.3: the one mailbox that needs no domain
        return mailbox, end
    raise AddressError("the address has no domain")


def _read_local_part(text: str, start: int) -> tuple[str, int]:
    if quoted := _QUOTED_STRING.match(text, start):
        return _QUOTED_PAIR.sub(r"\1", quoted[1]), quoted.end()
    unquoted = _UNQUOTED.match(text, start)
    if unquoted is None or not is_dot_string(unquoted[0]):
        raise AddressError("the local part is malformed")
    return unquoted[0], unquoted.end()


def _read_domain(text: str, start: int, *, unfinished: bool) -> tuple[str, int]:
    if text.startswith("[", start):
        end = text.find("]", start) + 1
        if not is_address_literal(text[start:end]):
            raise AddressError("the address literal is malformed")
        return text[start:end], end
    domain = _DOMAIN.match(text, start)
    if domain is None or to_a_labels(domain[0].removesuffix(".") if unfinished else domain[0]) is None:
        raise AddressError("the domain is malformed")
    return domain[0], domain.end()
