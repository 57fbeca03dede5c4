"""`paperpath account set` and `forward`: which agent delivers an account's mail, and to whom it goes on.

Each changes the accounts file, and the post office sorts what waits by the new rules at once.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from paperpath.accounts.directory import address_key
from paperpath.accounts.file import Account, AccountsError, change_settings
from paperpath.accounts.settings import Settings, make_settings
from paperpath.commands.account_choice import find_account, read_address
from paperpath.commands.options import fail, load_as_owner
from paperpath.config.agent_name import MAILDIR
from paperpath.config.tables import Configuration
from paperpath.service.program import config_option

deliver_option = click.option(
    "--deliver", metavar="NAME", help='An agent, as [agents.NAME] has it; or "maildir", the mailbox.'
)


@click.command("set")
@config_option
@click.argument("address")
@deliver_option
def set_(file: Path, address: str, deliver: str | None) -> None:
    """Change how mail for the account ADDRESS is delivered; what is not named stays as it is.

    Example: paperpath account set joe@example.org --deliver archive
    """
    if deliver is None:
        fail("expected --deliver", os.EX_USAGE)
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    agent = find_agent(configuration, deliver)
    _change(configuration, account, lambda settings: replace(settings, deliver=agent))
    click.echo(f"{account.address} is delivered to by {agent or MAILDIR}")


@click.command()
@config_option
@click.argument("address")
@click.option("--to", "targets", multiple=True, metavar="ADDRESS", help="Where mail goes; may be repeated.")
@click.option("--keep", is_flag=True, help="Keep a copy in the mailbox.")
@click.option("--none", is_flag=True, help="Forward nothing any more.")
def forward(file: Path, address: str, targets: tuple[str, ...], keep: bool, none: bool) -> None:
    """Forward what comes for the account ADDRESS, in place of what was said before; without options, show it.

    Example: paperpath account forward joe@example.org --to joe@example.net --keep
    """
    if (none and (targets or keep)) or (keep and not targets):
        fail("expected --to, with or without --keep, or --none", os.EX_USAGE)
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    if targets or none:
        wanted = tuple(dict.fromkeys(read_address(target) for target in targets))
        if address_key(account.address) in map(address_key, wanted):
            fail(f"{account.address}: expected other addresses; --keep keeps a copy", os.EX_USAGE)
        account = _change(
            configuration,
            account,
            lambda had: make_settings(had.deliver, wanted, keeps=keep, quota=had.quota),
        )
    click.echo(f"{account.address} {describe_forwarding(account.settings)}")


def find_agent(configuration: Configuration, name: str) -> str:
    """Return an agent's name as the accounts have it, empty for the mailbox; exit where there is none."""
    if name != MAILDIR and name not in configuration.agents:
        known = ", ".join((MAILDIR, *configuration.agents))
        fail(f"{name}: expected an agent of the configuration ({known})", os.EX_DATAERR)
    return "" if name == MAILDIR else name


def describe_forwarding(settings: Settings) -> str:
    """Say where mail goes on."""
    if not settings.forwards:
        return "forwards nothing"
    kept = ", and keeps a copy" if settings.keeps else ""
    return f"forwards to {', '.join(map(str, settings.forwards))}{kept}"


def _change(
    configuration: Configuration, account: Account, change: Callable[[Settings], Settings]
) -> Account:
    try:
        return change_settings(configuration.accounts_file, account.address, change)
    except (AccountsError, ValueError) as error:
        fail(error, os.EX_DATAERR)
