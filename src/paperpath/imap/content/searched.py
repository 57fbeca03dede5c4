"""What SEARCH asks of a message and of the mailbox; given by whoever carries it out."""

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from paperpath.imap.content.header_texts import HeaderTexts
from paperpath.mail.mime.part import Extent, Part


class Searched(Protocol):
    """A message. What costs much is a method, and is called only if a key cannot be judged without it."""

    @property
    def number(self) -> int:
        """Its sequence number."""

    @property
    def uid(self) -> int:
        """Its UID."""

    @property
    def flags(self) -> Collection[str]:
        """Flags and keywords, `\\Recent` too, written in any case."""

    @property
    def internal_us(self) -> int:
        """Its internal date, in microseconds since 1970."""

    @property
    def saved_us(self) -> int:
        """When it came to this mailbox."""

    @property
    def octets(self) -> int:
        """How long it is."""

    @property
    def modseq(self) -> int:
        """Its mod-sequence."""

    @property
    def email_id(self) -> str:
        """EMAILID (RFC 8474)."""

    @property
    def thread_id(self) -> str:
        """THREADID, empty where there is none."""

    def header(self) -> bytes:
        """Return its header section."""

    def header_texts(self) -> HeaderTexts:
        """Return its fields as they are compared."""

    def structure(self) -> Part:
        """Return its structure."""

    def read(self, extent: Extent) -> Iterable[bytes]:
        """Give octets of it, in pieces."""


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What holds for all messages of a search.

    `messages`: the greatest sequence number; `greatest_uid`: 0 where there is no message. `saved`: the UIDs
    that `$` stands for.
    """

    messages: int
    greatest_uid: int
    now_us: int
    saved: Container[int] = ()


class Cost(IntEnum):
    """What of a message has to be read to judge it."""

    NOTHING = 0
    HEADER = 1
    BODY = 2
