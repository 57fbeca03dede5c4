"""`paperpath account password`, `suspend`, `resume` and `limit`: who gets in, and what he may send in a day.

Each changes the secrets, and the programs that let people in notice at once.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from paperpath.accounts.file import AccountsError
from paperpath.accounts.passwords import hash_password, make_scram_keys
from paperpath.accounts.secrets import Limits, Secret, change_secret
from paperpath.commands.account_choice import find_account
from paperpath.commands.options import fail, load_as_owner
from paperpath.commands.password_input import read_password
from paperpath.commands.queue_deeds import hold_mail_of
from paperpath.config.tables import Configuration
from paperpath.mail.address import Mailbox
from paperpath.service.privileges import name_user
from paperpath.service.program import config_option

_HOLD_REASON = "the account is suspended"
_MOST_PER_DAY = 999_999_999


@click.command()
@config_option
@click.argument("address")
@click.option("--remove", is_flag=True, help="Have no password, so that nobody can log in by one.")
def password(file: Path, address: str, remove: bool) -> None:
    """Give the account ADDRESS another password: asked for twice on a terminal, else the first line of stdin.

    Example: paperpath account password joe@example.org
    """
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    if remove:
        change(configuration, account.address, lambda secret: replace(secret, password_hash="", scram=None))
        click.echo(f"{account.address} has no password any more")
        return
    set_password(configuration, account.address, read_password())
    click.echo(f"{account.address} has a new password")


@click.command()
@config_option
@click.argument("address")
@click.option("--hold", is_flag=True, help="Hold the account's mail in the queue too.")
def suspend(file: Path, address: str, hold: bool) -> None:
    """Let the account ADDRESS hand in no mail any more; what comes for it is delivered all the same.

    What is held is released by: paperpath queue release --account ADDRESS

    Example: paperpath account suspend joe@example.org --hold
    """
    operator = name_user(os.getuid())  # before it becomes the service user
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    change(configuration, account.address, lambda secret: replace(secret, is_suspended=True))
    click.echo(f"{account.address} is suspended")
    if hold:
        hold_mail_of(file, str(account.address), _HOLD_REASON, operator)


@click.command()
@config_option
@click.argument("address")
def resume(file: Path, address: str) -> None:
    """Let the suspended account ADDRESS in again; what is held stays held.

    Example: paperpath account resume joe@example.org
    """
    configuration = load_as_owner(file)
    account = find_account(configuration, address)
    change(configuration, account.address, lambda secret: replace(secret, is_suspended=False))
    click.echo(f"{account.address} is not suspended")


@click.command()
@config_option
@click.argument("address")
@click.option("--messages", type=click.IntRange(0, _MOST_PER_DAY), help="Messages a day; 0 is no limit.")
@click.option(
    "--new-recipients",
    type=click.IntRange(0, _MOST_PER_DAY),
    help="Recipients a day that it never wrote to before; 0 is no limit.",
)
def limit(file: Path, address: str, messages: int | None, new_recipients: int | None) -> None:
    """Limit what the account ADDRESS may send in a day, by UTC; what is not named stays as it is.

    Example: paperpath account limit joe@example.org --messages 500 --new-recipients 100
    """
    if messages is None and new_recipients is None:
        fail("expected --messages, --new-recipients or both", os.EX_USAGE)
    configuration = load_as_owner(file)
    account = find_account(configuration, address)

    def limited(secret: Secret) -> Secret:
        had = secret.limits
        return replace(
            secret,
            limits=Limits(
                had.messages_per_day if messages is None else messages,
                had.new_recipients_per_day if new_recipients is None else new_recipients,
            ),
        )

    limits = change(configuration, account.address, limited).limits
    click.echo(f"{account.address}: {describe_limits(limits)}")


def set_password(configuration: Configuration, address: Mailbox, prepared: str) -> None:
    """Give an account a password that was prepared; exit where that cannot be."""
    hashed, keys = hash_password(prepared), make_scram_keys(prepared)
    change(configuration, address, lambda secret: replace(secret, password_hash=hashed, scram=keys))


def change(configuration: Configuration, address: Mailbox, what: Callable[[Secret], Secret]) -> Secret:
    """Change what is kept of an account, and return it; exit where that cannot be."""
    try:
        return change_secret(configuration.secrets_file, address, what)
    except AccountsError as error:
        fail(error, os.EX_CONFIG)


def describe_limits(limits: Limits) -> str:
    """Say what an account may send in a day."""
    parts = [
        f"at most {most} {what} a day"
        for most, what in (
            (limits.messages_per_day, "messages"),
            (limits.new_recipients_per_day, "new recipients"),
        )
        if most
    ]
    return ", ".join(parts) or "no limits"
