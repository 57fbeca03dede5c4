"""One command while it comes: lines, and the literals between them (RFC 9051 §2.2.1, §4.3, RFC 7888).

Kept by the core from the first line of a command to the last. What is refused before its end is still read
to it, for nothing in it is a command, but it is not kept.
"""

import re
from dataclasses import dataclass

from paperpath.imap.append import Appending
from paperpath.imap.completion import Completion, bad
from paperpath.imap.extensions import Extension
from paperpath.imap.scanner import ANNOUNCEMENT, MOST_LONG_NUMBER, Scanner
from paperpath.imap.states import State
from paperpath.imap.verbs import VERBS, WITH_UID, Verb

UNKNOWN = bad("That command is not known here")
_NO_TAG = bad("A command begins with a tag and a name")
HEAD_OCTETS = 512  # of a line: tag and name of a command have fewer
LINE_END_OCTETS = 64  # of a line that is too long: an announcement at its end has fewer
_HEAD = re.compile(rb'([^\x00-\x20(){%*"\\+\x7f-\xff]{1,256}) (?:(UID) )?([A-Za-z]{1,32})(?![^ ])', re.I)
_TAG = re.compile(rb'([^\x00-\x20(){%*"\\+\x7f-\xff]{1,256}) ')
_HTTP = re.compile(rb"[A-Z]{3,10} [^ ]+ HTTP/")  # what browsers say when they are made to talk to us
_ANNOUNCED = re.compile(ANNOUNCEMENT + rb"\Z")


@dataclass(frozen=True, slots=True)
class Announced:
    """A literal that follows a line. `waits`: the client sends it only when told to go on."""

    octets: int
    waits: bool

    @property
    def is_absurd(self) -> bool:
        """Whether no number of octets can be that great (RFC 9051 §4.3)."""
        return self.octets > MOST_LONG_NUMBER


def read_announcement(line: bytes) -> Announced | None:
    """Return the literal that a line ends with the announcement of, if it does."""
    match = _ANNOUNCED.search(line, max(len(line) - LINE_END_OCTETS, 0)) if line.endswith(b"}") else None
    return match and Announced(int(match[2]), not match[3])


class Assembly:
    """One command. `tag`: empty where it cannot be read. `refusal`: what it is to be answered with.

    `following`: the state that it leads to. `appending`: what more there is of APPEND.
    `to_enable`: what its OK switches on. `is_foreign`: it is of another protocol (attack S-1).
    """

    def __init__(self, line: bytes) -> None:
        """Begin with how the first line begins."""
        head = _HEAD.match(line)
        tag = head or _TAG.match(line)
        self.tag = tag[1].decode("ascii") if tag else ""
        self.by_uid = bool(head and head[2])
        self.verb = self._find_verb(head[3]) if head else None
        self.is_foreign = _HTTP.match(line) is not None
        self.refusal: Completion | None = None
        self.following: State | None = None
        self.appending: Appending | None = None
        self.to_enable: tuple[Extension, ...] = ()
        self.octets = 0
        self._behind_verb = head.end() if head else 0
        self._text: list[bytes] = []
        self._literals: list[bytes] = []
        if self.verb is None:
            self.refuse(UNKNOWN if tag else _NO_TAG)

    def refuse(self, completion: Completion) -> None:
        """Keep nothing more, and be answered with that; the first refusal counts."""
        self.refusal = self.refusal or completion

    def add_line(self, line: bytes, *, ends: bool) -> None:
        """Take a line; `ends`: no literal follows it."""
        self.octets += len(line) + 2
        if self.refusal is None:
            self._text.append(line if ends else line + b"\r\n")

    def add_literal(self, octets: bytes) -> None:
        """Take a literal."""
        self.octets += len(octets)
        if self.refusal is None:
            self._literals.append(octets)

    def forget(self) -> None:
        """Forget what came before, which was read."""
        self._text.clear()
        self._literals.clear()
        self._behind_verb = self.octets = 0

    @property
    def words(self) -> Scanner:
        """What stands behind the verb, as far as it has come."""
        return Scanner(b"".join(self._text)[self._behind_verb :], self._literals)

    def _find_verb(self, name: bytes) -> Verb | None:
        verb = VERBS.get(name.decode("ascii").upper())
        return None if self.by_uid and verb not in WITH_UID else verb
