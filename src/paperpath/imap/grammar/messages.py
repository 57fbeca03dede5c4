"""What STORE, COPY, MOVE and EXPUNGE say (RFC 9051 §6.4; RFC 4315, 6851, 7162)."""

from paperpath.imap.commands import Copy, Expunge, Move, Store, StoreMode
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import misread
from paperpath.imap.grammar.flags import parse_flag, parse_flag_list
from paperpath.imap.grammar.mailboxes import parse_mailbox
from paperpath.imap.scanner import Scanner
from paperpath.imap.sets import MessageSet

_SILENT = ".SILENT"


def parse_store(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Store:
    """Read what stands behind STORE. Raises: Fault."""
    messages = _parse_messages(words, dialect)
    words.space()
    unchanged_since = None
    if words.next_is(b"("):
        unchanged_since = _parse_modifier(words, dialect)
        words.space()
    name = words.word()
    silent = name.endswith(_SILENT)
    try:
        mode = StoreMode(name.removesuffix(_SILENT))
    except ValueError:
        raise misread("how flags are to be stored") from None
    words.space()
    return Store(messages, mode, _parse_flags(words), silent, by_uid, unchanged_since)


def parse_copy(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Copy:
    """Read what stands behind COPY. Raises: Fault."""
    return Copy(_parse_messages(words, dialect), parse_mailbox(words, dialect), by_uid)


def parse_move(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Move:
    """Read what stands behind MOVE. Raises: Fault."""
    return Move(_parse_messages(words, dialect), parse_mailbox(words, dialect), by_uid)


def parse_expunge(words: Scanner, dialect: Dialect, *, by_uid: bool) -> Expunge:
    """Read what stands behind EXPUNGE. Raises: Fault."""
    if not by_uid:
        return Expunge()
    dialect.require(Extension.UIDPLUS)
    return Expunge(_parse_messages(words, dialect))


def _parse_messages(words: Scanner, dialect: Dialect) -> MessageSet:
    words.space()
    return words.message_set(saved=dialect.knows(Extension.SEARCHRES))


def _parse_modifier(words: Scanner, dialect: Dialect) -> int:
    dialect.require(Extension.CONDSTORE)
    words.expect(b"(")
    if not words.take_word("UNCHANGEDSINCE"):
        raise misread("UNCHANGEDSINCE")
    words.space()
    modseq = words.number()
    words.expect(b")")
    return modseq


def _parse_flags(words: Scanner) -> tuple[str, ...]:
    if words.next_is(b"("):
        return parse_flag_list(words)
    flags = [parse_flag(words)]
    while words.take(b" "):
        flags.append(parse_flag(words))
    return tuple(dict.fromkeys(flags))
