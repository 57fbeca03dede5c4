"""SEARCH in the texts of a message: HEADER and its like, BODY, TEXT (RFC 9051 §6.4.4).

Used by search.py. Header fields are compared as they are shown, and bodies decoded. To the body belong the
texts of its parts, and their headers, but not what is no text.
"""

from collections.abc import Callable, Iterator

from paperpath.imap.content.header_texts import LEFT_OUT, has_text
from paperpath.imap.content.needle import Needle
from paperpath.imap.content.searched import Searched
from paperpath.mail.charsets import decode_octets
from paperpath.mail.fields.shown_words import decode_words, undo_words
from paperpath.mail.mime.fields import Field, read_fields
from paperpath.mail.mime.part import Part
from paperpath.mail.mime.texts import read_texts

Matcher = Callable[[Searched], bool]


def search_header(name: str, text: str) -> Matcher:
    """Look in the fields of a name; for an empty text, for the fields."""
    wanted, needle = name.encode("utf-8").lower(), Needle(text)
    if b":" in wanted or b"\n" in wanted:
        return lambda _: False
    if wanted not in LEFT_OUT:
        return lambda message: has_text(message.header_texts(), wanted, needle.octets)
    return lambda message: any(
        field.name == wanted and needle.is_in(_show(field.value)) for field in read_fields(message.header())
    )


def search_body(text: str) -> Matcher:
    """Look in the body."""
    needle = Needle(text)
    return lambda message: not text or _is_in_parts(needle, message)


def search_text(text: str) -> Matcher:
    """Look in the header, then in the body."""
    needle = Needle(text)
    return lambda message: (
        not text or _is_in_header(needle, message.header()) or _is_in_parts(needle, message)
    )


def _is_in_header(needle: Needle, header: bytes) -> bool:
    """Look in all fields at once, unless one alone may differ: it is Latin-1 where it is no UTF-8."""
    try:
        text = header.decode() if needle.is_in_one_line else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        return any(needle.is_in(_show_field(field)) for field in read_fields(header))
    return needle.is_in(undo_words(text))


def _is_in_parts(needle: Needle, message: Searched) -> bool:
    whole = message.structure()
    for part in _each_part(whole):
        if part is not whole and _is_in_header(needle, b"".join(message.read(part.header))):
            return True
        is_text = not part.children and part.media.kind.lower() == b"text"
        if is_text and needle.is_in_any(read_texts(part, message.read(part.body))):
            return True
    return False


def _each_part(part: Part) -> Iterator[Part]:
    """Give a part and all that is in it."""
    yield part
    for child in part.children:
        yield from _each_part(child)


def _show_field(field: Field) -> str:
    return _show(field.octets)


def _show(octets: bytes) -> str:
    return decode_words(decode_octets(octets))
