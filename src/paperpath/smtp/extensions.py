"""What a peer offers: its reply to EHLO or LHLO, read (RFC 5321 §4.1.1.1, and the RFC of each extension).

Called by the client core with the lines of that reply. Nothing here raises: what cannot be read is not
offered, and of a keyword that stands twice the last one counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MOST_SIZE_DIGITS = 20  # RFC 1870 §3
_LIMIT = re.compile(r"([A-Za-z0-9_-]+)(?:=([!-:<-~]+))?")  # RFC 9422 §3
_LIMIT_VALUE = re.compile(r"[1-9][0-9]{0,5}")  # RFC 9422 §4

Words = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions of a peer that we can use.

    `size`: the most octets it takes, 0 where it names no number, `None` without SIZE. `mechanisms`: of AUTH,
    in upper case. `most_recipients`: in one transaction; `most_messages`, `most_domains`: in one session, the
    domains being those of recipients; `None` where there is no such limit (RFC 9422).
    """

    pipelining: bool = False
    size: int | None = None
    eight_bit: bool = False
    international: bool = False
    dsn: bool = False
    chunking: bool = False
    binary: bool = False
    starttls: bool = False
    mechanisms: frozenset[str] = frozenset()
    most_recipients: int | None = None
    most_messages: int | None = None
    most_domains: int | None = None


NO_EXTENSIONS = Extensions()


def read_extensions(lines: Iterable[str]) -> Extensions:
    """Read the lines of the reply behind its first one."""
    words: Words = {}
    for line in lines:
        # Some peers still write "AUTH=LOGIN", as drafts of RFC 2554 had it.
        keyword, *arguments = (
            line.replace("=", " ", 1).split() if _is_old_auth(line) else line.split() or [""]
        )
        words[keyword.upper()] = arguments
    limits = _read_limits(words.get("LIMITS", []))
    return Extensions(
        pipelining="PIPELINING" in words,
        size=_read_size(words),
        eight_bit="8BITMIME" in words,
        international="SMTPUTF8" in words,
        dsn="DSN" in words,
        chunking="CHUNKING" in words,
        binary="BINARYMIME" in words,
        starttls="STARTTLS" in words,
        mechanisms=frozenset(word.upper() for word in words.get("AUTH", [])),
        most_recipients=limits.get("RCPTMAX"),
        most_messages=limits.get("MAILMAX"),
        most_domains=limits.get("RCPTDOMAINMAX"),
    )


def _is_old_auth(line: str) -> bool:
    return line[:5].upper() == "AUTH="


def _read_size(words: Words) -> int | None:
    if "SIZE" not in words:
        return None
    number = "".join(words["SIZE"][:1])
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_SIZE_DIGITS
    return int(number) if is_number else 0


def _read_limits(words: list[str]) -> dict[str, int]:
    """Read LIMITS: an error of syntax voids them all, a bad value that one alone (RFC 9422 §3)."""
    limits = {}
    for word in words:
        match = _LIMIT.fullmatch(word)
        if match is None:
            return {}
        if match[2] is not None and _LIMIT_VALUE.fullmatch(match[2]):
            limits[match[1].upper()] = int(match[2])
    return limits
