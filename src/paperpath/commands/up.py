"""`paperpath up`: runs all programs under one supervisor, in the foreground."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import click

from paperpath.accounts.file import Account, AccountsError, load_accounts
from paperpath.commands.options import fail, load
from paperpath.config.tables import Configuration
from paperpath.maildrop.opening import create_maildrop
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.routes import Routes
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log
from paperpath.service.program import config_option
from paperpath.service.supervisor import ProgramSpec, Supervisor

_MOST_PROCESSES_UNASKED = 8


@click.command()
@config_option
def up(file: Path) -> None:
    """Run all programs in the foreground; Ctrl-C or SIGTERM ends them in order.

    Example: paperpath up --config var/paperpath.toml
    """
    configuration = load(file)
    try:
        create_maildrop(configuration)
        asyncio.run(_run(file.absolute(), configuration))
    except ServiceError as error:
        fail(error, error.exit_code)


def list_programs(configuration: Configuration) -> list[ProgramSpec]:
    """List what runs. They are ended from the last to the first: ways in before who works on what came in."""
    relay = configuration.relay
    processes = relay.processes or min(len(os.sched_getaffinity(0)), _MOST_PROCESSES_UNASKED)
    return [
        ProgramSpec("smtpld", "paperpath.local.smtpld"),
        ProgramSpec("smtppd", "paperpath.postoffice.smtppd"),
        ProgramSpec("smtprd", "paperpath.relay.smtprd", relay.listen, processes),
    ]


async def _run(file: Path, configuration: Configuration) -> None:
    supervisor = Supervisor(list_programs(configuration), file, open_log("paperpath"))
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    starting = asyncio.create_task(supervisor.start())
    ending = asyncio.create_task(end.wait())
    await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
    else:
        starting.result()
        _say_ready(supervisor, configuration)
        keeping = asyncio.create_task(supervisor.keep_alive())
        await asyncio.wait({keeping, ending}, return_when=asyncio.FIRST_COMPLETED)
        keeping.cancel()
        await asyncio.wait({keeping})
        if not keeping.cancelled() and (defect := keeping.exception()) is not None:
            click.echo(f"the supervisor cannot go on: {defect!r}", err=True)
    await supervisor.stop()
    click.echo("Ended; the mail is where it was.")


def _say_ready(supervisor: Supervisor, configuration: Configuration) -> None:
    for name, status in supervisor.statuses:
        click.echo(f"{name:8} {status}")
    account = _first_account(configuration)
    if account is None:
        click.echo("Nobody has a mailbox yet: paperpath account add ADDRESS")
        return
    listener = configuration.relay.listen[0]
    click.echo(f"""
To send a first message, paste this into another terminal:

  python3 -c 'import smtplib; smtplib.SMTP("{listener.host}", {listener.port}).sendmail("you@else.example", \
"{account.address}", "Subject: First light\\n\\nHello!\\n")'

It will lie in {configuration.mailbox_root / account.folder / "new"}
Ctrl-C ends.
""")


def _first_account(configuration: Configuration) -> Account | None:
    """Find a mailbox that the relay takes mail for."""
    acceptance = Acceptance(configuration.relay, Routes(configuration.post_office))
    with suppress(AccountsError):
        accounts = load_accounts(configuration.accounts_file)
        return next(
            (entry for entry in accounts if acceptance.judge(entry.address, accounts).is_positive), None
        )
    return None
