"""An SMTP reply as a value (RFC 5321 §4.2, RFC 2034 §4).

Made by the SMTP core, by policy and by delivery; written to the wire, the log and the maildrop as it is.
Whatever text it is given, the octets are legal: printable ASCII, lines of at most 512 octets, one code.
"""

import re
from dataclasses import field

from paperpath.mail.value import value

MOST_LINE_OCTETS = 512
_SHOWN = re.compile(r"([2-5]\d\d)(?: (\d\.\d{1,3}\.\d{1,3})(?!\S))? ?(.*)", re.DOTALL)
_PRINTABLE = {code: chr(code) for code in range(32, 127)}


@value
class Reply:
    """A reply: its code, its enhanced status (empty where RFC 2034 §4 wants none), its lines of text."""

    code: int
    status: str
    lines: tuple[str, ...]
    _octets: bytes = field(init=False, repr=False, compare=False, default=b"")

    @property
    def octets(self) -> bytes:
        """The whole reply as it goes out, made when it is first asked for: what a peer said never is."""
        if not self._octets:
            object.__setattr__(self, "_octets", _format(self.code, self.status, self.lines))
        return self._octets

    def __str__(self) -> str:
        head = f"{self.code} {self.status}" if self.status else str(self.code)
        text = " ".join(self.lines)
        return f"{head} {text}" if text else head

    @property
    def is_positive(self) -> bool:
        """Whether the peer may go on: 2yz or 3yz (RFC 5321 §4.2.1)."""
        return self.code < 400


def make_reply(code: int, status: str, text: str) -> Reply:
    """Make a reply of one line."""
    return Reply(code, status, (text,))


def parse_shown_reply(text: str) -> Reply | None:
    """Read what `str` made of a reply, its lines now one; `None` where a text is no reply."""
    found = _SHOWN.fullmatch(text)
    return found and Reply(int(found[1]), found[2] or "", (found[3],))


def _format(code: int, status: str, lines: tuple[str, ...]) -> bytes:
    prefix = f"{status} " if status else ""
    room = MOST_LINE_OCTETS - len(f"{code} {prefix}\r\n")
    clean = [_clean(line)[:room] for line in lines]
    return "".join(
        f"{code}{'-' if number < len(clean) else ' '}{prefix}{line}\r\n"
        for number, line in enumerate(clean, 1)
    ).encode("ascii")


def _clean(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    return "".join(_PRINTABLE.get(ord(character), "?") for character in line)
