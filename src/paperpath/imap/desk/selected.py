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
from paperpath.imap.desk.sharing import SharedLook, share_uids
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.sets import MessageSet, SequenceSet

RECENT = "\\Recent"
_AT_ONCE = 1000  # so many responses are one piece


class _ShownFlags(dict[frozenset[str], bytes]):
    """Sets of flags as they are written; there are few different ones."""

    def __init__(self, *more: str) -> None:
        super().__init__()
        self._more = more

    def __missing__(self, flags: frozenset[str]) -> bytes:
        self[flags] = shown = responses.flag_list([*sorted(flags), *self._more])
        return shown


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
        self._shown = {False: _ShownFlags(), True: _ShownFlags(RECENT)}

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

    def shows(self, uid: int) -> bool:
        """Tell whether a message is in the snapshot."""
        uids = self.snapshot.uids
        place = bisect_left(uids, uid)
        return place < len(uids) and uids[place] == uid

    def numbers_of(self, uids: Sequence[int]) -> Sequence[int]:
        """Return the message numbers of UIDs that are in the snapshot, ascending."""
        first, last = self.number_of(uids[0]), self.number_of(uids[-1])
        if last - first == len(uids) - 1:
            return range(first, last + 1)
        return [self.number_of(uid) for uid in uids]

    def find(self, messages: MessageSet, *, by_uid: bool) -> Sequence[int]:
        """Return the UIDs that are meant, ascending; numbers and UIDs that nothing has are passed over."""
        uids = self.snapshot.uids
        if not isinstance(messages, SequenceSet):
            return [uid for uid in uids if uid in self.saved]
        if by_uid:
            places = list(messages.find(uids))
        else:
            places = [slice(low - 1, high) for low, high in messages.resolve(len(uids))]
        if len(places) == 1:
            return uids[places[0]]
        return [uid for place in places for uid in uids[place]]

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

    def news(self, *, may_expunge: bool, shared: SharedLook | None = None) -> Iterator[bytes]:
        """Write what is new; without `may_expunge` (RFC 9051 §7.5.1) what is gone keeps its number.

        With a shared look, which may expunge, what was new when the first session looked.
        """
        if shared is None or self.read_only or self.snapshot.departed:
            changes = self.folder.look(self.snapshot, keep_departed=not may_expunge)
        else:
            changes = shared.look(self.folder, self.snapshot)
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
        yield from self.write_states(changed, shows_uid=self.shows_uid)
        if self._dialect.is_enabled(Extension.QRESYNC):
            yield from self._hold_modseq(modseq_before)

    def write_new_keywords(self, states: Iterable[MessageState]) -> Iterator[bytes]:
        """Write the flags of the mailbox where a message has one that the client has not seen."""
        if not frozenset[str]().union(*{state.flags for state in states}).issubset(self._flags):
            self._keywords = self.folder.keywords
            yield self.show_flags()

    def write_states(
        self,
        states: Sequence[MessageState],
        *,
        shows_uid: bool,
        shows_flags: bool = True,
        shows_modseq: bool | None = None,
    ) -> Iterator[bytes]:
        """Write what states messages are in; mod-sequences where they are told unasked, unless it is said."""
        with_modseq = self.shows_modseq if shows_modseq is None else shows_modseq
        for begin in range(0, len(states), _AT_ONCE):
            some = states[begin : begin + _AT_ONCE]
            columns: dict[str, Iterable[bytes]] = {}
            if shows_uid:
                columns["UID"] = [b"%d" % state.uid for state in some]
            if shows_flags:
                columns["FLAGS"] = self.show_all_flags(some)
            if with_modseq:
                columns["MODSEQ"] = [b"(%d)" % state.modseq for state in some]
            if columns:
                yield responses.write_fetches(self.numbers_of([state.uid for state in some]), columns)

    def show_state_flags(self, state: MessageState) -> bytes:
        """Write the flags of a message."""
        is_recent = self.shows_recent and self.snapshot.is_recent(state.uid)
        return self._shown[is_recent][state.flags]

    def show_all_flags(self, states: Iterable[MessageState]) -> list[bytes]:
        """Write the flags of messages."""
        if self.shows_recent and self.snapshot.recent:
            return [self.show_state_flags(state) for state in states]
        shown = self._shown[False]
        return [shown[state.flags] for state in states]

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
