"""The items of FETCH as they are written, each for one message (RFC 9051 §7.5.2 and the extensions).

Called by fetching.py. What can fail fails before anything of the message is written; what is large comes in
pieces behind it.
"""

import datetime as dt
from collections.abc import Callable, Iterable

from paperpath.folders.store.errors import MessageGoneError
from paperpath.folders.store.values import Cached
from paperpath.imap.completion import Completion, no
from paperpath.imap.content.binary import find_binary, measure_binary, read_binary
from paperpath.imap.content.preview import make_preview
from paperpath.imap.content.sections import cut_extent, find_extent, select_fields
from paperpath.imap.content.structure_text import write_structure
from paperpath.imap.desk.message import Message
from paperpath.imap.fetch_items import (
    Attribute,
    BinarySection,
    BinarySize,
    BodySection,
    FetchItem,
    Partial,
    Preview,
    Section,
    SectionText,
)
from paperpath.imap.responses import NIL, literal_head, write_nstring
from paperpath.mail.mime.encodings import UnknownEncodingError
from paperpath.mail.mime.part import Extent

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EMPTY = b'""'
_READ_AT_ONCE = 16 * 1024  # of each item; those of a message are all read before the first is sent
_MOST_HELD = 64 * 1024
_FIELDS = (SectionText.FIELDS, SectionText.FIELDS_NOT)

Pieces = Iterable[bytes]
"""A value as it is written: a tuple where it was read already."""


class ItemError(Exception):
    """An item that cannot be told of a message, so that FETCH ends with this."""

    def __init__(self, completion: Completion) -> None:
        """Keep how."""
        super().__init__(completion.text)
        self.completion = completion


_UNKNOWN_ENCODING = no("A part has an encoding that is not known here", "UNKNOWN-CTE")
_NO_PART = no("There is no such part")


def write_item(item: FetchItem, message: Message) -> Pieces:
    """Write the value of an item. Raises: ItemError; MessageGoneError."""
    match item:
        case Attribute():
            return _ATTRIBUTES[item](message)
        case BodySection(section, partial):
            return _write_section(message, section, partial)
        case BinarySection(part, partial):
            return _write_binary(message, part, partial)
        case BinarySize(part):
            extent, encoding = _find_binary(message, part)
            return (b"%d" % _measure(message, extent, encoding),)
        case Preview(lazy):
            return (write_nstring(_preview(message, lazy=lazy)),)


def write_date(moment_us: int) -> bytes:
    """Write a date with time and zone, which is UTC (RFC 9051 §9, date-time)."""
    try:
        moment = _EPOCH + dt.timedelta(microseconds=moment_us)
    except OverflowError:  # the clock, or who set the file's time, was far off
        moment = _EPOCH
    day = f"{moment.day:2d}-{_MONTHS[moment.month - 1]}-{moment.year:04d}"
    return f'"{day} {moment:%H:%M:%S} +0000"'.encode("ascii")


def _write_octets(octets: bytes) -> Pieces:
    return (literal_head(len(octets)), octets) if octets else (_EMPTY,)


def _write_section(message: Message, section: Section, partial: Partial | None) -> Pieces:
    if section.text in _FIELDS:
        octets = _read_fields(message, section)
        if octets is None:
            return (NIL,)
        if len(octets) > _MOST_HELD:
            return _write_many_fields(message, section, partial)
        return _write_octets(_cut(octets, partial))
    extent = find_extent(message.part, section) if section.part else _find_own(message, section.text)
    if extent is None:
        return (NIL,)
    wanted = cut_extent(extent, partial)
    if not wanted.octets:
        return (_EMPTY,)
    pieces = _write_literal(message, literal_head(wanted.octets), wanted.octets, message.read(wanted))
    return tuple(pieces) if wanted.octets <= _READ_AT_ONCE else pieces


