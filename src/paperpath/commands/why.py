"""`paperpath why`: tells what happened to a message, from the journal alone; no program need run."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from paperpath.commands.options import fail, load_as_owner
from paperpath.journal.files import format_day, list_files
from paperpath.journal.lines import Told
from paperpath.journal.search import find_told
from paperpath.journal.story import Stories, find_stories
from paperpath.journal.telling import describe_story, describe_told, format_moment
from paperpath.service.program import config_option

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]


@click.command()
@click.argument("what", metavar="MESSAGE-ID|QUEUE-ID|ADDRESS")
@config_option
@click.option("--since", type=click.DateTime(_FORMATS), help="Look at nothing told before, in UTC.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The newest so many."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts: one object a line.")
def why(what: str, file: Path, since: datetime | None, limit: int, as_json: bool) -> None:
    """Tell what happened to a message, or to all mail of an address; exit 0 if anything is known, else 1.

    Example: paperpath why joe@example.org --since 2026-11-22
    """
    folder = load_as_owner(file).journal_folder
    since_us = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp()) * 1_000_000
    try:
        files = [entry for entry in list_files(folder) if entry.day >= format_day(since_us)]
        found = find_stories(what, lambda patterns: find_told(files, patterns, since_us), limit)
    except OSError as error:
        fail(f"the journal cannot be read: {error}", os.EX_NOINPUT)
    if as_json:
        _print_json(found)
    else:
        _print(found)
    raise SystemExit(0 if found.stories else 1)


def _print(found: Stories) -> None:
    for story in found.stories:
        click.echo(describe_story(story))
        for told in story.told:
            click.echo(f"  {describe_told(told)}")
    if not found.stories:
        click.echo("The journal has nothing of it.", err=True)
    if not found.complete:
        click.echo("There is older than that: --limit shows more.", err=True)


def _print_json(found: Stories) -> None:
    for story in found.stories:
        for told in story.told:
            click.echo(json.dumps({"story": story.queue_id, **_facts(told)}))


def _facts(told: Told) -> dict[str, object]:
    facts = json.loads(told.line)
    return {"time": format_moment(facts.pop("time_us")), "program": told.program, **facts}
