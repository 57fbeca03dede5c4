"""`paperpath domain`: which domains mail is taken for, and which way it goes; edits the configuration.

Comments and layout of the file stay. What comes out is checked as `paperpath check` does before it takes the
old file's place, whole, with the same owner and mode.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import click

from paperpath.commands.edited_configuration import put_edited
from paperpath.commands.options import fail, load, load_with_text
from paperpath.commands.queue_access import EX_NOTHING
from paperpath.config.domain_editing import add_domain, remove_domain
from paperpath.config.edited_text import Edited, EditError
from paperpath.config.tables import Configuration
from paperpath.config.via import LOCAL, parse_via
from paperpath.service.program import config_option


@click.group()
def domain() -> None:
    """Say which domains mail is taken for; `paperpath reload` puts it in force.

    Example: paperpath domain add example.org && paperpath reload
    """


@domain.command()
@config_option
@click.argument("name", metavar="DOMAIN")
@click.option("--via", default=LOCAL, show_default=True, help='Which way its mail goes, as a route\'s "via".')
def add(file: Path, name: str, via: str) -> None:
    """Take mail for DOMAIN, and give it a route: relay.domains and post_office.route.

    Example: paperpath domain add example.org
    """
    try:
        parse_via(via)
    except ValueError as error:
        fail(f"--via: {error}", os.EX_USAGE)
    if not _edit(file, lambda text: add_domain(text, name, via)):
        click.echo(f"{file}: {name} stands everywhere already")


@domain.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_(file: Path, as_json: bool) -> None:
    """List domains: whether mail is taken for them from anybody, and which way it goes.

    Example: paperpath domain list --json
    """
    rows = _find_domains(load(file))
    if as_json:
        found = [{"domain": name, "accepted": accepted, "via": via} for name, accepted, via in rows]
        click.echo(json.dumps(found, indent=2))
    else:
        for name, accepted, via in rows:
            click.echo(f"{name}\t{'accepted' if accepted else 'not accepted'}\t{via or 'no route'}")


@domain.command()
@config_option
@click.argument("name", metavar="DOMAIN")
def remove(file: Path, name: str) -> None:
    """Take no more mail for DOMAIN, and drop its route. Accounts and aliases there are left as they are.

    Example: paperpath domain remove example.org
    """
    if not _edit(file, lambda text: remove_domain(text, name)):
        fail(f"{file}: {name} stands nowhere", EX_NOTHING)


def _edit(file: Path, edit: Callable[[str], Edited]) -> bool:
    """Edit a configuration and say what was done; tell whether it was anything. Exit where that cannot be."""
    old = load_with_text(file)
    try:
        edited = edit(old.text)
    except (EditError, ValueError) as error:
        fail(f"{file}: {error}", os.EX_DATAERR)
    if edited.done:
        put_edited(old, edited)
    return bool(edited.done)


def _find_domains(configuration: Configuration) -> list[tuple[str, bool, str]]:
    """Return each domain that is named, whether it is accepted, and which way it goes, if any."""
    accepted = [pattern.text for pattern in configuration.relay.domains]
    routed = [entry.domain.text for entry in configuration.post_office.route]
    rows = []
    for name in dict.fromkeys((*accepted, *routed)):
        route = configuration.post_office.find_route(name)
        rows.append((name, name in accepted, "" if route is None else route.via))
    return rows
