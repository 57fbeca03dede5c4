"""What FETCH can ask of a message (RFC 9051 §6.4.5 and the extensions), as values.

Made by the parser; who carries FETCH out answers each item under the name that `response_name` gives.
"""

from dataclasses import dataclass
from enum import Enum


class Attribute(Enum):
    """An item without anything further. The value is its name, in the command and in the response."""

    FLAGS = "FLAGS"
    UID = "UID"
    INTERNALDATE = "INTERNALDATE"
    SIZE = "RFC822.SIZE"
    ENVELOPE = "ENVELOPE"
    BODY = "BODY"  # the structure without its extension data
    BODYSTRUCTURE = "BODYSTRUCTURE"
    RFC822 = "RFC822"  # RFC 3501 only; as BODY[], sets \Seen
    RFC822_HEADER = "RFC822.HEADER"  # as BODY.PEEK[HEADER]
    RFC822_TEXT = "RFC822.TEXT"  # as BODY[TEXT], sets \Seen
    MODSEQ = "MODSEQ"  # RFC 7162
    EMAILID = "EMAILID"  # RFC 8474
    THREADID = "THREADID"
    SAVEDATE = "SAVEDATE"  # RFC 8514

    __hash__ = object.__hash__  # as for Extension


class SectionText(Enum):
    """Which text of a part is meant. The value is its name within the brackets."""

    WHOLE = ""
    HEADER = "HEADER"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"  # of a part only

    __hash__ = object.__hash__  # as for Extension


@dataclass(frozen=True, slots=True)
class Section:
    """What stands within the brackets of `BODY[...]`.

    `part`: `2.1` is (2, 1), empty the message itself. `fields`: the names of header fields, as they were
    written; only where `text` names fields.
    """

    part: tuple[int, ...] = ()
    text: SectionText = SectionText.WHOLE
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        fields = f"({' '.join(map(_show_field, self.fields))})" if self.fields else ""
        words = (self.text.value, fields)
        numbers = map(str, self.part)
        return ".".join(filter(None, (*numbers, " ".join(filter(None, words)))))


@dataclass(frozen=True, slots=True)
class Partial:
    """`<begin.octets>`: only those octets; none where the text ends before (RFC 9051 §6.4.5)."""

    begin: int
    octets: int


@dataclass(frozen=True, slots=True)
class BodySection:
    """`BODY[section]<partial>`; it sets \\Seen, but for `BODY.PEEK`."""

    section: Section
    partial: Partial | None = None
    peek: bool = False


@dataclass(frozen=True, slots=True)
class BinarySection:
    """`BINARY[part]<partial>`: the part decoded (RFC 3516); it sets \\Seen, but for `BINARY.PEEK`."""

    part: tuple[int, ...]
    partial: Partial | None = None
    peek: bool = False


@dataclass(frozen=True, slots=True)
class BinarySize:
    """`BINARY.SIZE[part]`: how many octets the decoded part has."""

    part: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """`PREVIEW` (RFC 8970); `lazy`: only if it costs nothing."""

    lazy: bool = False


FetchItem = Attribute | BodySection | BinarySection | BinarySize | Preview


def response_name(item: FetchItem) -> str:
    """Return the name of an item in the response: no PEEK, and of a partial only where it begins."""
    match item:
        case Attribute():
            return item.value
        case BodySection(section, partial):
            return f"BODY[{section}]{_show_partial(partial)}"
        case BinarySection(part, partial):
            return f"BINARY[{_show_part(part)}]{_show_partial(partial)}"
        case BinarySize(part):
            return f"BINARY.SIZE[{_show_part(part)}]"
        case Preview():
            return "PREVIEW"


def sets_seen(item: FetchItem) -> bool:
    """Tell whether a message is seen by who fetches this of it."""
    if isinstance(item, BodySection | BinarySection):
        return not item.peek
    return item in {Attribute.RFC822, Attribute.RFC822_TEXT}


def _show_part(part: tuple[int, ...]) -> str:
    return ".".join(map(str, part))


def _show_partial(partial: Partial | None) -> str:
    return "" if partial is None else f"<{partial.begin}>"


def _show_field(name: str) -> str:
    return name if name.replace("-", "").isalnum() else f'"{name}"'
