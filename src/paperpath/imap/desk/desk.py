"""What a session works with once somebody has logged in."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from paperpath.folders.store.interface import MailStore, NewMessages
from paperpath.imap.completion import Completion, no
from paperpath.imap.desk.selected import Selected
from paperpath.imap.dialect import Dialect
from paperpath.imap.responses import write_mailbox

Deed = Generator[bytes, None, Completion]
"""A command that is carried out: gives what is to be sent, then how it ended. Each step blocks for a while,
and empty octets only let others have their turn."""


_NOTHING_CAME = no("No message came")


class BrokenOffError(Exception):
    """A response cannot be completed, so nothing that the client could read may follow."""


@dataclass(slots=True)
class Desk:
    """One account's store, and what the session has open in it.

    `clock_us`: the time of now. `append_trouble`: why messages that came could not be written.
    `is_lost`: the mailbox that is selected is no more, so the session cannot go on (RFC 2180 §3.3).
    """

    store: MailStore
    dialect: Dialect
    message_octets: int
    clock_us: Callable[[], int]
    selected: Selected | None = None
    incoming: NewMessages | None = None
    append_trouble: Completion = _NOTHING_CAME
    is_lost: bool = False

    def close(self) -> None:
        """Let everything go: the session is over."""
        self.drop_incoming()
        self.leave()

    @property
    def folder_path(self) -> Path | None:
        """Where the mailbox lies that is selected, if any."""
        return None if self.selected is None else self.selected.folder.path

    def rest(self) -> None:
        """Let go of what is not needed until something happens in the mailbox that is selected."""
        if self.selected is not None:
            self.selected.rest()

    def leave(self) -> None:
        """Leave the mailbox that is selected, if any."""
        selected, self.selected = self.selected, None
        if selected is not None:
            selected.close()

    def drop_incoming(self) -> None:
        """Give up messages that were on their way."""
        incoming, self.incoming = self.incoming, None
        if incoming is not None:
            incoming.abandon()

    def show_name(self, name: str) -> bytes:
        """Write the name of a mailbox."""
        return write_mailbox(self.dialect.write_name(name), utf8=self.dialect.utf8)
