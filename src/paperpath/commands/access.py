"""`paperpath access`: which clients get which service, by the rules file that running programs look at.

Comments and layout of the file stay. What comes out is checked as the programs would before it takes the old
file's place, whole.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from paperpath.commands.options import fail, load
from paperpath.commands.queue_access import EX_NOTHING
from paperpath.config.intake_tables import IntakeTable
from paperpath.config.network import ADDRESS_EXPECTED
from paperpath.config.prefix import parse_client_prefix
from paperpath.intake.access import ServiceClass, parse_service_class
from paperpath.intake.access_editing import delete_rule, set_rule
from paperpath.intake.access_file import MOST_OCTETS, AccessError, open_access, read_all_rules
from paperpath.intake.access_rules import AccessRule, AccessRules, Clients
from paperpath.intake.access_text import parse_clients
from paperpath.mail.domain import domain_key
from paperpath.service.edited_file import editing
from paperpath.service.errors import ServiceError
from paperpath.service.guarded_text import GuardedTextError, read_guarded_text
from paperpath.service.printable import format_value
from paperpath.service.program import config_option

_HEADING = "# One rule a line: a network, address or host, and its service. See docs/configuration.md.\n"

_submission_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--submission",
    "way_in",
    flag_value="submission",
    help="The rules of [submission]; else those of [relay].",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="For scripts.")


@click.group()
def access() -> None:
    """Say which clients get which service; running programs notice at once.

    Example: paperpath access add 192.0.2.0/24 privileged
    """


@access.command()
@config_option
@_submission_option
@click.argument("clients")
@click.argument("service")
def add(file: Path, way_in: str | None, clients: str, service: str) -> None:
    """Give CLIENTS a SERVICE: deny, null, normal or privileged, or its level 0, 1 or 2.

    CLIENTS are a network, an address, a host's name, or .NAME for all below it. Whatever service just these
    had before, they have the new one.

    Example: paperpath access add .dyn.example.net deny
    """
    table, way_in = _find_table(file, way_in)
    wanted = _read_clients(clients)
    try:
        granted = parse_service_class(service)
    except ValueError as error:
        fail(error, os.EX_USAGE)
    with _changing(file, table, way_in) as lines:
        old = set_rule(lines, wanted, granted)
    before = "" if old is None else f", it was {old.value}"
    click.echo(f"{table.access_file}: {wanted} is {granted.value}{before}")


@access.command()
@config_option
@_submission_option
@click.argument("clients")
def delete(file: Path, way_in: str | None, clients: str) -> None:
    """Take out the rule for just these CLIENTS; exit 1 if the file has none.

    Example: paperpath access delete 192.0.2.0/24
    """
    table, way_in = _find_table(file, way_in)
    wanted = _read_clients(clients)
    with _changing(file, table, way_in) as lines:
        old = delete_rule(lines, wanted)
        if old is None:
            fail(f"{table.access_file}: no rule for {wanted}", EX_NOTHING)
    click.echo(f"{table.access_file}: {wanted} is no longer {old.value}")


@access.command("list")
@config_option
@_submission_option
@_json_option
def list_(file: Path, way_in: str | None, as_json: bool) -> None:
    """List the rules of the configuration and of the file, as far as they hold.

    Example: paperpath access list --submission
    """
    told = [_describe(rule) for rule in _read_rules(file, way_in)]
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        for rule in told:
            click.echo("\t".join(rule.values()))


@access.command()
@config_option
@_submission_option
@_json_option
@click.option("--name", "names", multiple=True, help="A name of its host; the DNS is not asked here.")
@click.argument("address")
def query(file: Path, way_in: str | None, as_json: bool, names: tuple[str, ...], address: str) -> None:
    """Say which service the client at ADDRESS gets, and by which rule.

    Example: paperpath access query 192.0.2.7 --name mail.example.org
    """
    rules = _read_rules(file, way_in)
    client = parse_client_prefix(address)
    if client is None:
        fail(f"{format_value(address)}: expected {ADDRESS_EXPECTED}", os.EX_USAGE)
    rule = rules.find(address, [domain_key(name) for name in names])
    service = ServiceClass.NORMAL if rule is None else rule.service
    if as_json:
        told = {"service": service.value, "rule": None if rule is None else _describe(rule)}
        click.echo(json.dumps(told, indent=2))
    else:
        by = "no rule" if rule is None else f"{rule.clients} in {format_value(rule.place)}"
        click.echo(f"{client} is {service.value}, by {by}")


def _find_table(file: Path, way_in: str | None) -> tuple[IntakeTable, str]:
    """Return the table of the configuration whose rules are meant, and its name."""
    configuration = load(file)
    if way_in is None:
        return configuration.relay, "relay"
    if configuration.submission is None:
        fail(f"{file}: there is no table [submission]", os.EX_CONFIG)
    return configuration.submission, "submission"


def _read_rules(file: Path, way_in: str | None) -> AccessRules:
    try:
        return open_access(*_find_table(file, way_in)).read()
    except ServiceError as error:
        fail(error, error.exit_code)


def _read_clients(text: str) -> Clients:
    try:
        return parse_clients(text)
    except ValueError as error:
        fail(error, os.EX_USAGE)


@contextmanager
def _changing(file: Path, table: IntakeTable, way_in: str) -> Iterator[list[str]]:
    """Give the lines of the rules file to change; exit where what comes out would be refused."""
    if table.access_file is None:
        fail(f"{file}: {way_in}.access_file: no rules file is named", os.EX_CONFIG)
    try:
        place = table.access_file.resolve()
        is_new = not place.exists()
        if not is_new:
            read_guarded_text(place, MOST_OCTETS)
        with editing(place, _HEADING, like=(file if is_new else place).stat()) as lines:
            yield lines
            read_all_rules("".join(lines), table, way_in)
    except GuardedTextError as error:
        fail(f"{table.access_file}: {error}", os.EX_CONFIG)
    except OSError as error:
        fail(f"{table.access_file}: {error.strerror}", os.EX_NOPERM)
    except AccessError as error:
        fail(f"{error}\n{table.access_file}: left as it was", os.EX_DATAERR)


def _describe(rule: AccessRule) -> dict[str, str]:
    return {"clients": str(rule.clients), "service": rule.service.value, "place": rule.place}
