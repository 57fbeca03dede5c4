"""What one client knows of a mailbox by the responses alone, and what of them cannot be.

Each client has one. It believes every response, and complains of those that contradict each other: numbers
that name another message, EXPUNGE where none may come (K-6), UIDs that do not ascend (K-4).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.imap_soak.wire import Value, expand, parse

RECENT = b"\\Recent"
_COPIED = b"* OK [COPYUID "


@dataclass(slots=True)
class Shown:
    """A message as the client knows it; `None`: it was not told yet."""

    uid: int | None = None
    flags: frozenset[bytes] | None = None
    modseq: int | None = None
    email_id: bytes | None = None


@dataclass(slots=True)
class View:
    """A selected mailbox. `complaints`: what contradicts what was said before."""

    messages: list[Shown] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    validity: int = 0
    modseq: int = 0
    """The highest that was told."""
    settled: int = 0
    """Up to which all is known, so that the view can be resumed from there (RFC 7162 §3.2.5)."""
    told: list[Shown] = field(default_factory=list)
    """The messages that FETCH responses were about, since somebody cleared this."""
    vanished: set[int] = field(default_factory=set)
    """UIDs that went, likewise."""
    bodies: dict[int, bytes] = field(default_factory=dict)
    """Octets by UID, likewise."""
    copied: tuple[bytes, ...] = ()
    """The words of COPYUID, likewise: MOVE tells them before its end (RFC 6851 §4.3)."""

    @property
    def uids(self) -> list[int]:
        return [one.uid for one in self.messages if one.uid is not None]

    @property
    def has_unknown(self) -> bool:
        return any(one.uid is None or one.flags is None or one.email_id is None for one in self.messages)

    def find(self, uid: int) -> Shown | None:
        return next((one for one in self.messages if one.uid == uid), None)

    def begin(self) -> None:
        """Forget what was told for the last command."""
        self.told.clear()
        self.vanished.clear()
        self.bodies.clear()
        self.copied = ()

    def take(self, line: bytes, *, may_expunge: bool) -> None:
        """Believe a response, if it is about the mailbox."""
        if line.startswith(_COPIED):
            self.copied = tuple(line[len(b"* OK [") :].partition(b"]")[0].split())
            return
        match parse(line[2:]):
            case [number, b"EXISTS"]:
                self._exists(int(number))
            case [number, b"EXPUNGE"]:
                self._expunge(int(number), may_expunge=may_expunge)
            case [b"VANISHED", [b"EARLIER"], uids]:
                self._vanish(expand(uids), earlier=True)
            case [b"VANISHED", uids]:
                if not may_expunge:
                    self.complain(f"K-6: VANISHED behind a command that uses numbers: {line!r}")
                self._vanish(expand(uids), earlier=False)
            case [number, b"FETCH", [*items]]:
                self._fetch(int(number), items)

    def complain(self, what: str) -> None:
        self.complaints.append(what)

    def _exists(self, count: int) -> None:
        if count < len(self.messages):
            self.complain(f"K-6: {count} EXISTS, where {len(self.messages)} were known")
            del self.messages[count:]
        self.messages += [Shown() for _ in range(count - len(self.messages))]

    def _expunge(self, number: int, *, may_expunge: bool) -> None:
        if not may_expunge:
            self.complain(f"K-6: EXPUNGE {number} behind a command that uses numbers")
        if not 1 <= number <= len(self.messages):
            self.complain(f"K-6: EXPUNGE {number}, where {len(self.messages)} were known")
            return
        gone = self.messages.pop(number - 1)
        if gone.uid is not None:
            self.vanished.add(gone.uid)

    def _vanish(self, uids: list[int], *, earlier: bool) -> None:
        """Take UIDs away; what is not known yet stands behind what is."""
        gone = set(uids)
        self.vanished |= gone
        known = gone.intersection(self.uids)
        self.messages = [one for one in self.messages if one.uid not in known]
        if earlier:
            return
        for uid in sorted(gone - known):
            before = max((i for i, one in enumerate(self.messages) if (one.uid or uid) < uid), default=-1)
            if before + 1 < len(self.messages) and self.messages[before + 1].uid is None:
                del self.messages[before + 1]
            else:
                self.complain(f"K-24: VANISHED {uid}, which nobody had")

    def _fetch(self, number: int, items: list[Value]) -> None:
        if not 1 <= number <= len(self.messages):
            self.complain(f"K-6: FETCH of number {number}, where {len(self.messages)} were known")
            return
        one = self.messages[number - 1]
        if b"MODSEQ" in items[::2] and b"FLAGS" not in items[::2]:
            one.flags = None  # they changed, and were not told
        for name, value in zip(items[::2], items[1::2], strict=True):
            self._learn(number, one, name.upper(), value)
        self.told.append(one)

    def _learn(self, number: int, one: Shown, name: bytes, value: Value) -> None:
        match name:
            case b"UID":
                self._learn_uid(number, one, int(value))
            case b"FLAGS":
                one.flags, one.modseq = frozenset(value) - {RECENT}, None  # MODSEQ comes behind FLAGS
            case b"MODSEQ":
                one.modseq = int(value[0])
                self.modseq = max(self.modseq, one.modseq)
            case b"EMAILID":
                if one.email_id not in (None, value[0]):
                    self.complain(f"K-5: number {number}, UID {one.uid}, is another message now")
                one.email_id = value[0]
            case b"BODY[]" if one.uid is not None:
                self.bodies[one.uid] = value

    def _learn_uid(self, number: int, one: Shown, uid: int) -> None:
        if one.uid not in (None, uid):
            self.complain(f"K-29: number {number} is UID {uid}, and was {one.uid}")
        one.uid = uid
        before = _first_known(self.messages, range(number - 2, -1, -1))
        behind = _first_known(self.messages, range(number, len(self.messages)))
        if (before is not None and before >= uid) or (behind is not None and behind <= uid):
            self.complain(f"K-4: UID {uid} does not ascend at number {number}")


def _first_known(messages: Sequence[Shown], places: Iterable[int]) -> int | None:
    return next((uid for place in places if (uid := messages[place].uid) is not None), None)
