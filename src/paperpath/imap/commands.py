"""The commands that a driver carries out, as values (RFC 3501 §6, RFC 9051 §6 and the extensions).

Made by the parser; what is here is legal by the grammar, may come in the state it came in, and uses only
what the driver said it carries out. Whether mailboxes and messages exist is for the driver to see.

Names of mailboxes are text, whatever way the client wrote them; INBOX is in capitals. Flags are text:
`\\Seen` as RFC 9051 §2.3.2 writes it, keywords as the client wrote them. Times are microseconds since 1970.
"""

from dataclasses import dataclass
from enum import Enum

from paperpath.imap.completion import Completion
from paperpath.imap.extensions import Extension
from paperpath.imap.fetch_items import FetchItem
from paperpath.imap.search_keys import SearchKey, SortCriterion, ThreadAlgorithm
from paperpath.imap.sets import MessageSet, SequenceSet

# Any state


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP: tell what is new."""


@dataclass(frozen=True, slots=True)
class Compress:
    """COMPRESS DEFLATE: behind the OK all is compressed, in both directions (RFC 4978)."""


# Authenticated


@dataclass(frozen=True, slots=True)
class Enable:
    """ENABLE: switch on what is carried out here and can be switched on; there may be none of it.

    The driver says `* ENABLED` with those that were off (RFC 5161 §3.2); the core switches them at the OK.
    """

    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True)
class QuickResync:
    """What a client knows of a mailbox that it selects (RFC 7162 §3.2.5).

    `known`: the UIDs it has, `None` for all. `matches`: some message numbers and their UIDs.
    """

    uid_validity: int
    modseq: int
    known: SequenceSet | None = None
    matches: tuple[SequenceSet, SequenceSet] | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT, or EXAMINE where `read_only`. The mailbox that was selected is closed whatever comes of it."""

    mailbox: str
    read_only: bool = False
    condstore: bool = False
    resync: QuickResync | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """CREATE. `name` may end in the separator; `special_uses`: all of them, or no mailbox."""

    name: str
    special_uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME; of INBOX the messages are moved and it stays."""

    mailbox: str
    new_name: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE; UNSUBSCRIBE where not `subscribed`."""

    mailbox: str
    subscribed: bool = True


class ListSelection(Enum):
    """Which mailboxes LIST is about (RFC 5258 §3)."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVE_MATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class ListReturn(Enum):
    """What LIST is to tell beside the names (RFC 5258 §3, RFC 6154)."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"


class StatusItem(Enum):
    """What STATUS can ask of a mailbox."""

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"  # RFC 3501 only
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    DELETED = "DELETED"  # RFC 9051
    SIZE = "SIZE"  # RFC 8438
    APPENDLIMIT = "APPENDLIMIT"  # RFC 7889
    HIGHESTMODSEQ = "HIGHESTMODSEQ"  # RFC 7162
    MAILBOXID = "MAILBOXID"  # RFC 8474
    DELETED_STORAGE = "DELETED-STORAGE"  # RFC 9208

    __hash__ = object.__hash__  # as for Extension


@dataclass(frozen=True, slots=True)
class List:
    """LIST. `status`: items for a STATUS response of each mailbox that can be selected (RFC 5819).

    One empty pattern asks for the separator, unless `extended`, which is: something of RFC 5258 was used.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[ListSelection] = frozenset()
    returns: frozenset[ListReturn] = frozenset()
    status: tuple[StatusItem, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class ListSubscribed:
    """LSUB (RFC 3501 §6.3.9)."""

    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """NAMESPACE."""


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS of a mailbox, the selected one perhaps."""

    mailbox: str
    items: tuple[StatusItem, ...]


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND has come to its end: its messages were told before, as they came; see events.py."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Idle:
    """IDLE: answered by `ServerConnection.go_ahead`; what is new may be told until `IdleEnded`."""


@dataclass(frozen=True, slots=True)
class GetQuota:
    """GETQUOTA of one quota root (RFC 9208)."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot:
    """GETQUOTAROOT: the roots of a mailbox, and their quotas."""

    mailbox: str


# Selected


@dataclass(frozen=True, slots=True)
class Check:
    """CHECK (RFC 3501 §6.4.1): as NOOP."""


@dataclass(frozen=True, slots=True)
class Close:
    """CLOSE: remove what is \\Deleted, say nothing of it, and leave the mailbox."""


@dataclass(frozen=True, slots=True)
class Unselect:
    """UNSELECT: leave the mailbox, and remove nothing."""


@dataclass(frozen=True, slots=True)
class Expunge:
    """EXPUNGE; UID EXPUNGE where `uids`: only of these (RFC 4315)."""

    uids: MessageSet | None = None


class SearchReturn(Enum):
    """What SEARCH gives (RFC 4731, RFC 5182)."""

    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"
    SAVE = "SAVE"

    __hash__ = object.__hash__  # as for Extension


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH. `returns`: what the ESEARCH response has, `None` where the old SEARCH response is due.

    `RETURN ()` is ALL, and so is every SEARCH without RETURN once IMAP4rev2 is on. `refusal`: it can only be
    refused, and what was saved before is forgotten (RFC 5182 §2.1).
    """

    key: SearchKey
    returns: frozenset[SearchReturn] | None = None
    by_uid: bool = False
    refusal: Completion | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """SORT (RFC 5256)."""

    criteria: tuple[SortCriterion, ...]
    key: SearchKey
    by_uid: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """THREAD (RFC 5256)."""

    algorithm: ThreadAlgorithm
    key: SearchKey
    by_uid: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH. `items`: macros are taken apart, and no item is there twice; UID is there where `by_uid`.

    `changed_since`: only messages with a greater mod-sequence; MODSEQ is then among the items.
    `vanished`: tell what was expunged since, too (RFC 7162 §3.2.6).
    """

    messages: MessageSet
    items: tuple[FetchItem, ...]
    by_uid: bool = False
    changed_since: int | None = None
    vanished: bool = False


class StoreMode(Enum):
    """How STORE changes flags."""

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@dataclass(frozen=True, slots=True)
class Store:
    """STORE. `unchanged_since`: only messages without a greater mod-sequence (RFC 7162 §3.1.3)."""

    messages: MessageSet
    mode: StoreMode
    flags: tuple[str, ...]
    silent: bool = False
    by_uid: bool = False
    unchanged_since: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY."""

    messages: MessageSet
    mailbox: str
    by_uid: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """MOVE (RFC 6851)."""

    messages: MessageSet
    mailbox: str
    by_uid: bool = False


Command = (
    Noop
    | Compress
    | Enable
    | Select
    | Create
    | Delete
    | Rename
    | Subscribe
    | List
    | ListSubscribed
    | Namespace
    | Status
    | Append
    | Idle
    | GetQuota
    | GetQuotaRoot
    | Check
    | Close
    | Unselect
    | Expunge
    | Search
    | Sort
    | Thread
    | Fetch
    | Store
    | Copy
    | Move
)
