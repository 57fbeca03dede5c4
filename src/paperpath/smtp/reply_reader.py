"""Replies of a peer: octets to values (RFC 5321 §4.2, RFC 2034 §4).

Called by the client core. Lenient where peers are careless and nothing is lost by it: lines may end with LF
alone, a code may stand without text, the codes of one reply may differ behind the first digit (the last one
counts). Lines, their number and whole replies are bounded; beyond that, and for what is no reply at all,
`NonsenseError` is raised, and no further reply can be read.
"""

import re
from functools import lru_cache

from paperpath.mail.reply import Reply

MOST_LINE_OCTETS = 4096  # RFC 5321 §4.5.3.1.5 has 512; many say more
MOST_LINES = 500
MOST_REPLY_OCTETS = 64 * 1024
_MOST_KEPT_OCTETS = 128  # of a reply that may come again and again

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_STATUS = re.compile(r"([245])\.[0-9]{1,3}\.[0-9]{1,3}(?: +|$)")
_PRINTABLE = {code: chr(code) for code in range(32, 127)}


class NonsenseError(Exception):
    """What the peer said is no reply, or is too much of one."""


class ReplyReader:
    """Cuts what a peer says into replies."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._input = b""
        self._read_to = 0  # what lies before was dealt with
        self._searched = 0  # no end of line lies before
        self._lines: list[bytes] = []  # of a reply that is not complete
        self._octets = 0  # of those

    @property
    def has_more(self) -> bool:
        """Whether anything is left of what came, be it a whole reply or the beginning of one."""
        return bool(self._lines) or self._read_to < len(self._input)

    def receive(self, octets: bytes) -> None:
        """Take what came."""
        if self._read_to == len(self._input):
            self._input, self._searched = octets, 0
        else:
            self._input = self._input[self._read_to :] + octets
            self._searched -= self._read_to
        self._read_to = 0

    def next_reply(self, *, has_status: bool = True) -> Reply | None:
        """Return the next reply, `None` when it is not complete; `has_status`: it may have one (RFC 2034).

        Raises: NonsenseError.
        """
        while (line := self._next_line()) is not None:
            is_last = line[3:4] != b"-"
            if is_last and not self._lines and len(line) <= _MOST_KEPT_OCTETS:
                return _read_again(line, has_status)
            self._keep(line)
            if is_last:
                lines, self._lines, self._octets = self._lines, [], 0
                return _read(lines, has_status)
        return None

    def _next_line(self) -> bytes | None:
        begin = self._read_to
        end = self._input.find(b"\n", max(self._searched, begin))
        if end < 0:
            self._searched = len(self._input)
            if self._searched - begin > MOST_LINE_OCTETS:
                raise NonsenseError("a reply has a line without end")
            return None
        if end - begin > MOST_LINE_OCTETS:
            raise NonsenseError("a reply has a line that is too long")
        self._read_to = end + 1
        return self._input[begin : end - 1 if self._input[end - 1 : end] == b"\r" else end]

    def _keep(self, line: bytes) -> None:
        self._octets += len(line)
        if len(self._lines) == MOST_LINES or self._octets > MOST_REPLY_OCTETS:
            raise NonsenseError("a reply has too many lines")
        if self._lines and self._lines[0][:1] != line[:1]:
            raise NonsenseError("the lines of a reply contradict each other")
        self._lines.append(line)


@lru_cache(maxsize=256)
def _read_again(line: bytes, has_status: bool) -> Reply:
    """Read a reply of one short line; peers have few of them, and say them all day."""
    return _read([line], has_status)


def _read(lines: list[bytes], has_status: bool) -> Reply:
    texts = []
    code = 0
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise NonsenseError("what came is no reply")
        code = int(match[1])
        texts.append(_clean(match[3] or b""))
    status = _find_status(code, texts[0]) if has_status else ""
    if status:
        texts = [_without(status, text) for text in texts]
    return Reply(code, status, tuple(texts))


def _find_status(code: int, text: str) -> str:
    """Return the enhanced status that a text begins with, empty where its class is not that of the code."""
    match = _STATUS.match(text)
    return match[0].rstrip() if match is not None and int(match[1]) == code // 100 else ""


def _without(status: str, text: str) -> str:
    return text[len(status) :].lstrip(" ") if text == status or text.startswith(f"{status} ") else text


def _clean(octets: bytes) -> str:
    """Make text of octets: printable ASCII, a question mark for everything else."""
    text = octets.decode("ascii", "replace")
    if text.isascii() and text.isprintable():
        return text
    return "".join(_PRINTABLE.get(ord(character), "?") for character in text)
