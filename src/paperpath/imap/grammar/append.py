"""What stands before and behind each message of APPEND (RFC 9051 §6.3.12; RFC 3502, 3516 §4.4, 6855 §4)."""

from dataclasses import dataclass

from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import misread
from paperpath.imap.grammar.dates import parse_date_time
from paperpath.imap.grammar.flags import parse_flag_list
from paperpath.imap.scanner import Scanner


@dataclass(frozen=True, slots=True)
class MessageHead:
    """What is said of a message before its octets. `wrapped`: a parenthesis closes behind them."""

    size: int
    flags: tuple[str, ...]
    date_us: int | None
    binary: bool
    wrapped: bool


def parse_message_head(words: Scanner, dialect: Dialect) -> MessageHead:
    """Read what stands before a message, to the end of its announcement. Raises: Fault.

    Between two messages imapclient has two spaces.
    """
    words.space()
    words.take(b" ")
    flags: tuple[str, ...] = ()
    if words.next_is(b"("):
        flags = parse_flag_list(words)
        words.space()
    date_us = None
    if words.next_is(b'"'):
        date_us = parse_date_time(words)
        words.space()
    wrapped = words.take_phrase(b"UTF8 (")
    if wrapped and not dialect.is_enabled(Extension.UTF8_ACCEPT):
        raise misread("UTF8=ACCEPT switched on first")
    binary, size = words.announcement()
    if binary and not wrapped:
        dialect.require(Extension.BINARY)
    words.end()
    return MessageHead(size, flags, date_us, binary and not wrapped, wrapped)


def parse_message_end(words: Scanner, *, wrapped: bool) -> None:
    """Read what must stand behind a message. Raises: Fault."""
    if wrapped:
        words.expect(b")")
