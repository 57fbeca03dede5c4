"""The messages that we write ourselves: from whom, their header, their parts; legal whatever is in them.

Called by report.py and notice.py. Every line written here goes through `clean_line`, so no text can end a
field or begin one. A letter to an address in ASCII is 7-bit throughout: every hop takes it. One to an address
beyond ASCII travels by SMTPUTF8 anyhow, and may hold UTF-8 everywhere (RFC 6531, 6532).
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paperpath.mail.address import Mailbox, format_path
from paperpath.mail.quoted_printable import to_quoted_printable
from paperpath.mail.trace import format_date
from paperpath.mail.typed_address import to_ascii_domain

MOST_LINE_OCTETS = 998  # RFC 5322 §2.1.1
_TEXT_COLUMNS = 72
_MOST_WORD_CHARACTERS = 200  # four octets each at most, and a line is legal still


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: this host, and the postmaster whom an answer reaches; both names are ASCII."""

    host: str
    postmaster: Mailbox


@dataclass(frozen=True, slots=True)
class Stamps:
    """What makes a letter this one: queue id, time (with its offset from UTC), and a random word."""

    queue_id: str
    written: datetime
    token: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready: to whom, its octets with CRLF, and whether it needs SMTPUTF8."""

    to: Mailbox
    octets: bytes
    international: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a letter: its type with parameters, its encoding, its octets, encoded."""

    kind: str
    encoding: str
    octets: bytes


def needs_international(to: Mailbox) -> bool:
    """Tell whether a letter to somebody needs SMTPUTF8; a domain alone never does."""
    return not to.local.isascii()


def make_letter(
    head: Letterhead, stamps: Stamps, to: Mailbox, subject: str, content: Part, about: str = ""
) -> Letter:
    """Put the header before the content; `about` is the Message-ID of what it answers, empty for none."""
    international = needs_international(to)
    if not international:
        to = to_ascii_domain(to)
    lines = [
        f'From: "Mail system {head.host}" {format_path(head.postmaster)}',
        f"To: {format_path(to)}",
        f"Subject: {subject}",
        f"Date: {format_date(stamps.written)}",
        f"Message-ID: <{stamps.queue_id}@{head.host}>",
        *((f"In-Reply-To: {about}", f"References: {about}") if about else ()),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
    ]
    header = join_lines(lines) + _content_fields(content)
    return Letter(to, header + b"\r\n" + content.octets, international)


def text_part(lines: Sequence[str], *, international: bool) -> Part:
    """Write text for people."""
    octets = join_lines(lines)
    if octets.isascii():
        return Part("text/plain; charset=us-ascii", "7bit", octets)
    if international:
        return Part("text/plain; charset=utf-8", "8bit", octets)
    return Part("text/plain; charset=utf-8", "quoted-printable", to_quoted_printable(octets))


def multipart(kind: str, parts: Sequence[Part], token: str) -> Part:
    """Put parts together, with a boundary that occurs in none of them."""
    boundary = _find_boundary(parts, token)
    delimiter = f"--{boundary}".encode()
    octets = b"".join(
        delimiter + b"\r\n" + _content_fields(part) + b"\r\n" + part.octets + b"\r\n" for part in parts
    )
    encoding = "8bit" if any(part.encoding == "8bit" for part in parts) else "7bit"
    return Part(f'{kind};\r\n boundary="{boundary}"', encoding, octets + delimiter + b"--\r\n")


def join_lines(lines: Sequence[str]) -> bytes:
    """Turn lines of text into octets, each line ended and clean."""
    return "".join(f"{clean_line(line)}\r\n" for line in lines).encode("utf-8")


def clean_line(text: str) -> str:
    """Replace what could end a line, or do something to who looks at it."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def fold(text: str, *, first: str = "", rest: str = " ", columns: int = _TEXT_COLUMNS) -> list[str]:
    """Break text into lines at its blanks, and words of more than 200 characters in pieces."""
    words = [
        word[start : start + _MOST_WORD_CHARACTERS]
        for word in clean_line(text).split()
        for start in range(0, len(word), _MOST_WORD_CHARACTERS)
    ]
    return textwrap.wrap(
        " ".join(words),
        columns,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def _content_fields(part: Part) -> bytes:
    return f"Content-Type: {part.kind}\r\nContent-Transfer-Encoding: {part.encoding}\r\n".encode("ascii")


def _find_boundary(parts: Sequence[Part], token: str) -> str:
    number = 0
    while any(f"=_{token}.{number}".encode() in part.octets for part in parts):
        number += 1
    return f"=_{token}.{number}"
