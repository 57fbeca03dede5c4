"""`paperpath lists`: what the lists of clients say of an address; it asks them as the programs would."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import click

from paperpath.commands.options import fail, load_as_owner
from paperpath.config.intake_tables import IntakeTable
from paperpath.config.tables import Configuration, DnsTable
from paperpath.dns.lists import IpAddress, parse_client
from paperpath.intake.client_lists import Look, find_deciding, rule_on
from paperpath.intake.list_desk import Patience, open_desk
from paperpath.intake.list_means import open_list_means
from paperpath.service.printable import format_value
from paperpath.service.program import config_option

_Looks = list[tuple[Look, str]]


@click.group()
def lists() -> None:
    """Ask the lists of clients.

    Example: paperpath lists check 192.0.2.99
    """


@lists.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.argument("address")
def check(file: Path, address: str, as_json: bool) -> None:
    """Ask every list about ADDRESS; print what each says, and what its clients would hear.

    The programs ask no list behind the one that decides; this command does.

    Example: paperpath lists check 192.0.2.99
    """
    configuration = load_as_owner(file)
    client = parse_client(address)
    if client is None:
        fail(f"{format_value(address)}: expected an IP address", os.EX_USAGE)
    found = asyncio.run(_ask(configuration, client))
    if as_json:
        told = {way_in: _describe(str(client), looks) for way_in, looks in found.items()}
        click.echo(json.dumps(told, indent=2))
        return
    for way_in, looks in found.items():
        _print(way_in, _describe(str(client), looks))
    if not found:
        click.echo("No lists are configured.", err=True)


async def _ask(configuration: Configuration, client: IpAddress) -> dict[str, _Looks]:
    """Ask the lists of each way in that has some."""
    tables: dict[str, IntakeTable | None] = {
        "relay": configuration.relay,
        "submission": configuration.submission,
    }
    return {
        way_in: await _look(table, configuration.dns, client)
        for way_in, table in tables.items()
        if table is not None and table.lists
    }


async def _look(table: IntakeTable, dns: DnsTable, client: IpAddress) -> _Looks:
    async with open_list_means(dns) as means:
        desk = open_desk(table.lists, Patience(table.lists_timeout_s, table.lists_head_start_s), means)
        return [] if desk is None else await desk.look_at_all(client)


def _describe(client: str, looks: _Looks) -> dict[str, Any]:
    deciding = find_deciding([look for look, _ in looks])
    reason = next((reason for look, reason in looks if look is deciding), "")
    refusal = rule_on(client, deciding, reason).refusal
    return {
        "lists": [
            {
                "list": str(look.client_list),
                "said": look.finding.standing.value,
                "detail": look.finding.detail,
                "reason": reason,
            }
            for look, reason in looks
        ],
        "decided_by": None if deciding is None else str(deciding.client_list),
        "reply": None if refusal is None else str(refusal),
    }


def _print(way_in: str, told: dict[str, Any]) -> None:
    """Print what is told of one way in, whatever a list says escaped (attack S-6)."""
    click.echo(way_in)
    for entry in told["lists"]:
        parts = [entry["said"], *(format_value(entry[key]) for key in ("detail", "reason") if entry[key])]
        click.echo(f"  {entry['list']}: {' '.join(parts)}")
    if told["reply"] is not None:
        click.echo(
            f"  decision by {told['decided_by']}: all but postmasters hear {format_value(told['reply'])}"
        )
    elif told["decided_by"] is not None:
        click.echo(f"  decision by {told['decided_by']}: as if there were no lists")
    else:
        click.echo("  decision: no list has it")