def _write_many_fields(message: Message, section: Section, partial: Partial | None) -> Pieces:
    """Make them anew when it is their turn, so that those of one item are in memory, and not those of all."""
    yield from _write_octets(_cut(_read_fields(message, section) or b"", partial))


def _cut(octets: bytes, partial: Partial | None) -> bytes:
    return octets if partial is None else octets[partial.begin : partial.begin + partial.octets]


def _find_own(message: Message, text: SectionText) -> Extent:
    """Return where a section of the message itself lies, for which its structure need not be known."""
    if text is SectionText.WHOLE:
        return Extent(0, message.content.octets)
    end = len(message.header())
    return Extent(0, end) if text is SectionText.HEADER else Extent(end, message.content.octets)


def _read_fields(message: Message, section: Section) -> bytes | None:
    if not section.part:
        return select_fields(message.header(), section)
    extent = find_extent(message.part, section)
    return None if extent is None else select_fields(b"".join(message.read(extent)), section)


def _find_binary(message: Message, part: tuple[int, ...]) -> tuple[Extent, bytes]:
    found = find_binary(message.part, part)
    if found is None:
        raise ItemError(_NO_PART)
    return found


def _measure(message: Message, extent: Extent, encoding: bytes) -> int:
    try:
        return measure_binary(encoding, message.read(extent))
    except UnknownEncodingError as error:
        raise ItemError(_UNKNOWN_ENCODING) from error


def _write_binary(message: Message, part: tuple[int, ...], partial: Partial | None) -> Pieces:
    extent, encoding = _find_binary(message, part)
    octets = _measure(message, extent, encoding)
    if partial is not None:
        octets = max(min(octets - partial.begin, partial.octets), 0)
    if not octets:
        return (_EMPTY,)
    decoded = read_binary(encoding, message.read(extent), partial)
    return _write_literal(message, literal_head(octets, binary=True), octets, decoded)


def _write_literal(message: Message, head: bytes, octets: int, pieces: Pieces) -> Pieces:
    """Give so many octets as are announced. Raises: MessageGoneError, where there are no longer so many.

    Another program has written into the file then, which no mail program should.
    """
    yield head
    for piece in pieces:
        octets -= len(piece)
        if octets < 0:
            break
        yield piece
    if octets:
        raise MessageGoneError(message.uid)


def _preview(message: Message, *, lazy: bool) -> bytes | None:
    kept = message.kept(Cached.PREVIEW)
    if kept is None and not lazy:
        kept = make_preview(message.part, message.read).encode("utf-8")
        message.keep(Cached.PREVIEW, kept)
    return kept


def _write_whole(message: Message) -> Pieces:
    return _write_section(message, Section(), None)


def _write_header(message: Message) -> Pieces:
    return _write_section(message, Section(text=SectionText.HEADER), None)


def _write_text(message: Message) -> Pieces:
    return _write_section(message, Section(text=SectionText.TEXT), None)


_ATTRIBUTES: dict[Attribute, Callable[[Message], Pieces]] = {
    Attribute.FLAGS: lambda message: (message.shown_flags,),
    Attribute.UID: lambda message: (b"%d" % message.uid,),
    Attribute.INTERNALDATE: lambda message: (write_date(message.internal_us),),
    Attribute.SIZE: lambda message: (b"%d" % message.octets,),
    Attribute.ENVELOPE: lambda message: (message.envelope,),
    Attribute.BODY: lambda message: (write_structure(message.part, extended=False),),
    Attribute.BODYSTRUCTURE: lambda message: (write_structure(message.part, extended=True),),
    Attribute.RFC822: _write_whole,
    Attribute.RFC822_HEADER: _write_header,
    Attribute.RFC822_TEXT: _write_text,
    Attribute.MODSEQ: lambda message: (b"(%d)" % message.modseq,),
    Attribute.EMAILID: lambda message: (b"(" + message.email_id.encode("ascii") + b")",),
    Attribute.THREADID: lambda _: (NIL,),
    Attribute.SAVEDATE: lambda message: (write_date(message.saved_us),),
}
