"""`paperpath account`: who has a mailbox."""

import json
import os
from pathlib import Path

import click

from paperpath.accounts.file import Account, AccountsError, add_account, load_accounts, remove_account
from paperpath.commands.options import fail, load_as_owner
from paperpath.config.tables import Configuration
from paperpath.config.via import LOCAL
from paperpath.folders.maildir import create_maildir
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.service.program import config_option


@click.group()
def account() -> None:
    """Say who has a mailbox; running programs notice at once.

    Example: paperpath account add joe@example.org
    """


@account.command()
@config_option
@click.argument("address")
@click.option(
    "--folder", "folders", multiple=True, help="A folder in it for ADDRESS with this name as its detail."
)
def add(file: Path, address: str, folders: tuple[str, ...]) -> None:
    """Give ADDRESS a mailbox.

    Example: paperpath account add joe@example.org --folder Work
    """
    configuration = load_as_owner(file)
    made = add_mailbox(configuration, _parse(address), folders)
    click.echo(f"{made.address} has a mailbox in {configuration.mailbox_root / made.folder}")
    route = configuration.post_office.find_route(made.address.domain)
    if route is None or route.via != LOCAL:
        click.echo(f"warning: no route delivers {made.address.domain} here (post_office.route)", err=True)


@account.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_(file: Path, as_json: bool) -> None:
    """List who has a mailbox, and where it is.

    Example: paperpath account list --json
    """
    configuration = load_as_owner(file)
    try:
        accounts = list(load_accounts(configuration.accounts_file))
    except AccountsError as error:
        fail(error, os.EX_CONFIG)
    rows = [(str(entry.address), str(configuration.mailbox_root / entry.folder)) for entry in accounts]
    if as_json:
        click.echo(json.dumps([{"address": address, "folder": folder} for address, folder in rows], indent=2))
    else:
        for address, folder in rows:
            click.echo(f"{address}\t{folder}")


@account.command()
@config_option
@click.argument("address")
def remove(file: Path, address: str) -> None:
    """Take ADDRESS off the list; the mail in its folder stays.

    Example: paperpath account remove joe@example.org
    """
    configuration = load_as_owner(file)
    try:
        removed = remove_account(configuration.accounts_file, _parse(address))
    except AccountsError as error:
        fail(error, os.EX_NOUSER)
    click.echo(
        f"{removed.address} has no mailbox any more; its mail is in "
        f"{configuration.mailbox_root / removed.folder}"
    )


def add_mailbox(configuration: Configuration, address: Mailbox, folders: tuple[str, ...] = ()) -> Account:
    """Add an account and make its mailbox; exit where that cannot be."""
    try:
        made = add_account(configuration.accounts_file, address, folders)
    except AccountsError as error:
        fail(error, os.EX_DATAERR)
    create_maildir(configuration.mailbox_root, made.folder, made.subfolders)
    return made


def _parse(text: str) -> Mailbox:
    try:
        address = parse_mailbox(text)
    except AddressError as error:
        fail(f"{text}: {error}", os.EX_USAGE)
    if not address.domain:
        fail(f"{text}: the address has no domain", os.EX_USAGE)
    return address
