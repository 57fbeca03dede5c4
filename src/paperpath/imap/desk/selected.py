"""The mailbox that a session has selected: its message numbers, and what is new in it since it was last told.

Used by all commands of the selected state. Numbers are those of the snapshot, which changes only in `news`,
so what others do beside us never moves a number that the client uses (requirement K-29).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from paperpath.folders.store.interface import OpenFolder
from paperpath.folders.store.values import FORWARDED, SYSTEM_FLAGS, Changes, MessageState, Snapshot
from paperpath.imap import responses
from paperpath.imap.completion import ok
from paperpath.imap.desk.sharing import share_uids
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.sets import MessageSet, SequenceSet

RECENT = "\\Recent"


class Selected:
    """A selected mailbox. `saved`: the UIDs that `$` stands for."""

    def __init__(self, name: str, folder: OpenFolder, dialect: Dialect, *, read_only: bool) -> None:
        """Look at the folder, which is closed with this."""
        self.name = name
        self.folder = folder
        self.read_only = read_only
        self.saved: frozenset[int] = frozenset()
        self.snapshot: Snapshot = folder.look().snapshot
        self._dialect = dialect
        self._told: dict[int, int] = {}
        self._uses_modseq = self.shows_modseq  # and was told the highest
        self._held_modseq: int | None = None  # what came later may be without what departed
        self._keywords: Sequence[str] = folder.keywords

    @property
    def permanent_flags(self) -> list[str]:
        """What can be set here."""
        if self.read_only:
            return []
        return [*self._flags, *(["\\*"] if self.folder.takes_keywords else [])]

    @property
    def _flags(self) -> list[str]:
        return [*SYSTEM_FLAGS, FORWARDED, *self._keywords]

    def close(self) -> None:
        """Let the folder go; nothing is expunged."""
        self.folder.close()

    def rest(self) -> None:
        """Let go of what the folder holds open, and of UIDs that another session has in memory."""
        self.folder.rest()
        self.snapshot = share_uids(self.snapshot, self.folder.folder_id)

    def follow(self, name: str, folder: OpenFolder) -> None:
        """Go on with the same mailbox under the name that it has now."""
        self.folder.close()
        self.name, self.folder = name, folder

    def number_of(self, uid: int) -> int:
        """Return the message number of a UID that is in the snapshot."""
        return bisect_left(self.snapshot.uids, uid) + 1

    def find(self, messages: MessageSet, *, by_uid: bool) -> list[int]:
        """Return the UIDs that are meant, ascending; numbers and UIDs that nothing has are passed over."""
        uids = self.snapshot.uids
        if not isinstance(messages, SequenceSet):
            return [uid for uid in uids if uid in self.saved]
        if by_uid:
            return [uid for place in messages.find(uids) for uid in uids[place]]
        ranges = messages.resolve(len(uids))
        return [uid for low, high in ranges for uid in uids[low - 1 : high]]

    def names_missing(self, messages: MessageSet) -> bool:
        """Tell whether a set of message numbers has one that there is not (RFC 9051 §9, seq-number)."""
        return isinstance(messages, SequenceSet) and messages.greatest_named > len(self.snapshot.uids)

    def show_flags(self) -> bytes:
        """Write the flags that the mailbox has, and those that can be set."""
        flags = responses.write_flags(self._flags)
        permanent = responses.flag_list(self.permanent_flags).decode("ascii")
        return flags + responses.write_completion("", ok("Limited", f"PERMANENTFLAGS {permanent}"))

    def show_modseq(self) -> bytes:
        """Write the highest mod-sequence of what the client was told."""
        return _say_modseq(self.snapshot.modseq)

    def tell_modseq(self) -> Iterator[bytes]:
        """Write it for a client that begins to use mod-sequences (RFC 7162 §3.1)."""
        if self.shows_modseq and not self._uses_modseq:
            self._uses_modseq = True
            yield self.show_modseq()

    def note_told(self, states: Iterable[MessageState]) -> None:
        """Take note of flags that the client knows of, so that they are no news."""
        self._told.update((state.uid, state.modseq) for state in states)

    def news(self, *, may_expunge: bool) -> Iterator[bytes]:
        """Write what is new; without `may_expunge` (RFC 9051 §7.5.1) what is gone keeps its number."""
        changes = self.folder.look(self.snapshot, keep_departed=not may_expunge)
        yield from self._write_departed(changes)
        before = len(self.snapshot.uids) - len(changes.departed)
        modseq_before = self.snapshot.modseq
        self.snapshot = changes.snapshot
        if changes.arrived or len(self.snapshot.uids) != before:
            yield responses.write_exists(len(self.snapshot.uids))
            if self.shows_recent:
                yield responses.write_recent(self.snapshot.count_recent())
        told, self._told = self._told, {}
        changed = [state for state in changes.changed if told.get(state.uid) != state.modseq]
        yield from self.write_new_keywords(changed)
        for state in changed:
            yield responses.write_fetch(self.number_of(state.uid), self._show_state(state))
        if self._dialect.is_enabled(Extension.QRESYNC):
            yield from self._hold_modseq(modseq_before)

    def write_new_keywords(self, states: Sequence[MessageState]) -> Iterator[bytes]:
        """Write the flags of the mailbox where a message has one that the client has not seen."""
        if any(not state.flags.issubset(self._flags) for state in states):
            self._keywords = self.folder.keywords
            yield self.show_flags()

    def show_state_flags(self, state: MessageState) -> bytes:
        """Write the flags of a message."""
        flags = sorted(state.flags)
        if self.shows_recent and self.snapshot.is_recent(state.uid):
            flags.append(RECENT)
        return responses.flag_list(flags)

    @property
    def shows_recent(self) -> bool:
        """Whether \\Recent is known: RFC 9051 has it no more."""
        return not self._dialect.is_enabled(Extension.REV2)

    @property
    def shows_uid(self) -> bool:
        """Whether UIDs are told unasked (RFC 7162 §3.2.4, RFC 9051 §7.5.2)."""
        return self.shows_modseq or self._dialect.is_enabled(Extension.REV2)

    @property
    def shows_modseq(self) -> bool:
        """Whether mod-sequences are told unasked (RFC 7162 §3.2)."""
        return self._dialect.is_enabled(Extension.CONDSTORE)

    def _show_state(self, state: MessageState) -> Iterator[tuple[str, bytes]]:
        """Write what is told unasked of a message whose flags changed."""
        if self.shows_uid:
            yield "UID", b"%d" % state.uid
        yield "FLAGS", self.show_state_flags(state)
        if self.shows_modseq:
            yield "MODSEQ", b"(%d)" % state.modseq

    def _hold_modseq(self, before: int) -> Iterator[bytes]:
        """Tell how far the client has everything while it is not told what departed (RFC 7162 §3.2, §6).

        Else it would ask, when it comes back, for what came after a change that it was told of, and a message
        that had departed before that would be there for ever.
        """
        if self.snapshot.departed:
            if self._held_modseq is None:
                self._held_modseq = before
            yield _say_modseq(self._held_modseq)
        elif self._held_modseq is not None:
            self._held_modseq = None
            yield self.show_modseq()

    def _write_departed(self, changes: Changes) -> Iterator[bytes]:
        if not changes.departed:
            return
        if self._dialect.is_enabled(Extension.QRESYNC):
            yield responses.write_vanished(changes.departed)
            return
        for gone, uid in enumerate(changes.departed):  # each takes one from the numbers behind it
            yield responses.write_expunge(self.number_of(uid) - gone)


def _say_modseq(modseq: int) -> bytes:
    return responses.write_completion("", ok("The highest", f"HIGHESTMODSEQ {max(modseq, 1)}"))
