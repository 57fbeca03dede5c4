"""Which octets of a message a section is: BODY[1.2.MIME] and its like (RFC 9051 §6.4.5.1).

Called for FETCH. Works on what BODYSTRUCTURE is written from, so both agree whatever the message.
"""

from collections.abc import Callable, Sequence

from paperpath.imap.fetch_items import Partial, Section, SectionText
from paperpath.mail.mime.fields import keep_fields
from paperpath.mail.mime.part import Extent, Part

_FIELDS = (SectionText.FIELDS, SectionText.FIELDS_NOT)

ReadOctets = Callable[[int, int], bytes]
"""Gives octets of the message, from one place up to another."""


def find_part(message: Part, path: Sequence[int]) -> Part | None:
    """Return the part with those numbers, of which there is one at least; `None` where there is no such part.

    What is no multipart has one part, number 1, itself.
    """
    part: Part | None = None
    within: Part | None = message
    for number in path:
        if within is None:
            return None
        parts = within.children if within.is_multipart else (within,)
        if not 1 <= number <= len(parts):
            return None
        part = parts[number - 1]
        within = part if part.is_multipart else part.inner
    return part


def find_extent(message: Part, section: Section) -> Extent | None:
    """Return where a section lies; of some fields, where the header lies that they are in.

    `None`: there is no such section.
    """
    if section.part and section.text in {SectionText.WHOLE, SectionText.MIME}:
        part = find_part(message, section.part)
        if part is None:
            return None
        return part.header if section.text is SectionText.MIME else part.body
    whose = _find_message(message, section.part)
    if whose is None:
        return None
    if section.text is SectionText.WHOLE:
        return whose.extent
    return whose.body if section.text is SectionText.TEXT else whose.header


def read_section(message: Part, section: Section, partial: Partial | None, read: ReadOctets) -> bytes | None:
    """Return a section, or the wanted octets of it; `None` where there is no such section."""
    extent = find_extent(message, section)
    if extent is None:
        return None
    if section.text not in _FIELDS:
        wanted = cut_extent(extent, partial)
        return read(wanted.begin, wanted.end) if wanted.octets else b""
    header = read(extent.begin, extent.end) if extent.octets else b""
    octets = select_fields(header, section)
    return octets if partial is None else octets[partial.begin : partial.begin + partial.octets]


def select_fields(header: bytes, section: Section) -> bytes:
    """Return the fields that a section names, or all others, and the empty line behind them.

    Where there are none that it names, and no end of the header, there is an empty line all the same: mutt
    does not show a message of which it gets no octets here.
    """
    names = {name.encode("ascii").lower() for name in section.fields}
    if section.text is SectionText.FIELDS_NOT:
        return keep_fields(header, names, others=True)
    return keep_fields(header, names, others=False) or b"\r\n"


def cut_extent(extent: Extent, partial: Partial | None) -> Extent:
    """Return what a partial leaves of octets; nothing, where they end before it begins."""
    if partial is None:
        return extent
    begin = min(extent.begin + partial.begin, extent.end)
    return Extent(begin, min(begin + partial.octets, extent.end))


def _find_message(message: Part, path: Sequence[int]) -> Part | None:
    """Return the message that is in a part, or the message itself."""
    if not path:
        return message
    part = find_part(message, path)
    return None if part is None else part.inner
