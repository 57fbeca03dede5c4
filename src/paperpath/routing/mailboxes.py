"""Whose mailbox a local address is: pure, and the same for the post office and for local delivery.

An address is looked for whole first, and only then as a name with a detail behind the separator (RFC 5233
§1, requirement E-6). The detail keeps its case; what is done with it is for local delivery to say.
"""

from dataclasses import dataclass

from paperpath.accounts.file import Account, Accounts
from paperpath.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class LocalMailbox:
    """An account, and the detail that the address had beside it; empty where it had none."""

    account: Account
    detail: str


def find_mailbox(address: Mailbox, accounts: Accounts, separator: str) -> LocalMailbox | None:
    """Return whose mailbox an address is. Without a separator there are no details."""
    if (account := accounts.find(address)) is not None:
        return LocalMailbox(account, "")
    base, detail = split_detail(address, separator)
    if base is None or (account := accounts.find(base)) is None:
        return None
    return LocalMailbox(account, detail)


def split_detail(address: Mailbox, separator: str) -> tuple[Mailbox | None, str]:
    """Return the address without its detail, `None` where there is no detail, and the detail."""
    if not separator:
        return None, ""
    name, found, detail = address.local.partition(separator)
    return (Mailbox(name, address.domain), detail) if name and found else (None, "")
