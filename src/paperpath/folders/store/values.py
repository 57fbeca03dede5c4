"""What the mail store gives and takes: frozen values.

Names of folders are text with `/` between their levels; the top folder is `INBOX`, in capitals. Flags are
text: `\\Seen` and so on as RFC 9051 §2.3.2 writes them, keywords as who set them first wrote them. Times are
microseconds since 1970. Octets are counted as served, with CRLF.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

from paperpath.config.quota import Quota

INBOX = "INBOX"
SEPARATOR = "/"

ANSWERED, FLAGGED, DELETED, SEEN, DRAFT = "\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"
SYSTEM_FLAGS = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)
FORWARDED = "$Forwarded"  # the keyword that has a letter of its own in every Maildir
SPECIAL_USES = ("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash")  # those that a folder may be made for


# The tree


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A name in the tree. `exists`: it can be selected; else it is only what folders below it need.

    `special_use`: one of `SPECIAL_USES`, or empty. Whether it has children is seen from the other names.
    """

    name: str
    exists: bool
    subscribed: bool
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A folder's numbers. `octets`, `deleted_octets`: only where they were asked for, else -1."""

    messages: int
    unseen: int
    deleted: int
    recent: int
    uid_next: int
    uid_validity: int
    modseq: int
    folder_id: str
    octets: int = -1
    deleted_octets: int = -1


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """What an account may hold, and holds: octets as stored, and messages, without those in the trash."""

    limit: Quota
    octets: int
    messages: int


# A selected folder


Uids: TypeAlias = "range | array[int]"
"""UIDs that ascend; a range where there are no gaps."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder as a session shows it: the n-th of `uids`, which ascend, is message number n.

    `uids` is not to be changed. `modseq`: the highest that is in it. `recent`: ranges of UIDs that this
    session has as \\Recent. `departed`: UIDs that are still shown, although their messages are gone.
    """

    uid_validity: int = 0
    uid_next: int = 1
    modseq: int = 0
    uids: Uids = range(0)
    recent: tuple[tuple[int, int], ...] = ()
    departed: frozenset[int] = frozenset()

    def is_recent(self, uid: int) -> bool:
        """Tell whether a message is \\Recent."""
        return any(first <= uid <= last for first, last in self.recent)

    def count_recent(self) -> int:
        """Return how many messages are \\Recent."""
        return sum(
            bisect_right(self.uids, last) - bisect_left(self.uids, first) for first, last in self.recent
        )


class MessageState(NamedTuple):
    """What of a message changes."""

    uid: int
    flags: frozenset[str]
    modseq: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a snapshot, and the snapshot that has it.

    `arrived`: UIDs, ascending, which stand at the end of the new snapshot. `departed`: UIDs, ascending, that
    the new snapshot no longer has. `changed`: those whose flags changed and that were in both, by UID.
    """

    snapshot: Snapshot
    arrived: Sequence[int] = ()
    departed: Sequence[int] = ()
    changed: Sequence[MessageState] = ()


class Dates(NamedTuple):
    """When a message came to the mail system (INTERNALDATE), and when into this folder (SAVEDATE)."""

    uid: int
    internal_us: int
    saved_us: int


class Measure(NamedTuple):
    """How long a message is (RFC822.SIZE), and what tells its content from any other (EMAILID)."""

    uid: int
    octets: int
    email_id: str


class FlagChange(Enum):
    """What STORE does with the flags it names."""

    SET = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of a change of flags. `states`: of all messages that now have what was wanted, by UID.

    `modified`: UIDs of those that had changed too late, which were left as they are (RFC 7162 §3.1.3).
    Messages that are gone are in neither.
    """

    states: Sequence[MessageState]
    modified: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """The UIDs that messages got in a folder, in the order they were given (APPENDUID)."""

    uid_validity: int
    uids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Copied:
    """Which messages came to another folder: `uids[n]` of the source is `arrival.uids[n]` there (COPYUID).

    Both ascend. Messages that were gone are in neither.
    """

    uids: Sequence[int]
    arrival: Arrival


class Cached(Enum):
    """What may be kept of a message beside it: octets whose meaning is their maker's."""

    ENVELOPE = 1
    STRUCTURE = 2
    PREVIEW = 3
    HEADERS = 4
