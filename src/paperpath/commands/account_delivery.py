"""`paperpath account set` and `forward`: what becomes of an account's mail, and how much it may be.

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
from paperpath.config.agent_name import MAILDIR, is_agent_way, make_agent_way
from paperpath.config.quota import Quota, parse_quota
from paperpath.config.tables import Configuration
from paperpath.service.program import config_option

_DEFAULT = "default"

deliver_option = click.option(
    "--deliver", metavar="NAME", help='An agent, as [agents.NAME] has it; or "maildir", the mailbox.'
)


@click.command("set")
@config_option
@click.argument("address")
@deliver_option
@click.option(
    "--quota",
    metavar="QUOTA",
    help='What the mailbox may hold: "1G", "1000C" messages, both with a comma, "none" or "default".',
)
def set_(file: Path, address: str, deliver: str | None, quota: str | None) -> None:
    """Change how mail for the account ADDRESS is delivered; what is not named stays as it is.

    Example: paperpath account set joe@example.org --deliver archive --quota 1G
    """
    if deliver is None and quota is None:
        fail("expected --deliver or --quota", os.EX_USAGE)
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    agent = "" if deliver is None else find_agent(configuration, deliver)
    limit = None if quota is None or quota == _DEFAULT else _read_quota(quota)

    def change(settings: Settings) -> Settings:
        if deliver is not None:
            settings = replace(settings, deliver=agent)
        return settings if quota is None else replace(settings, quota=limit)

    account = _change(configuration, account, change)
    if deliver is not None:
        click.echo(f"{account.address} is delivered to by {account.settings.deliver or MAILDIR}")
    if quota is not None:
        click.echo(f"{account.address} may hold {describe_quota(configuration, account.settings)}")


@click.command()
@config_option
@click.argument("address")
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="ADDRESS",
    help='Where mail goes, or "agent:NAME", an agent as [agents.NAME] has it; may be repeated.',
)
@click.option("--keep", is_flag=True, help="Keep a copy in the mailbox, or with the account's agent.")
@click.option("--none", is_flag=True, help="Forward nothing any more.")
def forward(file: Path, address: str, targets: tuple[str, ...], keep: bool, none: bool) -> None:
    """Forward what comes for the account ADDRESS, in place of what was said before; without options, show it.

    Example: paperpath account forward joe@example.org --to joe@example.net --to agent:archive --keep
    """
    if (none and (targets or keep)) or (keep and not targets):
        fail("expected --to, with or without --keep, or --none", os.EX_USAGE)
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    if targets or none:
        agents = tuple(dict.fromkeys(_read_agent(configuration, one) for one in targets if is_agent_way(one)))
        wanted = tuple(dict.fromkeys(read_address(one) for one in targets if not is_agent_way(one)))
        if address_key(account.address) in map(address_key, wanted):
            fail(f"{account.address}: expected other addresses; --keep keeps a copy", os.EX_USAGE)
        account = _change(
            configuration,
            account,
            lambda had: make_settings(had.deliver, wanted, agents, keeps=keep, quota=had.quota),
        )
    click.echo(f"{account.address} {describe_forwarding(account.settings)}")


def describe_quota(configuration: Configuration, settings: Settings) -> str:
    """Say what a mailbox may hold, and where that is said."""
    if settings.quota is None:
        return f"{_describe(configuration.local.quota)} (local.quota)"
    return _describe(settings.quota)


def find_agent(configuration: Configuration, name: str) -> str:
    """Return an agent's name as the accounts have it, empty for the mailbox; exit where there is none."""
    if name != MAILDIR and name not in configuration.agents:
        known = ", ".join((MAILDIR, *configuration.agents))
        fail(f"{name}: expected an agent of the configuration ({known})", os.EX_DATAERR)
    return "" if name == MAILDIR else name


def _read_agent(configuration: Configuration, way: str) -> str:
    names = {make_agent_way(name): name for name in configuration.agents}
    if way not in names:
        fail(f"{way}: expected an agent of the configuration ({', '.join(names) or 'none'})", os.EX_DATAERR)
    return names[way]


def describe_forwarding(settings: Settings) -> str:
    """Say where mail goes on."""
    if not settings.forward_ways:
        return "forwards nothing"
    kept = ", and keeps a copy" if settings.keeps else ""
    return f"forwards to {', '.join(settings.forward_ways)}{kept}"


def _describe(quota: Quota) -> str:
    return str(quota) if quota.is_limit else "whatever comes"


def _read_quota(text: str) -> Quota:
    try:
        return parse_quota(text)
    except ValueError as error:
        fail(f'{text}: {error}, or "{_DEFAULT}"', os.EX_DATAERR)


def _change(
    configuration: Configuration, account: Account, change: Callable[[Settings], Settings]
) -> Account:
    try:
        return change_settings(configuration.accounts_file, account.address, change)
    except (AccountsError, ValueError) as error:
        fail(error, os.EX_DATAERR)
