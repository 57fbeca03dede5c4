"""Messages of the selected mailbox as FETCH and SEARCH look at them: read once, and only as far as needed.

`Batch` asks the index for many messages at once; `Message` is one of them, with its octets opened when they
are wanted first. Structures and envelopes that were made are kept beside the message.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from paperpath.folders.store.errors import IndexTroubleError, MessageGoneError
from paperpath.folders.store.interface import MessageOctets
from paperpath.folders.store.values import Cached, Dates, Measure, MessageState
from paperpath.imap.content.envelope_text import write_envelope
from paperpath.imap.content.header_texts import HeaderTexts, is_of_this_version, write_header_texts
from paperpath.imap.desk.selected import RECENT, Selected
from paperpath.mail.mime.part import Extent, Part, pack_part, unpack_part
from paperpath.mail.mime.structure import MOST_HEADER_OCTETS, read_structure

_BATCH = 200
_LARGE_BATCH = 1000
_LINE_END = b"\r\n"
_PIECE_OCTETS = 16 * 1024
_MOST_TEXTS_KEPT = 16 * 1024

_Fact = TypeVar("_Fact")


class Batch:
    """Some messages, by UID; each kind of fact is asked for once, for all of them."""

    def __init__(self, selected: Selected, uids: Sequence[int]) -> None:
        """Ask nothing yet."""
        self.selected = selected
        self.uids = uids
        self._kept: dict[Cached, Mapping[int, bytes]] = {}
        self._made: dict[Cached, dict[int, bytes]] = {}

    @cached_property
    def states(self) -> dict[int, MessageState]:
        """Flags and mod-sequences."""
        return {state.uid: state for state in self.selected.folder.states(self.uids)}

    @cached_property
    def dates(self) -> dict[int, Dates]:
        """When they came."""
        return {dates.uid: dates for dates in self.selected.folder.dates(self.uids)}

    @cached_property
    def measures(self) -> dict[int, Measure]:
        """How long they are."""
        return {measure.uid: measure for measure in self.selected.folder.measures(self.uids)}

    def kept(self, kind: Cached) -> Mapping[int, bytes]:
        """Return what was kept of one kind."""
        if kind not in self._kept:
            self._kept[kind] = self.selected.folder.cached(kind, self.uids)
        return self._kept[kind]

    def keep(self, kind: Cached, uid: int, octets: bytes) -> None:
        """Have something kept that was made."""
        self._made.setdefault(kind, {})[uid] = octets

    def store(self) -> None:
        """Keep what was made; without it all is right, and slower."""
        made, self._made = self._made, {}
        with suppress(OSError, IndexTroubleError):
            for kind, octets in made.items():
                self.selected.folder.keep_cached(kind, octets)


class Message:
    """One message: `with` it, for it may be open. Keeps the contract of `content.searched.Searched`.

    Raises where its octets are wanted and it is gone: MessageGoneError.
    """

    def __init__(self, batch: Batch, uid: int) -> None:
        """Open nothing yet."""
        self.uid = uid
        self._batch = batch
        self._opened: AbstractContextManager[MessageOctets] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.__exit__(kind, error, trace)

    @property
    def number(self) -> int:
        """Its number."""
        return self._batch.selected.number_of(self.uid)

    @property
    def flags(self) -> frozenset[str]:
        """Its flags, \\Recent among them."""
        flags = self._find(self._batch.states).flags
        return flags | {RECENT} if self._batch.selected.snapshot.is_recent(self.uid) else flags

    @property
    def shown_flags(self) -> bytes:
        """Its flags as they are written."""
        return self._batch.selected.show_state_flags(self._find(self._batch.states))

    @property
    def modseq(self) -> int:
        """Its mod-sequence."""
        return self._find(self._batch.states).modseq

    @property
    def internal_us(self) -> int:
        """When it came to the mail system."""
        return self._find(self._batch.dates).internal_us

    @property
    def saved_us(self) -> int:
        """When it came to this mailbox."""
        return self._find(self._batch.dates).saved_us

    @property
    def octets(self) -> int:
        """How long it is."""
        return self._find(self._batch.measures).octets

    @property
    def email_id(self) -> str:
        """What tells its content from any other."""
        return self._find(self._batch.measures).email_id

    @property
    def thread_id(self) -> str:
        """Nothing: threads have no names here."""
        return ""

    @cached_property
    def content(self) -> MessageOctets:
        """Its octets."""
        self._opened = self._batch.selected.folder.open_message(self.uid)
        return self._opened.__enter__()

    def header(self) -> bytes:
        """Return its header, with the empty line behind it."""
        if self._knows_structure:
            extent = self.part.header
            return self.content.read(extent.begin, extent.end) if extent.octets else b""
        return read_header(self.content)

    def header_texts(self) -> HeaderTexts:
        """Return its fields as they are compared, made if they were not kept."""
        kept = self.kept(Cached.HEADERS)
        if kept is None or not is_of_this_version(kept):
            kept = write_header_texts(self.header())
            if len(kept) <= _MOST_TEXTS_KEPT:
                self.keep(Cached.HEADERS, kept)
        return kept

    def structure(self) -> Part:
        """Return its structure."""
        return self.part

    def read(self, extent: Extent) -> Iterable[bytes]:
        """Give octets of it."""
        return self.content.chunks(extent.begin, extent.end) if extent.octets else ()

    def _find(self, facts: Mapping[int, _Fact]) -> _Fact:
        try:
            return facts[self.uid]
        except KeyError:
            raise MessageGoneError(self.uid) from None

    def kept(self, kind: Cached) -> bytes | None:
        """Return what was kept of it, if anything."""
        return self._batch.kept(kind).get(self.uid)

    def keep(self, kind: Cached, octets: bytes) -> None:
        """Have something of it kept."""
        self._batch.keep(kind, self.uid, octets)

    @property
    def _knows_structure(self) -> bool:
        return "part" in self.__dict__ or self.kept(Cached.STRUCTURE) is not None

    @cached_property
    def part(self) -> Part:
        """Its structure, made if it was not kept."""
        kept = self.kept(Cached.STRUCTURE)
        part = None if kept is None else unpack_part(kept)
        if part is None:
            part = read_structure(self.content.chunks())
            self.keep(Cached.STRUCTURE, pack_part(part))
        return part

    @property
    def envelope_fields(self) -> bytes:
        """The fields of its header that envelopes are made from, and perhaps others."""
        return self.part.envelope if self._knows_structure else _cut_header(self.header())

    @cached_property
    def envelope(self) -> bytes:
        """Its envelope as it is written."""
        kept = self.kept(Cached.ENVELOPE)
        if kept is None:
            kept = write_envelope(self.envelope_fields)
            self.keep(Cached.ENVELOPE, kept)
        return kept


def batches(uids: Sequence[int], *, large: bool = False) -> Iterator[Sequence[int]]:
    """Cut UIDs into so many as one batch has; a `large` one is for what costs little."""
    size = _LARGE_BATCH if large else _BATCH
    for begin in range(0, len(uids), size):
        yield uids[begin : begin + size]


def read_header(content: MessageOctets) -> bytes:
    """Return the header of a message without looking at what is behind it.

    Ends where the structure has its end: behind the first empty line, which may be the first of all.
    """
    header = bytearray(_LINE_END)
    begin, searched = 0, 0
    while piece := content.read(begin, begin + _PIECE_OCTETS):
        header += piece
        begin += len(piece)
        end = header.find(_LINE_END * 2, searched)
        if end >= 0:
            return bytes(header[len(_LINE_END) : end + 2 * len(_LINE_END)])
        searched = len(header) - 2 * len(_LINE_END) + 1
    return bytes(header[len(_LINE_END) :])


def _cut_header(header: bytes) -> bytes:
    """Return so much of a header as structures are made from, in whole lines."""
    if len(header) < MOST_HEADER_OCTETS:
        return header
    return header[: header.rfind(_LINE_END, 0, MOST_HEADER_OCTETS) + len(_LINE_END)]
