"""What clients were told and did, gathered from all of them; and what of it is not so in the end.

A message is known by its EMAILID, which is a digest of its octets. A mortal one may be removed, any other
is there for ever; a private one has an owner, who alone changes its flags. Of everything that is under way
when a connection breaks nothing is known: it may have happened or not.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.imap_soak.view import Shown

Place = tuple[str, int]  # mailbox and UID
Flags = frozenset[bytes]


def make_email_id(octets: bytes) -> bytes:
    """Return the EMAILID of octets as they are served."""
    return b"M" + hashlib.sha256(octets).hexdigest()[:40].encode()


@dataclass(frozen=True, slots=True)
class Found:
    """A message as it is in the end."""

    flags: Flags
    modseq: int
    email_id: bytes


@dataclass
class Ledger:
    """The record. Any thread may write into it."""

    written: set[bytes] = field(default_factory=set)
    """Messages whose octets are known from the beginning; of others only that they came."""
    certain: Counter[bytes] = field(default_factory=Counter)
    possible: Counter[bytes] = field(default_factory=Counter)
    mortal: set[bytes] = field(default_factory=set)
    doomed: set[bytes] = field(default_factory=set)
    owners: dict[bytes, int] = field(default_factory=dict)
    groups: list[tuple[bytes, ...]] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    gone: set[Place] = field(default_factory=set)
    identities: dict[Place, bytes] = field(default_factory=dict)
    states: dict[tuple[str, int, int], Flags] = field(default_factory=dict)
    newest: dict[Place, int] = field(default_factory=dict)
    delivered: set[bytes] = field(default_factory=set)
    validities: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def complain(self, what: str) -> None:
        """Note what is wrong."""
        with self.lock:
            self.wrong.append(what)

    def begin(self, email_ids: Sequence[bytes], *, mortal: bool = False, owner: int | None = None) -> None:
        """Note that messages are about to come."""
        with self.lock:
            self.written.update(email_ids)
            self.possible.update(email_ids)
            if mortal:
                self.mortal.update(email_ids)
            if owner is not None:
                self.owners |= dict.fromkeys(email_ids, owner)
            if len(email_ids) > 1:
                self.groups.append(tuple(email_ids))

    def copying(self, email_ids: Iterable[bytes]) -> None:
        """Note that copies are about to come."""
        with self.lock:
            self.possible.update(email_ids)

    def came(self, mailbox: str, uids: Sequence[int], email_ids: Sequence[bytes]) -> None:
        """Note that they came, and under which UIDs."""
        with self.lock:
            self.possible.subtract(email_ids)
            self.certain.update(email_ids)
            for uid, email_id in zip(uids, email_ids, strict=True):
                self._identify((mailbox, uid), email_id)

    def moved(self, source: Sequence[Place], target: Sequence[Place], email_ids: Sequence[bytes]) -> None:
        """Note that messages have other places now."""
        with self.lock:
            self.gone.update(source)
            for place, email_id in zip(target, email_ids, strict=True):
                self._identify(place, email_id)

    def stayed_away(self, email_ids: Iterable[bytes]) -> None:
        """Note that they did not come, as was said."""
        with self.lock:
            self.possible.subtract(email_ids)

    def doom(self, email_ids: Iterable[bytes]) -> None:
        """Note that messages are about to be removed, wherever they are."""
        with self.lock:
            self.doomed.update(email_ids)

    def is_mortal(self, email_id: bytes | None) -> bool:
        return email_id in self.mortal

    def left(self, mailbox: str, uids: Iterable[int]) -> None:
        """Note that somebody was told that messages are gone."""
        with self.lock:
            self.gone.update((mailbox, uid) for uid in uids)

    def note(self, mailbox: str, shown: Iterable[Shown]) -> None:
        """Hold what a client was told of messages to what all others were."""
        with self.lock:
            for one in shown:
                if one.uid is not None and one.email_id is not None:
                    self._identify((mailbox, one.uid), one.email_id)
                    self.seen.add(one.email_id)
                if one.uid is not None and one.modseq is not None and one.flags is not None:
                    self._note_state((mailbox, one.uid), one.modseq, one.flags)

    def note_validity(self, mailbox: str, validity: int) -> None:
        with self.lock:
            if self.validities.setdefault(mailbox, validity) != validity:
                self.wrong.append(f"K-29: {mailbox} has another UIDVALIDITY")

    def count(self, deed: str) -> None:
        with self.lock:
            self.done[deed] += 1

    def _identify(self, place: Place, email_id: bytes) -> None:
        if self.identities.setdefault(place, email_id) != email_id:
            self.wrong.append(f"K-4: {place} is another message now: {email_id!r}")

    def _note_state(self, place: Place, modseq: int, flags: Flags) -> None:
        if self.states.setdefault((*place, modseq), flags) != flags:
            self.wrong.append(f"K-23: {place} at {modseq} has {sorted(flags)}, not as it was told before")
        self.newest[place] = max(self.newest.get(place, 0), modseq)

    # In the end

    def judge(self, found: Mapping[Place, Found]) -> list[str]:
        """Return what is wrong, by all messages that there are."""
        wrong = list(self.wrong)
        wrong += [f"K-4: {place} is gone, and there" for place in found.keys() & self.gone]
        for place, one in found.items():
            if self.identities.get(place, one.email_id) != one.email_id:
                wrong.append(f"K-4: {place} is another message in the end")
            if self.states.get((*place, one.modseq), one.flags) != one.flags:
                wrong.append(f"K-23: {place} has not the flags that were told: {sorted(one.flags)}")
            if self.newest.get(place, 0) > one.modseq:
                wrong.append(f"F-8: {place} has lost what was told of it at {self.newest[place]}")
        return wrong + self._count(Counter(one.email_id for one in found.values()))

    def _count(self, copies: Counter[bytes]) -> list[str]:
        wrong = []
        for email_id in self.written:
            least = 0 if email_id in self.doomed else self.certain[email_id]
            most = self.certain[email_id] + self.possible[email_id]
            if not least <= copies[email_id] <= most:
                wrong.append(f"K-10: {email_id!r} is there {copies[email_id]} times, not {least} to {most}")
        seen = self.seen | copies.keys()
        return wrong + [
            f"K-10: of {len(group)} messages of one APPEND some came"
            for group in self.groups
            if 0 < len(seen.intersection(group)) < len(group) and not self.doomed.intersection(group)
        ]
