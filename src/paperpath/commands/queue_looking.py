"""`paperpath queue list`, `show` and `summary`: what is in the queue. They change nothing."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from paperpath.commands.options import fail
from paperpath.commands.queue_access import nothing_matched, read_clock_us, work_on_queue
from paperpath.commands.queue_rendering import (
    LIST_HEAD,
    SUMMARY_HEAD,
    Listing,
    entry_json,
    escape_octets,
    fact_lines,
    message_facts,
    message_json,
    recipient_facts,
    summary_json,
    summary_line,
)
from paperpath.commands.queue_selection import Selection, read_pages, selecting
from paperpath.config.tables import Configuration
from paperpath.mail.header import header_section
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import ClaimedMessage, Content, QueueFilter
from paperpath.service.printable import format_value
from paperpath.service.program import config_option

_CHUNK_OCTETS = 64 * 1024
_MOST_HEADER_OCTETS = 2**20

json_option = click.option("--json", "as_json", is_flag=True, help="For scripts: one object a line.")


@click.command("list")
@config_option
@selecting
@json_option
def list_(file: Path, selection: Selection, as_json: bool) -> None:
    """List recipients that are in the queue, under their messages; exit 1 if there are none.

    Example: paperpath queue list --destination example.net --older-than 3h
    """

    async def work(_: Configuration, maildrop: Maildrop) -> int:
        listing, count = Listing(read_clock_us()), 0
        for page in read_pages(maildrop, selection):
            if not count and not as_json:
                echo(LIST_HEAD)
            for line in map(entry_json, page) if as_json else listing.lines(page):
                echo(line)
            count += len(page)
        return count

    count = work_on_queue(file, work)
    if not count:
        nothing_matched()
    if not as_json:
        echo(f"{count} recipient{'' if count == 1 else 's'}{' or more' if count == selection.limit else ''}")


@click.command()
@config_option
@json_option
def summary(file: Path, as_json: bool) -> None:
    """Count recipients by state and destination, most first; exit 1 if the queue is empty.

    Example: paperpath queue summary
    """

    async def work(_: Configuration, maildrop: Maildrop) -> int:
        found = sorted(maildrop.summarize(), key=lambda one: one.recipients, reverse=True)
        now_us = read_clock_us()
        if found and not as_json:
            echo(SUMMARY_HEAD)
        for one in found:
            echo(summary_json(one) if as_json else summary_line(one, now_us))
        return len(found)

    if not work_on_queue(file, work):
        nothing_matched()


@click.command()
@click.argument("queue_id", metavar="QUEUE-ID")
@config_option
@json_option
@click.option("--header", "wants_header", is_flag=True, help="Show the header section behind.")
@click.option("--content", "wants_content", is_flag=True, help="Show the whole content behind.")
@click.option("--raw", is_flag=True, help="Only header or content, as they are; not to a terminal.")
def show(
    file: Path, queue_id: str, as_json: bool, wants_header: bool, wants_content: bool, raw: bool
) -> None:
    """Show all that is known of a message and of those of its recipients that are in the queue.

    Of recipients that are settled, paperpath why tells.

    Example: paperpath queue show 0NHPR2Z1Q4C2A --header
    """
    wants_octets = wants_header or wants_content
    if raw and (as_json or not wants_octets):
        fail("--raw: expected --header or --content with it, and no --json", os.EX_USAGE)
    if raw and stands_at_terminal():
        fail("--raw: what is in a message could take over the terminal; write it to a file", os.EX_USAGE)
    if as_json and wants_octets:
        fail("--json: expected no --header or --content with it", os.EX_USAGE)

    async def work(_: Configuration, maildrop: Maildrop) -> int:
        message, damage = _read(maildrop, queue_id)
        found = 0 if raw else _show_facts(maildrop, queue_id, message, damage, as_json=as_json)
        if message is not None and wants_octets:
            chunks = _read_chunks(message.content)
            _write(_cut_header(chunks) if wants_header and not wants_content else chunks, raw=raw)
        elif damage and wants_octets:
            fail(format_value(damage), os.EX_DATAERR)
        return found + (message is not None)

    if not work_on_queue(file, work):
        nothing_matched()


def echo(line: str) -> None:
    """Print a line, with colours on a terminal unless NO_COLOR forbids them."""
    click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


def stands_at_terminal() -> bool:
    """Tell whether a terminal reads what we print."""
    return sys.stdout.isatty()


def _read(maildrop: Maildrop, queue_id: str) -> tuple[ClaimedMessage | None, str]:
    """Return a message, or what is wrong with it."""
    try:
        return maildrop.read_message(queue_id), ""
    except MaildropError as error:
        return None, str(error)


def _show_facts(
    maildrop: Maildrop, queue_id: str, message: ClaimedMessage | None, damage: str, *, as_json: bool
) -> int:
    """Print the message, then its recipients; give how many these are."""
    now_us, count = read_clock_us(), 0
    if message is not None:
        _print(message_json(message) if as_json else fact_lines(message_facts(message, now_us)))
    elif damage:
        _print(
            json.dumps({"damaged": damage}) if as_json else fact_lines([("damaged", format_value(damage))])
        )
    for page in read_pages(maildrop, Selection((QueueFilter(queue_id),))):
        for entry in page:
            _print(entry_json(entry) if as_json else ["", *fact_lines(recipient_facts(entry, now_us))])
        count += len(page)
    return count


def _print(lines: str | Iterator[str] | list[str]) -> None:
    for line in [lines] if isinstance(lines, str) else lines:
        echo(line)


def _read_chunks(content: Content) -> Iterator[bytes]:
    """Give the octets of a content piece by piece; exit where its file cannot be read."""
    if content.octets is not None:
        yield content.octets
        return
    try:
        with Path(content.file or "").open("rb") as file:
            while chunk := file.read(_CHUNK_OCTETS):
                yield chunk
    except OSError as error:
        fail(f"the content cannot be read: {error.strerror}", os.EX_IOERR)


def _cut_header(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give the header section, of a huge one its beginning."""
    octets = b""
    for chunk in chunks:
        octets += chunk
        if b"\r\n\r\n" in octets or len(octets) > _MOST_HEADER_OCTETS:
            break
    yield header_section(octets)[:_MOST_HEADER_OCTETS]


def _write(chunks: Iterator[bytes], *, raw: bool) -> None:
    if raw:
        for chunk in chunks:
            click.echo(chunk, nl=False)
        return
    echo("")
    for text in escape_octets(chunks):
        click.echo(text, nl=False)
    echo("")
