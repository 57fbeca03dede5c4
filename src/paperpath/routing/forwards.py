"""How what is forwarded for an account travels: pure.

The post office replaces such a recipient by those to whom it is forwarded, and by itself where it is kept,
like an alias whose key names the account. smtpld makes a new message for each of them, with `Delivered-To:`
on top: that is what ends a circle, however many hosts it goes through (requirement E-16). The rule of an
account is looked up again for each of them, so none is forwarded by a rule that is no more.
"""

from paperpath.accounts.file import Account, Accounts
from paperpath.mail.address import Mailbox, format_mailbox, parse_mailbox

_KEY = "forward "
_WAY = "forward:"


def make_forward_key(account: Account) -> str:
    """Return what a recipient remembers that came from an account's rule."""
    return _KEY + format_mailbox(account.address)


def find_forwarding(address: Mailbox, expanded_via: tuple[str, ...], accounts: Accounts) -> Account | None:
    """Return the account that forwards to a recipient, if it came of its rule and the rule names it now."""
    if not expanded_via or not expanded_via[-1].startswith(_KEY):
        return None
    account = accounts.find_exact(parse_mailbox(expanded_via[-1].removeprefix(_KEY)))
    return account if account is not None and address in account.settings.forwards else None


def make_forward_way(account: Account) -> str:
    """Return the destination of what an account forwards."""
    return _WAY + format_mailbox(account.address)


def is_forward_way(destination: str) -> bool:
    """Tell whether a destination says that an account forwards."""
    return destination.startswith(_WAY)


def find_forwarder(destination: str) -> Mailbox:
    """Return the account that forwards what has such a destination."""
    return parse_mailbox(destination.removeprefix(_WAY))
