"""`paperpath queue destinations`: where the queue's mail is to go, and which of them cannot be reached."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from paperpath.commands.age import format_age
from paperpath.commands.queue_access import nothing_matched, read_clock_us, work_on_queue
from paperpath.commands.queue_looking import echo, json_option
from paperpath.commands.queue_rendering import format_moment
from paperpath.config.tables import Configuration
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import QueueSummary, State, Suspension, Transport
from paperpath.service.printable import format_value
from paperpath.service.program import config_option

HEAD = f"{'WAITING':>9}  {'IN FLIGHT':>9}  DESTINATION"


@dataclass(slots=True)
class Destination:
    """A destination with mail, or one that is suspended; 0 in `suspended_until_us`: it is not."""

    transport: str
    destination: str
    waiting: int = 0
    in_flight: int = 0
    suspended_until_us: int = 0
    reason: str = ""
    failures: int = 0


@click.command()
@config_option
@json_option
def destinations(file: Path, as_json: bool) -> None:
    """List destinations, most mail first: what waits, what is in flight, and what could not be reached.

    A suspended destination is left alone until its next probe: one message that is tried.

    Example: paperpath queue destinations
    """

    async def work(_: Configuration, maildrop: Maildrop) -> int:
        suspensions = {transport: maildrop.read_suspensions(transport) for transport in Transport}
        found = gather(maildrop.summarize(), suspensions)
        now_us = read_clock_us()
        if found and not as_json:
            echo(HEAD)
        for one in found:
            for line in [json.dumps(asdict(one))] if as_json else destination_lines(one, now_us):
                echo(line)
        return len(found)

    if not work_on_queue(file, work):
        nothing_matched()


def gather(
    summaries: Iterable[QueueSummary], suspensions: Mapping[Transport, Iterable[Suspension]]
) -> list[Destination]:
    """Put together what is known of each destination."""
    found: dict[tuple[str, str], Destination] = {}
    for summary in summaries:
        if summary.transport and summary.state in (State.READY, State.CLAIMED):
            way = summary.transport, summary.destination
            one = found.setdefault(way, Destination(*way))
            if summary.state is State.READY:
                one.waiting = summary.recipients
            else:
                one.in_flight = summary.recipients
    for transport, suspended in suspensions.items():
        for suspension in suspended:
            way = transport.value, suspension.destination
            one = found.setdefault(way, Destination(*way))
            one.suspended_until_us = suspension.until_us
            one.reason, one.failures = suspension.reason, suspension.failures
    return sorted(found.values(), key=lambda one: (-one.waiting - one.in_flight, one.destination))


def destination_lines(one: Destination, now_us: int) -> Iterator[str]:
    """Write a destination in a line, and below it why it is suspended; nothing reaches a terminal raw."""
    way = f"{format_value(one.transport)} to {format_value(one.destination)}"
    yield f"{one.waiting:>9}  {one.in_flight:>9}  {way}"
    if one.suspended_until_us:
        until_us = one.suspended_until_us
        probe = "due" if until_us <= now_us else f"in {format_age((until_us - now_us) / 1_000_000)}"
        times = "1 time" if one.failures == 1 else f"{one.failures} times in a row"
        suspended = f"suspended until {format_moment(until_us)}, next probe {probe}"
        yield f"{'':22}{suspended}; failed {times}: {format_value(one.reason)}"
