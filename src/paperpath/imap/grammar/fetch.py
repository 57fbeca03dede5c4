"""What FETCH says (RFC 9051 §6.4.5, RFC 3501 §6.4.5; RFC 3516, 7162, 8474, 8514, 8970)."""

import re

from paperpath.imap.commands import Fetch
from paperpath.imap.completion import bad
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
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
from paperpath.imap.scanner import Scanner

_FAST = (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE)
_MACROS = {
    "FAST": _FAST,
    "ALL": (*_FAST, Attribute.ENVELOPE),
    "FULL": (*_FAST, Attribute.ENVELOPE, Attribute.BODY),
}
_ATTRIBUTES = {attribute.value: attribute for attribute in Attribute}
_NEEDED = {
    Attribute.MODSEQ: Extension.CONDSTORE,
    Attribute.EMAILID: Extension.OBJECTID,
    Attribute.THREADID: Extension.OBJECTID,
    Attribute.SAVEDATE: Extension.SAVEDATE,
}
_TEXTS = {text.value: text for text in SectionText if text is not SectionText.WHOLE}
MOST_ITEMS = 200  # each may be as large as the message, and all are found before the first is sent
_FIELD_NAME = re.compile(rb"[!-9;-~]+")  # RFC 5322 §2.2


def parse_fetch(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Fetch:
    """Read what stands behind FETCH. Raises: Fault."""
    words.space()
    messages = words.message_set(saved=dialect.knows(Extension.SEARCHRES))
    words.space()
    items = _parse_items(words, dialect)
    if len(items) > MOST_ITEMS:
        raise Fault(bad("That is too much at once", "LIMIT"))
    changed_since, vanished = _parse_modifiers(words, dialect)
    if vanished and not (by_uid and changed_since is not None and dialect.is_enabled(Extension.QRESYNC)):
        raise Fault(bad("VANISHED is for UID FETCH with CHANGEDSINCE, once QRESYNC is on"))  # RFC 7162 §3.2.6
    if by_uid:
        items = (Attribute.UID, *items)
    if changed_since is not None:
        items = (*items, Attribute.MODSEQ)
    return Fetch(messages, tuple(dict.fromkeys(items)), by_uid, changed_since, vanished)


def _parse_items(words: Scanner, dialect: Dialect) -> tuple[FetchItem, ...]:
    if words.next_is(b"("):
        return words.listed(lambda: _parse_item(words, dialect))
    for name, macro in _MACROS.items():
        if words.take_word(name):
            return macro
    return (_parse_item(words, dialect),)


def _parse_modifiers(words: Scanner, dialect: Dialect) -> tuple[int | None, bool]:
    changed_since, vanished = None, False
    if words.take(b" "):
        dialect.require(Extension.CONDSTORE)

        def take_modifier() -> None:
            nonlocal changed_since, vanished
            if words.take_word("VANISHED"):
                vanished = True
                return
            if not words.take_word("CHANGEDSINCE"):
                raise misread("CHANGEDSINCE or VANISHED")
            words.space()
            changed_since = words.positive()

        words.listed(take_modifier)
    return changed_since, vanished


def _parse_item(words: Scanner, dialect: Dialect) -> FetchItem:
    name = words.word()
    if words.next_is(b"["):
        return _parse_sectioned(name, words, dialect)
    if name == "PREVIEW":
        dialect.require(Extension.PREVIEW)
        return Preview(lazy=words.take_phrase(b" (LAZY)"))
    attribute = _ATTRIBUTES.get(name)
    if attribute is None:
        raise misread("what FETCH can give")
    if attribute in _NEEDED:
        dialect.require(_NEEDED[attribute])
    return attribute


def _parse_sectioned(name: str, words: Scanner, dialect: Dialect) -> FetchItem:
    kind, _, rest = name.partition(".")
    if kind == "BODY" and rest in {"", "PEEK"}:
        return BodySection(_parse_section(words), _parse_partial(words), rest == "PEEK")
    if kind == "BINARY" and rest in {"", "PEEK", "SIZE"}:
        dialect.require(Extension.BINARY)
        words.expect(b"[")
        part = () if words.next_is(b"]") else words.part()
        words.expect(b"]")
        if rest == "SIZE":
            return BinarySize(part)
        return BinarySection(part, _parse_partial(words), rest == "PEEK")
    raise misread("what FETCH can give")


def _parse_section(words: Scanner) -> Section:
    words.expect(b"[")
    part = words.part() if words.begins_set else ()
    text = SectionText.WHOLE
    if words.take(b".") if part else not words.next_is(b"]"):
        text = _parse_section_text(words)
    if text is SectionText.MIME and not part:  # RFC 9051 §6.4.5.1: a part has it
        raise misread("a part before MIME")
    fields = _parse_fields(words) if text in {SectionText.FIELDS, SectionText.FIELDS_NOT} else ()
    words.expect(b"]")
    return Section(part, text, fields)


def _parse_section_text(words: Scanner) -> SectionText:
    text = _TEXTS.get(words.word())
    if text is None:
        raise misread("a text of a part")
    return text


def _parse_fields(words: Scanner) -> tuple[str, ...]:
    words.space()
    names = words.listed(words.astring)
    if not all(map(_FIELD_NAME.fullmatch, names)):
        raise misread("names of header fields")
    return tuple(name.decode("ascii") for name in names)


def _parse_partial(words: Scanner) -> Partial | None:
    if not words.take(b"<"):
        return None
    begin = words.number()
    words.expect(b".")
    octets = words.positive()
    words.expect(b">")
    return Partial(begin, octets)
