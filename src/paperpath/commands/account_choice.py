"""Which account a command is about: its address read, and the account found.

Called by the commands of `paperpath account`.
"""

import os

from paperpath.accounts.file import Account, AccountsError, load_accounts
from paperpath.commands.options import fail
from paperpath.config.tables import Configuration
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox


def read_address(text: str) -> Mailbox:
    """Return the address of an account, which may not be there yet; exit where it is none."""
    try:
        address = parse_mailbox(text)
    except AddressError as error:
        fail(f"{text}: {error}", os.EX_USAGE)
    if not address.domain:
        fail(f"{text}: the address has no domain", os.EX_USAGE)
    return address


def find_account(configuration: Configuration, text: str) -> Account:
    """Return the account of an address, spelt exactly so or in any case; exit where there is none."""
    address = read_address(text)
    try:
        account = load_accounts(configuration.accounts_file).find(address)
    except AccountsError as error:
        fail(error, os.EX_CONFIG)
    if account is None:
        fail(f"there is no account {address}", os.EX_NOUSER)
    return account
