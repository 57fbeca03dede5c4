"""`paperpath account`: who has a mailbox, who gets in to submit mail, and what he may send."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from paperpath.accounts.file import Account, AccountsError, add_account, load_accounts, remove_account
from paperpath.accounts.secrets import Secret, Secrets, load_secrets, remove_secret
from paperpath.accounts.settings import NO_SETTINGS, Settings
from paperpath.accounts.usage import Usage
from paperpath.commands.account_choice import find_account, read_address
from paperpath.commands.account_delivery import (
    deliver_option,
    describe_forwarding,
    describe_quota,
    find_agent,
    forward,
    set_,
)
from paperpath.commands.account_standing import limit, password, resume, set_password, suspend
from paperpath.commands.mail_program import describe_mail_program
from paperpath.commands.options import fail, load_as_owner
from paperpath.commands.password_input import read_password
from paperpath.config.agent_name import MAILDIR
from paperpath.config.tables import Configuration
from paperpath.config.via import LOCAL
from paperpath.folders.maildir import create_maildir
from paperpath.mail.address import Mailbox
from paperpath.service.program import config_option


@click.group()
def account() -> None:
    """Say who has a mailbox and who gets in; running programs notice at once.

    Example: paperpath account add joe@example.org --password
    """


@account.command()
@config_option
@click.argument("address")
@click.option(
    "--folder", "folders", multiple=True, help="A folder in it for ADDRESS with this name as its detail."
)
@deliver_option
@click.option(
    "--password",
    "wants_password",
    is_flag=True,
    help="With a password: asked for twice on a terminal, else the first line of stdin.",
)
def add(
    file: Path, address: str, folders: tuple[str, ...], deliver: str | None, wants_password: bool
) -> None:
    """Give ADDRESS a mailbox, and a password only if that is asked for.

    Example: paperpath account add joe@example.org --folder Work --password
    """
    configuration = load_as_owner(file)
    wanted = read_address(address)
    prepared = read_password() if wants_password else ""
    agent = "" if deliver is None else find_agent(configuration, deliver)
    made = add_mailbox(configuration, wanted, folders, Settings(agent) if agent else NO_SETTINGS)
    click.echo(f"{made.address} has a mailbox in {configuration.mailbox_root / made.folder}")
    if agent:
        click.echo(f"{made.address} is delivered to by {agent}, and not there")
    if prepared:
        set_password(configuration, made.address, prepared)
    route = configuration.post_office.find_route(made.address.domain)
    if route is None or route.via != LOCAL:
        click.echo(f"warning: no route delivers {made.address.domain} here (post_office.route)", err=True)


@account.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_(file: Path, as_json: bool) -> None:
    """List who has a mailbox, where it is, and whether he gets in.

    Example: paperpath account list --json
    """
    configuration = load_as_owner(file)
    try:
        accounts = list(load_accounts(configuration.accounts_file))
    except AccountsError as error:
        fail(error, os.EX_CONFIG)
    secrets = _load_secrets(configuration)
    facts = [_find_facts(configuration, one, secrets) for one in accounts]
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        for fact in facts:
            click.echo(f"{fact['address']}\t{fact['folder']}\t{_describe_entry(fact)}")


@account.command()
@config_option
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def show(file: Path, address: str, as_json: bool) -> None:
    """Show what is kept of the account ADDRESS, but for its password, and what it has sent today.

    The last four lines are what a mail program has to be told, where imapd and smtpsd are configured.

    Example: paperpath account show joe@example.org
    """
    configuration = load_as_owner(file)
    found = find_account(configuration, address)
    facts = _find_facts(configuration, found, _load_secrets(configuration))
    try:
        used = Usage(configuration.usage_folder).read(found.address, time.time())
    except OSError as error:
        fail(f"{configuration.usage_folder}: {error.strerror}", os.EX_IOERR)
    if as_json:
        click.echo(json.dumps({**facts, "today": asdict(used)}, indent=2))
        return
    click.echo(f"address         {facts['address']}")
    click.echo(f"folder          {facts['folder']}")
    if found.subfolders:
        click.echo(f"folders         {', '.join(found.subfolders)}")
    if found.settings.deliver:
        click.echo(f"delivered by    {found.settings.deliver}")
    if found.settings.forward_ways:
        click.echo(f"forwarding      {describe_forwarding(found.settings)}")
    click.echo(f"may hold        {describe_quota(configuration, found.settings)}")
    click.echo(f"gets in         {_describe_entry(facts)}")
    click.echo(f"messages        {_describe_use(facts, 'messages_per_day', used.messages)}")
    click.echo(f"new recipients  {_describe_use(facts, 'new_recipients_per_day', used.new_recipients)}")
    for line in describe_mail_program(configuration, found.address):
        click.echo(line)


@account.command()
@config_option
@click.argument("address")
def remove(file: Path, address: str) -> None:
    """Take ADDRESS off the list, its password too; the mail in its folder stays.

    Example: paperpath account remove joe@example.org
    """
    configuration = load_as_owner(file)
    try:
        gone = read_address(address)
        _forget(configuration, gone)
        removed = remove_account(configuration.accounts_file, gone)
    except AccountsError as error:
        fail(error, os.EX_NOUSER)
    click.echo(
        f"{removed.address} has no mailbox any more; its mail is in "
        f"{configuration.mailbox_root / removed.folder}"
    )


for command in (set_, forward, password, suspend, resume, limit):
    account.add_command(command)


def add_mailbox(
    configuration: Configuration,
    address: Mailbox,
    folders: tuple[str, ...] = (),
    settings: Settings = NO_SETTINGS,
) -> Account:
    """Add an account and make its mailbox; exit where that cannot be."""
    try:
        made = add_account(configuration.accounts_file, address, folders, settings)
        _forget(configuration, address)  # of whoever had it before and was removed by hand
    except AccountsError as error:
        fail(error, os.EX_DATAERR)
    create_maildir(configuration.mailbox_root, made.folder, made.subfolders)
    return made


def _forget(configuration: Configuration, address: Mailbox) -> None:
    """Forget how an account gets in and what it has sent. Raises: AccountsError."""
    remove_secret(configuration.secrets_file, address)
    try:
        Usage(configuration.usage_folder).forget(address)
    except OSError as error:
        raise AccountsError(f"{configuration.usage_folder}: {error.strerror}") from error


def _load_secrets(configuration: Configuration) -> Secrets:
    try:
        return load_secrets(configuration.secrets_file)
    except AccountsError as error:
        fail(error, os.EX_CONFIG)


def _find_facts(configuration: Configuration, entry: Account, secrets: Secrets) -> dict[str, object]:
    """Gather what may be shown of an account."""
    secret = secrets.find_exact(entry.address) or Secret(entry.address)
    return {
        "address": str(entry.address),
        "folder": str(configuration.mailbox_root / entry.folder),
        "deliver": entry.settings.deliver or MAILDIR,
        "forwards": list(entry.settings.forward_ways),
        "keeps": entry.settings.keeps or not entry.settings.forward_ways,
        "quota": str(configuration.local.quota if entry.settings.quota is None else entry.settings.quota),
        "has_password": secret.password_hash != "",
        "suspended": secret.is_suspended,
        **asdict(secret.limits),
    }


def _describe_entry(facts: Mapping[str, object]) -> str:
    if facts["suspended"]:
        return "suspended"
    return "by password" if facts["has_password"] else "without password"


def _describe_use(facts: Mapping[str, object], limit_name: str, used: int) -> str:
    most = facts[limit_name]
    return f"{used} of {most} today" if most else "no limit"
