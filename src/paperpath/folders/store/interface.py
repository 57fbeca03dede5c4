"""What the mail store is to the IMAP server: its operations, and what each leaves durable.

Everything here blocks, and is called in threads. A `MailStore` is one account's, and may be used by several
threads at once. An `OpenFolder` and a `NewMessages` belong to one session, which uses them from one thread at
a time; any number may be open on one folder, in one process or several. Every implementation passes the suite
in `paperpath.testing.mail_store_suite`.

The files of the Maildirs are the truth; the index beside each gives them UIDs, and is made anew from the
files where it is lost or damaged, then with another UIDVALIDITY. Other programs may deliver, move, rename
and remove files at any moment: what they did is seen at the next look.

What a method gave is durable when it returns, power cut or not, unless it says otherwise. Raises from every
method: OSError; IndexTroubleError. From every method of an `OpenFolder`: FolderLostError.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from paperpath.folders.store.values import (
    Arrival,
    Cached,
    Changes,
    Copied,
    Dates,
    FlagChange,
    FolderEntry,
    FolderStatus,
    Measure,
    MessageState,
    QuotaUse,
    Snapshot,
    Stored,
)


class MessageOctets(Protocol):
    """A message's octets as served: the stored ones, with CRLF; the same as long as this is open."""

    @property
    def octets(self) -> int:
        """How many there are."""

    def read(self, begin: int, end: int) -> bytes:
        """Return those from `begin` on, up to `end`; fewer where the message ends before.

        Costs what is read, and what lies between there and the last place before it that was read from.
        """

    def chunks(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give them piece by piece, none larger than 128 KiB."""


class OpenFolder(Protocol):
    """A folder that a session has selected. UIDs that no message has are passed over by every method."""

    @property
    def uid_validity(self) -> int:
        """UIDVALIDITY: grows where UIDs could not be kept."""

    @property
    def folder_id(self) -> str:
        """MAILBOXID (RFC 8474): another where a folder was removed and made again; the same after RENAME."""

    @property
    def path(self) -> Path:
        """Where it lies, or lay when it was opened: `read_signs` tells whether something happens there."""

    @property
    def keywords(self) -> Sequence[str]:
        """Keywords that messages here have or had, in the order they came."""

    @property
    def takes_keywords(self) -> bool:
        """Whether there is room for another keyword (`\\*` in PERMANENTFLAGS)."""

    def look(self, since: Snapshot | None = None, *, keep_departed: bool = False) -> Changes:
        """Read what is new in the folder, and tell what happened since a snapshot; `None`: the first one.

        New messages have got UIDs in the order of their arrival, durable. Where the folder was not opened
        to be read only they are \\Recent to this session, and to no other from now on. With `keep_departed`
        (K-6: no EXPUNGE may be sent now) messages that are gone keep their places in the snapshot; a later
        look without it tells of them. What this session itself did is told too. Costs two system calls where
        nothing happened; after a delivery it reads one directory, that of new messages.
        """

    def first_unseen(self) -> int | None:
        """Return the UID of the first message that is not \\Seen."""

    def states(self, uids: Sequence[int], changed_since: int = 0) -> Iterator[MessageState]:
        """Give flags and mod-sequences, by UID; only of what changed after a mod-sequence (CHANGEDSINCE)."""

    def departed_since(self, modseq: int) -> Sequence[tuple[int, int]]:
        """Return UIDs that went after a mod-sequence, as ranges that ascend (VANISHED (EARLIER)).

        More than went where that is so long ago that it was forgotten, but none that exists.
        """

    def dates(self, uids: Sequence[int]) -> Iterator[Dates]:
        """Give dates, by UID."""

    def measures(self, uids: Sequence[int]) -> Iterator[Measure]:
        """Give lengths and identities, by UID; messages that were never measured are read now."""

    def cached(self, kind: Cached, uids: Sequence[int]) -> Mapping[int, bytes]:
        """Return what was kept of messages; of some there may be nothing."""

    def keep_cached(self, kind: Cached, octets: Mapping[int, bytes]) -> None:
        """Keep something of messages. Not durable: a power cut may take it."""

    def open_message(self, uid: int) -> AbstractContextManager[MessageOctets]:
        """Open a message, to be entered at once. Raises: MessageGoneError."""

    def store_flags(
        self,
        uids: Sequence[int],
        change: FlagChange,
        flags: Iterable[str],
        unchanged_since: int | None = None,
    ) -> Stored:
        """Change flags; other programs see them in the files' names. \\Recent is passed over.

        A mod-sequence grows only where flags became other ones. With `unchanged_since`, messages that changed
        later are left alone. Raises: TooManyKeywordsError. After OSError some messages may have been changed.
        """

    def expunge(self, uids: Sequence[int] | None = None) -> Sequence[int]:
        """Remove what is \\Deleted, of all messages or of some; give the UIDs, ascending.

        After OSError some may have been removed.
        """

    def copy(self, uids: Sequence[int], target: str) -> Copied:
        """Copy messages into a folder, this one perhaps, with flags and dates: all or none, even if killed.

        Raises: NoFolderError (TRYCREATE); OverQuotaError, OverWholeQuotaError; MessageGoneError;
        TooManyKeywordsError.
        """

    def move(self, uids: Sequence[int], target: str) -> Copied:
        """Move messages likewise: at every moment each is in one of both folders, never in none or in both.

        All or none, but where this is killed: then some may have moved. Into the folder itself they come as
        new ones. Raises as `copy`.
        """

    def rest(self) -> None:
        """Let go of memory and descriptors until the next method is called."""

    def close(self) -> None:
        """Let go for good; nothing is expunged."""


class NewMessages(Protocol):
    """Messages on their way into a folder (APPEND, MULTIAPPEND): all come, or none, even if killed."""

    def begin(self, flags: Iterable[str], internal_us: int | None, octets: int) -> None:
        """Begin a message of an announced length; without a date it comes now.

        Raises: OverQuotaError, OverWholeQuotaError, where it has no room; TooManyKeywordsError.
        """

    def write(self, octets: bytes) -> None:
        """Take the next octets of the message, which are served as they came, whatever they are."""

    def finish(self) -> Arrival:
        """Put all messages into the folder.

        Raises: OverQuotaError; FolderLostError, where the folder was removed meanwhile. Then nothing came.
        """

    def abandon(self) -> None:
        """Give up whatever was written; after `finish` there is nothing to give up."""


class MailStore(Protocol):
    """One account's folders. Names are taken as they mean: INBOX in any case, text in any normal form."""

    def folders(self) -> Sequence[FolderEntry]:
        """Return the tree, by name, INBOX first; what is missing between is there, and does not exist."""

    def subscriptions(self) -> Sequence[str]:
        """Return the names that are subscribed to, whether or not there is such a folder."""

    def subscribe(self, name: str, *, subscribed: bool = True) -> None:
        """Subscribe to a name, or end that; there need be no such folder.

        Raises: FolderNameError; TooManySubscriptionsError.
        """

    def create(self, name: str, special_uses: Sequence[str] = ()) -> None:
        """Make a folder, and those above it that are missing; it may end in the separator.

        Raises: FolderExistsError; FolderNameError; UseError, then nothing is made.
        """

    def delete(self, name: str) -> None:
        """Remove a folder and its messages, not the folders below it.

        Raises: NoFolderError; ForbiddenError.
        """

    def rename(self, name: str, new_name: str) -> None:
        """Give a folder and those below it other names, and make what is missing above; UIDs stay.

        Of INBOX the messages are moved into a new folder, and it stays. Killed, it is completed at the next
        use. Raises: NoFolderError; FolderExistsError; FolderNameError; ForbiddenError.
        """

    def open(self, name: str, *, read_only: bool = False) -> OpenFolder:
        """Open a folder for a session, which closes it. Raises: NoFolderError; FolderNameError."""

    def status(self, name: str, *, with_octets: bool = False) -> FolderStatus:
        """Return a folder's numbers of this moment; `with_octets` reads messages that were never measured.

        Raises: NoFolderError; FolderNameError.
        """

    def append(self, name: str) -> NewMessages:
        """Begin to put messages into a folder. Raises: NoFolderError (TRYCREATE); FolderNameError."""

    def quota(self) -> QuotaUse:
        """Return what the account may hold, and holds."""
