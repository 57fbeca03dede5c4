"""What SEARCH, SORT and THREAD look for (RFC 9051 §6.4.4 and the extensions), as a tree of values.

Made by the parser, evaluated by whoever has the messages. Texts are decoded; how they are compared
is told in RFC 9051 §6.4.4. The tree is at most `MOST_DEPTH` deep and has at most `MOST_KEYS` keys, of
which at most `MOST_CONTENT_KEYS` are BODY or TEXT: for each of them every message may be read.
"""

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from paperpath.imap.sets import MessageSet

MOST_DEPTH = 100
MOST_KEYS = 2000
MOST_CONTENT_KEYS = 50


@dataclass(frozen=True, slots=True)
class AllKey:
    """ALL: every message."""


@dataclass(frozen=True, slots=True)
class FlagKey:
    """A flag is set, or is not: SEEN, UNSEEN, KEYWORD, RECENT ..."""

    flag: str
    is_set: bool = True


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """A header field has a text in it; an empty text: the field is there. FROM, SUBJECT ... are such keys."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class BodyKey:
    """The body has a text in it."""

    text: str


@dataclass(frozen=True, slots=True)
class TextKey:
    """Header or body have a text in them."""

    text: str


class DateOf(Enum):
    """Which date of a message is meant."""

    INTERNAL = "internal"
    SENT = "sent"  # the field Date, without time and zone
    SAVED = "saved"  # RFC 8514


class When(Enum):
    """How a date relates to a day."""

    BEFORE = "before"
    ON = "on"
    SINCE = "since"  # that day, or later


@dataclass(frozen=True, slots=True)
class DateKey:
    """A date of the message, without regard to its time and zone, relates so to a day."""

    date: DateOf
    when: When
    day: dt.date


@dataclass(frozen=True, slots=True)
class AgeKey:
    """The internal date is less than so many seconds ago (YOUNGER), or at least as many (RFC 5032)."""

    seconds: int
    younger: bool


@dataclass(frozen=True, slots=True)
class SizeKey:
    """The size is over (LARGER) or under (SMALLER) so many octets; never equal."""

    octets: int
    larger: bool


@dataclass(frozen=True, slots=True)
class NumberKey:
    """The message has one of these sequence numbers; `$` stands for messages, whatever their numbers."""

    messages: MessageSet


@dataclass(frozen=True, slots=True)
class UidKey:
    """The message has one of these UIDs."""

    messages: MessageSet


@dataclass(frozen=True, slots=True)
class ModSeqKey:
    """The mod-sequence is at least this (RFC 7162 §3.1.5); the metadata entry, if any, is passed over."""

    modseq: int


@dataclass(frozen=True, slots=True)
class EmailIdKey:
    """The message has this EMAILID (RFC 8474)."""

    object_id: str


@dataclass(frozen=True, slots=True)
class ThreadIdKey:
    """The message has this THREADID (RFC 8474)."""

    object_id: str


@dataclass(frozen=True, slots=True)
class SaveDateSupportedKey:
    """The mailbox knows when messages were saved: all messages or none (RFC 8514)."""


@dataclass(frozen=True, slots=True)
class NotKey:
    """What does not match a key."""

    key: "SearchKey"


@dataclass(frozen=True, slots=True)
class OrKey:
    """What matches one of two keys, or both."""

    left: "SearchKey"
    right: "SearchKey"


@dataclass(frozen=True, slots=True)
class AndKey:
    """What matches all of some keys."""

    keys: "tuple[SearchKey, ...]"


SearchKey = (
    AllKey
    | FlagKey
    | HeaderKey
    | BodyKey
    | TextKey
    | DateKey
    | AgeKey
    | SizeKey
    | NumberKey
    | UidKey
    | ModSeqKey
    | EmailIdKey
    | ThreadIdKey
    | SaveDateSupportedKey
    | NotKey
    | OrKey
    | AndKey
)


class SortKey(Enum):
    """By what SORT orders (RFC 5256 §3)."""

    ARRIVAL = "ARRIVAL"
    CC = "CC"
    DATE = "DATE"
    FROM = "FROM"
    SIZE = "SIZE"
    SUBJECT = "SUBJECT"
    TO = "TO"


@dataclass(frozen=True, slots=True)
class SortCriterion:
    """One key of SORT; later ones decide between what is equal by earlier ones."""

    key: SortKey
    reverse: bool = False


class ThreadAlgorithm(Enum):
    """How THREAD puts messages together (RFC 5256 §3)."""

    ORDEREDSUBJECT = "ORDEREDSUBJECT"
    REFERENCES = "REFERENCES"
