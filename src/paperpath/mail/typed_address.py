"""Addresses and envelope ids as reports show them: typed, in ASCII or in UTF-8 (RFC 3461 §4, RFC 6533 §3).

Called by the report. ENVID and ORCPT are kept as they came, in xtext; here they are read. What would not be
printable once decoded stays encoded: it is legal so, and cannot end a field.
"""

import re

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.mail.domain import domain_key

_XTEXT_OCTET = re.compile(r"\+([0-9A-F]{2})")
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_MUST_BE_EMBEDDED = re.compile(r"[^!-~]|[\\+=]")  # RFC 6533 §3: what is no QCHAR
_UTF8 = "utf-8"


def decode_xtext(text: str) -> str:
    """Decode xtext, or leave it where that gives more than printable ASCII."""
    decoded = _XTEXT_OCTET.sub(lambda octet: chr(int(octet[1], 16)), text)
    return decoded if decoded.isascii() and decoded.isprintable() else text


def format_final_recipient(mailbox: Mailbox, *, international: bool) -> str:
    """Write a mailbox with its type; outside `international` in ASCII, whatever it is."""
    if not international:
        mailbox = to_ascii_domain(mailbox)
    text = format_mailbox(mailbox)
    if text.isascii():
        return f"rfc822; {text}"
    return f"{_UTF8}; {text if international and text.isprintable() else _embed(text)}"


def format_original_recipient(orcpt: str, *, international: bool) -> str:
    """Write an ORCPT parameter as a field's value; outside `international` in ASCII."""
    kind, _, text = orcpt.partition(";")
    if kind.lower() != _UTF8:
        return f"{kind}; {decode_xtext(text)}"
    if international:
        return f"{_UTF8}; {_take_out(text)}"
    return f"{_UTF8}; {text if text.isascii() else _embed_beyond_ascii(text)}"


def to_ascii_domain(mailbox: Mailbox) -> Mailbox:
    """Return the mailbox with A-labels for U-labels; its local part is nobody's to change."""
    if mailbox.domain.isascii():
        return mailbox
    return Mailbox(mailbox.local, domain_key(mailbox.domain))


def _embed(text: str) -> str:
    return _MUST_BE_EMBEDDED.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", text)


def _embed_beyond_ascii(text: str) -> str:
    """Embed what is not ASCII; the rest is in that form already (RFC 6533 §3)."""
    return "".join(character if character.isascii() else f"\\x{{{ord(character):02X}}}" for character in text)


def _take_out(text: str) -> str:
    """Undo the embedding, or leave all of it where that gives anything that is not printable."""
    codes = [int(found, 16) for found in _EMBEDDED.findall(text)]
    if any(code > 0x10FFFF for code in codes):
        return text
    decoded = _EMBEDDED.sub(lambda found: chr(int(found[1], 16)), text)
    return decoded if decoded.isprintable() else text
