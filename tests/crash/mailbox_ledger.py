"""What a mail program was told by IMAP of one mailbox, and whether what it finds there later agrees.

A message is known by its number, and lies in no folder twice. What was acknowledged is as it was said; of a
deed that nobody answered each message is as before it or as behind it, and of one that is all or none, all
are. \\Seen is nobody's here: the harness sets it, as another mail program does (`Site.read_mail`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_NOT_COMPARED = frozenset({b"\\Seen", b"\\Recent"})
Place = tuple[str, int]
"""A folder, and the number of a message in it."""
State = Mapping[Place, frozenset[bytes]]
"""The flags of each message that is there."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a deed makes of a mailbox. `whole`: all of it, or nothing."""

    name: str
    change: Callable[[State], State]
    whole: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a mail program sees it. `is_intact`: its octets are those that were put in."""

    folder: str
    uid: int
    number: int
    flags: frozenset[bytes]
    is_intact: bool


@dataclass(slots=True)
class MailboxLedger:
    """What was told, and what is wrong."""

    state: State = field(default_factory=dict)
    pending: Intent | None = None
    uids: dict[tuple[str, int, int], int] = field(default_factory=dict)
    """The number of the message that has, or had, a UID: by folder, UIDVALIDITY and UID."""
    validities: dict[str, int] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()
    """What was removed for good."""
    wrong: list[str] = field(default_factory=list)

    def copy(self) -> "MailboxLedger":
        """Return one that may be written on."""
        return MailboxLedger(
            self.state, self.pending, dict(self.uids), dict(self.validities), self.gone, list(self.wrong)
        )

    def begin(self, intent: Intent) -> None:
        """Note what is asked for."""
        self.pending = intent

    def refuse(self) -> None:
        """Note that it was refused: what is all or none is not done, then."""
        if self.pending is not None and self.pending.whole:
            self.pending = None

    def acknowledge(self) -> None:
        """Note that it was done."""
        assert self.pending is not None
        before, self.state, self.pending = self.state, self.pending.change(self.state), None
        self.gone |= _numbers(before) - _numbers(self.state)

    def note_validity(self, folder: str, validity: int, *, may_change: bool) -> None:
        """Note the UIDVALIDITY of a folder."""
        last = self.validities.setdefault(folder, validity)
        if validity < last or (validity != last and not may_change):
            self.wrong.append(f"K-4: UIDVALIDITY of {folder} was {last}, and is {validity}")
        self.validities[folder] = validity

    def note_uid(self, folder: str, uid: int, number: int) -> None:
        """Note which message has a UID."""
        last = self.uids.setdefault((folder, self.validities[folder], uid), number)
        if last != number:
            self.wrong.append(f"K-4: {folder} {uid} was message {last}, and is {number}")

    def find_uid(self, folder: str, number: int) -> int:
        """Return the UID of a message that is there."""
        validity = self.validities[folder]
        return max(
            key[2] for key, found in self.uids.items() if (*key[:2], found) == (folder, validity, number)
        )

    def find_number(self, folder: str, uid: int) -> int:
        """Return the number of the message that has a UID."""
        return self.uids[folder, self.validities[folder], uid]

    def compare(self, seen: Iterable[Seen]) -> None:
        """Hold the whole mailbox, as it is seen, to what was told; go on from it."""
        messages = list(seen)
        found = {(one.folder, one.number): one.flags - _NOT_COMPARED for one in messages}
        self.wrong += [f"P1: message {one.number} is damaged" for one in messages if not one.is_intact]
        self.wrong += [
            f"K-19: message {number} is {count} times in {folder}"
            for (folder, number), count in Counter((one.folder, one.number) for one in messages).items()
            if count > 1
        ]
        self.wrong += self._judge(found)
        self.gone |= _numbers(self.state) - _numbers(found)
        self.state, self.pending = found, None

    def _judge(self, found: State) -> Iterator[str]:
        before = self.state
        after = before if self.pending is None else self.pending.change(before)
        for place in found.keys() - before.keys() - after.keys():
            if place[1] in self.gone | _numbers(before) | _numbers(after):
                yield f"K-19: message {place[1]} is in {place[0]}, where nobody put it"
        for place in before.keys() | after.keys():
            choices = [state.get(place) for state in (before, after)]
            if found.get(place) not in choices:
                yield f"K-29: {place} is {_show(found.get(place))}, not one of {[*map(_show, choices)]}"
        counts = [Counter(number for _, number in state) for state in (found, before, after)]
        for number in counts[1] | counts[2]:
            if counts[0][number] not in (counts[1][number], counts[2][number]):
                yield f"K-19: message {number} is there {counts[0][number]} times"
        if self.pending is not None and self.pending.whole:
            done = [found.get(place) == after.get(place) for place in _find_changed(before, after)]
            if any(done) != all(done):
                yield f"K-10: {self.pending.name} was done in part"


def _find_changed(before: State, after: State) -> list[Place]:
    return [place for place in before.keys() | after.keys() if before.get(place) != after.get(place)]


def _numbers(state: State) -> frozenset[int]:
    return frozenset(number for _, number in state)


def _show(flags: frozenset[bytes] | None) -> str:
    return "not there" if flags is None else b" ".join(sorted(flags)).decode() or "without flags"
