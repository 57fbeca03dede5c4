"""One client's session: a mailbox that is selected, and what it knows of it, compared with what is said.

What the client asks for is by deeds.py. After each command everything that was told goes into the ledger, so
that all clients are held to one truth.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from tests.imap_soak.ledger import Flags, Ledger, Place
from tests.imap_soak.view import Shown, View
from tests.imap_soak.wire import Answer, GoneError, Wire, expand, parse


class Kind(Enum):
    """What a client asks for with ENABLE."""

    PLAIN = b""
    CONDSTORE = b"CONDSTORE"
    QRESYNC = b"QRESYNC"
    REV2 = b"IMAP4rev2"

    @property
    def knows_modseq(self) -> bool:
        return self in (Kind.CONDSTORE, Kind.QRESYNC)


@dataclass(slots=True)
class Session:
    """One client. `keyword`: the flag that it alone changes; `own`, `exact`: what it knows to be so."""

    number: int
    port: int
    login: tuple[str, str]
    ledger: Ledger
    kind: Kind
    mailbox: str = "INBOX"
    view: View = field(default_factory=View)
    own: dict[Place, bool] = field(default_factory=dict)
    exact: dict[Place, Flags] = field(default_factory=dict)
    _wire: Wire | None = None
    _left: dict[str, View] = field(default_factory=dict)

    @property
    def keyword(self) -> bytes:
        return b"soak%d" % self.number

    @property
    def is_open(self) -> bool:
        return self._wire is not None

    def open(self) -> None:
        """Connect, and select a mailbox. Raises: OSError; GoneError."""
        self._wire = Wire(self.port, *self.login)
        if self.kind is not Kind.PLAIN:
            self._talk(b"ENABLE " + self.kind.value)  # says nothing of any mailbox
        self.select(self.mailbox)

    def close(self) -> None:
        """Let the connection go, and keep what is known."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
            self._left[self.mailbox] = self.view

    def select(self, mailbox: str) -> None:
        """Select a mailbox, as a continuation of what was known of it where that is possible."""
        if self.view.messages:
            self._left[self.mailbox] = self.view
        before = self._left.get(mailbox, View())
        self.mailbox, self.view = mailbox, View(complaints=self.view.complaints)
        resumes = self.kind is Kind.QRESYNC and before.settled > 0
        known = b" (QRESYNC (%d %d))" % (before.validity, before.settled) if resumes else b""
        lines, answer = self._talk(b"SELECT " + mailbox.encode() + known)
        if not answer.is_ok:
            self.view.complain(f"K-9: {answer.line!r}")
            return
        for line in lines:
            self._take_selected(line)
        if resumes and before.validity == self.view.validity:
            self._resume(before)
        self.learn()
        self.view.settled = self.view.modseq

    def learn(self) -> None:
        """Ask for what is not known of messages."""
        for _ in range(5):
            numbers = [str(n) for n, one in enumerate(self.view.messages, 1) if _is_unknown(one)]
            if not numbers:
                return
            self.ask(b"FETCH %s (%s)" % (",".join(numbers).encode(), self.items), may_expunge=False)
            self.ask(b"NOOP")

    @property
    def items(self) -> bytes:
        return b"UID FLAGS EMAILID" + (b" MODSEQ" if self.kind.knows_modseq else b"")

    def ask(self, command: bytes, *, may_expunge: bool = True) -> Answer:
        """Carry a command out, and believe what is said."""
        self.view.begin()
        lines, answer = self._talk(command)
        for line in lines:
            self.view.take(line, may_expunge=may_expunge)
        self._note(settled=may_expunge)
        if answer.condition == b"BAD":
            self.view.complain(f"K-30: {command[:80]!r} had {answer.line!r}")
        return answer

    def search(self, criteria: bytes) -> set[int]:
        """Return the UIDs that a search gives."""
        self.view.begin()
        lines, _ = self._talk(b"UID SEARCH " + criteria)
        found = set[int]()
        for line in lines:
            match parse(line[2:]):
                case [b"SEARCH", *uids]:
                    found.update(int(uid) for uid in uids if isinstance(uid, bytes))
                case [b"ESEARCH", _, b"UID", b"ALL", uids]:
                    found.update(expand_set(uids))
                case _:
                    self.view.take(line, may_expunge=True)
        self._note(settled=True)
        return found

    def idle(self, seconds: float) -> None:
        """Idle for a while."""
        wire = self._found_wire
        tag = wire.new_tag()
        self.view.begin()
        wire.send(tag + b" IDLE\r\n")
        while not (line := wire.read()).startswith(b"+"):
            self.view.take(line, may_expunge=True)
        end_s = time.monotonic() + seconds
        while (more := wire.read_within(max(end_s - time.monotonic(), 0.001))) is not None:
            self.view.take(more, may_expunge=True)
        wire.send(b"DONE\r\n")
        lines, _ = wire.wait(tag)
        for line in lines:
            self.view.take(line, may_expunge=True)
        self._note(settled=True)

    def check(self) -> None:
        """Compare the view with the mailbox: no number means another message, no change was kept back."""
        self.ask(b"NOOP")
        self.learn()
        before = {one.uid: one.modseq for one in self.view.messages}
        told = self.view.modseq
        if not before:
            return
        self.ask(b"FETCH 1:* (%s)" % self.items, may_expunge=False)
        answered = {one.uid for one in self.view.told}
        for one in self.view.told:
            modseq = before.get(one.uid)
            if modseq is not None and one.modseq is not None and modseq < one.modseq <= told:
                self.view.complain(f"K-23: UID {one.uid} at {one.modseq} was not told, but {told} was")
        self.ask(b"NOOP")
        for uid in before.keys() - answered - {None}:
            if uid is not None and self.view.find(uid) is not None:
                self.view.complain(f"K-29: UID {uid} is shown, and FETCH passes it over")

    def find_wrong(self, shown: Iterable[Shown]) -> Iterable[str]:
        """Tell, once, what messages have for flags that this client set otherwise."""
        for one in shown:
            if one.uid is None or one.flags is None:
                continue
            place = self.mailbox, one.uid
            if place in self.own and (self.keyword in one.flags) != self.own[place]:
                yield f"F-8: {place}: {self.keyword.decode()} is not {self.own.pop(place)}"
            if place in self.exact and one.flags != self.exact[place]:
                yield f"F-8: {place} has {sorted(one.flags)}, not {sorted(self.exact.pop(place))}"

    def _talk(self, command: bytes) -> tuple[list[bytes], Answer]:
        wire = self._found_wire
        tag = wire.new_tag()
        wire.send(tag + b" " + command + b"\r\n")
        return wire.wait(tag)

    @property
    def _found_wire(self) -> Wire:
        if self._wire is None:
            raise GoneError
        return self._wire

    def _note(self, *, settled: bool) -> None:
        self.ledger.note(self.mailbox, self.view.told)
        self.ledger.left(self.mailbox, self.view.vanished)
        if settled and not self.view.has_unknown:
            self.view.settled = self.view.modseq

    def _take_selected(self, line: bytes) -> None:
        for name in (b"UIDVALIDITY", b"HIGHESTMODSEQ"):
            _, found, rest = line.partition(b"[" + name + b" ")
            if found:
                value = int(rest.partition(b"]")[0])
                if name == b"UIDVALIDITY":
                    self.view.validity = value
                    self.ledger.note_validity(self.mailbox, value)
                else:
                    self.view.modseq = value
                return
        if line.startswith(b"* VANISHED"):
            self.view.vanished.update(expand_set(parse(line[2:])[2]))
        else:
            self.view.take(line, may_expunge=False)

    def _resume(self, before: View) -> None:
        """Take over what was known before, by what was told of the time between; all must fit together."""
        view = self.view
        kept = {
            one.uid: one for one in before.messages if one.uid is not None and one.uid not in view.vanished
        }
        kept |= {one.uid: one for one in view.messages if one.uid is not None}
        if len(kept) != len(view.messages):
            view.complain(f"K-24: {len(view.messages)} messages, {len(kept)} by what was told")
            return
        for place, uid in enumerate(sorted(kept)):
            there = view.messages[place]
            if there.uid not in (None, uid):
                view.complain(f"K-24: number {place + 1} is UID {there.uid}, {uid} by what was told")
                return
            if there.uid is None:
                view.messages[place] = kept[uid]


def expand_set(numbers: bytes) -> set[int]:
    """Return the numbers of a set, if there is any."""
    return set(expand(numbers)) if numbers else set()


def _is_unknown(one: Shown) -> bool:
    return one.uid is None or one.flags is None or one.email_id is None
