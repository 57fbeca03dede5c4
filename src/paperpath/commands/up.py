"""`paperpath up`: runs all programs under one supervisor, in the foreground."""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from paperpath.accounts.file import Account
from paperpath.commands.mail_program import describe_mail_program
from paperpath.commands.options import fail, load
from paperpath.config.advice import find_warnings
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.dnslist.ports import list_ports
from paperpath.imap.doors import list_doors as list_imap_doors
from paperpath.intake.access_file import open_all_access
from paperpath.local.smtplud import refuse_without_root
from paperpath.maildrop.drop.place import make_drop
from paperpath.maildrop.opening import create_maildrop, find_holder
from paperpath.relay.acceptance import Acceptance
from paperpath.relay.doors import list_doors as list_relay_doors
from paperpath.routing.files import RoutingFiles
from paperpath.service.asking import Object
from paperpath.service.control import SUPERVISOR
from paperpath.service.errors import ServiceError
from paperpath.service.log import Log
from paperpath.service.privileges import acting_as, find_identity, make_owned_folder
from paperpath.service.program import Life, config_option, run_as_started
from paperpath.service.supervisor import ProgramSpec, Supervisor
from paperpath.submission.doors import list_doors as list_submission_doors

_MOST_PROCESSES_UNASKED = 8


@click.command()
@config_option
def up(file: Path) -> None:
    """Run all programs in the foreground; Ctrl-C or SIGTERM ends them in order.

    Example: paperpath up --config var/paperpath.toml
    """
    configuration = load(file)
    try:
        identity = find_identity(configuration.user)
        refuse_without_root(configuration)
        make_owned_folder(configuration.data, identity)
        with acting_as(identity):
            RoutingFiles(configuration)  # with a mistake in them no program starts: it is told here, and once
            open_all_access(configuration)
            create_maildrop(configuration)
            make_drop(configuration)
    except ServiceError as error:
        fail(error, error.exit_code)
    raise SystemExit(run_as_started(SUPERVISOR, file, supervise))


def list_programs(configuration: Configuration) -> list[ProgramSpec]:
    """List what runs. They are ended from the last to the first: ways in before who works on what came in."""
    relay, submission, metrics = configuration.relay, configuration.submission, configuration.metrics
    unasked = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES_UNASKED)
    specs = [
        ProgramSpec("smtpld", "paperpath.local.smtpld"),
        ProgramSpec("smtprcd", "paperpath.remote.smtprcd"),
        ProgramSpec("smtppd", "paperpath.postoffice.smtppd"),
        ProgramSpec(
            "smtprd",
            "paperpath.relay.smtprd",
            [place for place, _ in list_relay_doors(configuration)],
            relay.processes or unasked,
            takes_keys=True,
        ),
    ]
    if metrics is not None:
        specs.insert(0, ProgramSpec("metricsd", "paperpath.service.metricsd", [metrics.listen]))
    if configuration.local.system_users:  # ended after smtpld, which asks it
        specs.insert(0, ProgramSpec("smtplud", "paperpath.local.smtplud"))
    if configuration.dnslistd is not None:  # first of all, for the others ask it
        specs.insert(0, ProgramSpec("dnslistd", "paperpath.dnslist.dnslistd", list_ports(configuration)))
    if configuration.imap is not None:
        places = [place for place, _ in list_imap_doors(configuration)]
        specs.append(ProgramSpec("imapd", "paperpath.imap.imapd", places, takes_keys=True))
    if submission is not None:
        places = [place for place, _ in list_submission_doors(configuration)]
        processes = submission.processes or unasked
        specs.append(ProgramSpec("smtpsd", "paperpath.submission.smtpsd", places, processes, takes_keys=True))
    return specs


async def supervise(life: Life) -> None:
    """Run all programs until the end is asked for, or one of them cannot start."""
    supervisor = Supervisor(list_programs(life.configuration), life.document, life.log)

    async def answer(_: Object) -> Object:
        return {"programs": supervisor.describe()}

    life.commands["programs"] = answer
    life.measure(supervisor.families)
    life.call_at_reload(supervisor.reload)
    life.call_at_reload(partial(_warn, life.log))
    await _warn(life.log, life.document)
    try:
        if await _until_end(life, supervisor.start()):
            _say_ready(supervisor, life.configuration)
            life.ready("all programs are ready")
            await _until_end(life, supervisor.keep_alive(partial(find_holder, life.configuration)))
    finally:
        await supervisor.stop()
    click.echo("Ended; the mail is where it was.")


async def _until_end(life: Life, work: Coroutine[None, None, None]) -> bool:
    """Work until it is done, or the end is asked for; tell whether it was done."""
    working = asyncio.create_task(work)
    ending = asyncio.create_task(life.wait_for_end())
    await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if working.done():
        working.result()
        return True
    working.cancel()
    await asyncio.wait({working})
    return False


async def _warn(log: Log, document: Document, *_: object) -> None:
    """Log what a configuration says and most likely should not, as `paperpath check` prints it (E-3)."""
    for doubt in find_warnings(document.configuration):
        log.warning("doubtful configuration", doubt=doubt)


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
""")
    submission = configuration.submission
    if submission is not None and submission.listen:
        click.echo(f"""\
To log in and send as {account.address} (paperpath account password gives it another password):

  python3 -c 'import getpass, smtplib; s = smtplib.SMTP("{submission.listen[0].host}", \
{submission.listen[0].port}); s.starttls(); s.login("{account.address}", getpass.getpass()); \
s.sendmail("{account.address}", "{account.address}", "To: {account.address}\\n\\nHello again!\\n")'
""")
    if lines := describe_mail_program(configuration, account.address):
        click.echo("To add the account to a mail program (paperpath account show says it for any):\n")
        click.echo("".join(f"  {line}\n" for line in lines))
    click.echo("Ctrl-C ends.\n")


def _first_account(configuration: Configuration) -> Account | None:
    """Find a mailbox that the relay takes mail for."""
    acceptance = Acceptance(configuration.relay)
    with suppress(ServiceError):
        router = RoutingFiles(configuration).read()
        return next(
            (entry for entry in router.accounts if acceptance.judge(entry.address, router).is_positive), None
        )
    return None
