"""Where in the mail folders a recipient's mail goes: pure.

The path of a mailbox is the account's, fixed when that was made. The detail of an address selects one of the
folders that the account lists, and nothing else: no address is made into a path (attack L-1, promise P7).
"""

from dataclasses import dataclass
from pathlib import Path

from paperpath.accounts.file import Accounts
from paperpath.folders.maildir import Place
from paperpath.folders.upkeep import Upkeep
from paperpath.mail.address import Mailbox
from paperpath.routing.mailboxes import find_mailbox


@dataclass(frozen=True, slots=True)
class Depot:
    """Where deliveries go: the root of the mailboxes, who has one; by which host, at what time.

    `create`: a mailbox whose folder is missing gets one. `postmaster` is the address that must never fail.
    """

    root: Path
    accounts: Accounts
    separator: str
    postmaster: Mailbox
    create: bool
    host: str
    now_us: int
    upkeep: Upkeep


def find_place(address: Mailbox, depot: Depot) -> Place | None:
    """Return where an address's mail goes, `None` where it has no mailbox."""
    found = find_mailbox(address, depot.accounts, depot.separator)
    if found is None:
        return None
    return Place(found.account.folder, found.account.find_subfolder(found.detail) if found.detail else "")


def may_come_back(address: Mailbox, depot: Depot) -> bool:
    """Tell whether a mailbox that is not there is missed by mistake: the postmaster's, or everybody's."""
    return address == depot.postmaster or not any(depot.accounts)
