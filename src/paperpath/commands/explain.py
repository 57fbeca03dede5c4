"""`paperpath explain`: what the programs would decide, and by which rule; it runs their own code.

What depends on the moment is not in it: how often a client has come, how full the disk is.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import click

from paperpath.commands.explain_client import ClientView, print_client, view_client
from paperpath.commands.explain_routing import follow, print_recipient
from paperpath.commands.explain_verdicts import Judges, list_cases
from paperpath.commands.options import fail, load_as_owner
from paperpath.config.network import ADDRESS_EXPECTED
from paperpath.config.tables import Configuration
from paperpath.dns.lists import parse_client
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.reply import Reply
from paperpath.routing.files import RoutingFiles
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log
from paperpath.service.printable import format_value
from paperpath.service.program import config_option
from paperpath.submission.rules import make_rules

_json_option = click.option("--json", "as_json", is_flag=True, help="For scripts.")


@click.group()
def explain() -> None:
    """Say what would be decided, and why.

    Example: paperpath explain rcpt joe@example.org
    """


@explain.command()
@config_option
@_json_option
@click.argument("address", metavar="IP")
def connect(file: Path, address: str, as_json: bool) -> None:
    """Say what a client at IP gets: each rule for it, the first of which decided, and each list asked.

    The DNS is asked as the programs would ask it.

    Example: paperpath explain connect 192.0.2.99
    """
    views = _view(load_as_owner(file), address)
    if as_json:
        click.echo(json.dumps({way_in: view.describe() for way_in, view in views.items()}, indent=2))
        return
    for way_in, view in views.items():
        print_client(way_in, view)


@explain.command()
@config_option
@_json_option
@click.option(
    "--from", "sender", metavar="ADDRESS", help="Who sends it: what MAIL is answered; <> is nobody."
)
@click.option("--client", metavar="IP", help="Who says so; else somebody without a rule, who has logged in.")
@click.argument("address")
def rcpt(file: Path, address: str, as_json: bool, sender: str | None, client: str | None) -> None:
    """Say what happens to mail for ADDRESS: each rule looked at, the last of which decided.

    Example: paperpath explain rcpt joe@example.org --from ann@example.net --client 192.0.2.99
    """
    configuration = load_as_owner(file)
    mailbox = _parse(address)
    mail_from = None if sender in (None, "", "<>") else _parse(sender)
    views = {} if client is None else _view(configuration, client)
    try:
        files = RoutingFiles(configuration)
        router, rules = files.read(), make_rules(configuration, files)
    except ServiceError as error:
        fail(error, error.exit_code)
    judges, cases = Judges(configuration, router, rules), list(list_cases(configuration, views))
    told: dict[str, Any] = {case.name: _show(judges.judge_recipient(case, mailbox)) for case in cases}
    senders = (
        {} if sender is None else {case.name: _show(judges.judge_sender(case, mail_from)) for case in cases}
    )
    recipients = list(follow(router, mailbox))
    if as_json:
        clients = {way_in: view.describe() for way_in, view in views.items()}
        click.echo(
            json.dumps({**told, "senders": senders, "clients": clients, "recipients": recipients}, indent=2)
        )
        return
    for way_in, view in views.items():
        print_client(way_in, view)
    for name, reply in senders.items():
        click.echo(f"{name} says {format_value(reply)} to the sender")
    for name, reply in told.items():
        click.echo(f"{name} says {format_value(reply)}")
    for recipient in recipients:
        print_recipient(recipient)


def _parse(text: str) -> Mailbox:
    try:
        return parse_mailbox(text)
    except AddressError as error:
        fail(f"{format_value(text)}: {error}", os.EX_USAGE)


def _view(configuration: Configuration, address: str) -> dict[str, ClientView]:
    """Look at a client as each way in does that there is; exit where that cannot be."""
    client = parse_client(address)
    if client is None:
        fail(f"{format_value(address)}: expected {ADDRESS_EXPECTED}", os.EX_USAGE)
    tables = {"relay": configuration.relay, "submission": configuration.submission}
    log = open_log("explain")
    try:
        return {
            way_in: asyncio.run(view_client(configuration, way_in, table, client, log))
            for way_in, table in tables.items()
            if table is not None
        }
    except ServiceError as error:
        fail(error, error.exit_code)


def _show(reply: Reply | None) -> str:
    return "nothing" if reply is None else str(reply)
