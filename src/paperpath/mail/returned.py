"""What a report brings back of the message it is about: all of it, its header, or nothing (RFC 6522 §3, §4).

Called by report.py. A report that must be 7-bit brings an 8-bit message back as its header, for every hop
takes that; nothing is converted but by quoted-printable, in a part whose type allows it.
"""

import re
from dataclasses import dataclass

from paperpath.mail.header import find_fields, header_section
from paperpath.mail.letter import MOST_LINE_OCTETS, Part
from paperpath.mail.newlines import has_bare_newline
from paperpath.mail.quoted_printable import to_quoted_printable

_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,250}>")


@dataclass(frozen=True, slots=True)
class Original:
    """A message to be brought back: the octets that it begins with, its whole size, and RET as asked for."""

    beginning: bytes
    size: int
    ret: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the beginning is all of it."""
        return len(self.beginning) == self.size


def find_message_id(original: Original) -> str:
    """Return the Message-ID of a message with its brackets, empty where it has not one that is legal."""
    found = [value.strip() for value in find_fields(header_section(original.beginning), b"message-id")]
    return found[0].decode("ascii") if len(found) == 1 and _MESSAGE_ID.fullmatch(found[0]) else ""


def returned_part(original: Original, *, international: bool, only_header: bool = False) -> Part | None:
    """Write the part that brings a message back, or only its header; `None` where there is nothing to bring.

    `international`: the report travels by SMTPUTF8, so it may be 8-bit, with UTF-8 in headers (RFC 6533 §4).
    """
    header = _header(original)
    only_header = only_header or original.ret == "HDRS" or not original.is_whole
    if not only_header and _has_legal_lines(original.beginning):
        if original.beginning.isascii():
            return Part("message/rfc822", "7bit", original.beginning)
        if international and _is_utf8(header):
            kind = "message/rfc822" if header.isascii() else "message/global"
            return Part(kind, "8bit", original.beginning)
    if not header:
        return None
    if not _has_legal_lines(header):
        return Part("text/rfc822-headers", "quoted-printable", to_quoted_printable(header))
    if header.isascii():
        return Part("text/rfc822-headers", "7bit", header)
    if international and _is_utf8(header):
        return Part("message/global-headers", "8bit", header)
    return Part("text/rfc822-headers", "quoted-printable", to_quoted_printable(header))


def _header(original: Original) -> bytes:
    """Return the header, or the whole lines of it that there are."""
    header = header_section(original.beginning)
    if original.is_whole or header != original.beginning:
        return header
    return header[: header.rfind(b"\r\n") + 2] if b"\r\n" in header else header


def _has_legal_lines(octets: bytes) -> bool:
    """Tell whether a message could be sent so as part of another: no stray CR, LF or NUL, no long line."""
    return (
        not has_bare_newline(octets)
        and b"\0" not in octets
        and max(map(len, octets.split(b"\r\n"))) <= MOST_LINE_OCTETS
    )


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
