"""`paperpath queue hold`, `release`, `retry`, `remove`, `bounce` and `reroute`: what an operator does.

Each is exit 0 if it changed anything, 1 if nothing matched that it is for, 75 if all of that is being
delivered just now. Without any filter it wants --all.
"""

import functools
import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from paperpath.commands.options import fail
from paperpath.commands.queue_access import (
    EX_NOTHING,
    nothing_matched,
    read_clock_us,
    work_on_queue,
)
from paperpath.commands.queue_bounce import bouncing
from paperpath.commands.queue_selection import Command, Selection, selecting
from paperpath.commands.queue_work import UNCLAIMED, Apply, Tally, carry_out, changing, survey, telling
from paperpath.config.tables import Configuration
from paperpath.config.via import parse_refusal, parse_via
from paperpath.delivery.reports import make_clerk
from paperpath.journal.events import Tell
from paperpath.journal.writer import Journal
from paperpath.mail.reply import make_reply
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Deed, Hold, QueueFilter, Release, Remove, Reroute, Retry, State
from paperpath.service.log import open_log
from paperpath.service.printable import format_value
from paperpath.service.privileges import name_user
from paperpath.service.program import config_option

R550_BOUNCED = make_reply(550, "5.0.0", "Returned by the operator of this mail system")
BY_THE_ROUTES = "routes"
_MOST_REASON = 200  # characters

Begin = Callable[[Configuration, Maildrop, Tell], Apply]
"""Makes what is done to each page of recipients."""


@dataclass(frozen=True, slots=True)
class Order:
    """A deed's name, what it has done when it is done, the states it is for, and why not for others.

    `detail` is what was said with it, for the journal.
    """

    name: str
    done: str
    fits: frozenset[State] = UNCLAIMED
    unfit: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a command was told: on which configuration, for whom, and how to go about it."""

    file: Path
    selection: Selection
    dry_run: bool
    as_json: bool


_HOLD = Order("hold", "held", frozenset({State.UNSORTED, State.READY}), "held already")
_RELEASE = Order("release", "released", frozenset({State.HELD}), "not held")
_RETRY = Order("retry", "made due", frozenset({State.READY}), "held, or not sorted yet")
_REMOVE = Order("remove", "removed")
_BOUNCE = Order("bounce", "bounced")
_REROUTE = Order("reroute", "rerouted")


def commanding(command: Command) -> Command:
    """Give a deed's command the options that all of them have, as an `errand`."""

    @functools.wraps(command)
    def with_errand(
        file: Path, selection: Selection, everything: bool, dry_run: bool, as_json: bool, **others: object
    ) -> object:
        if selection.is_everything and not everything:
            fail("expected a queue id, a filter, or --all for the whole queue", os.EX_USAGE)
        return command(Errand(file, selection, dry_run, as_json), **others)

    extended: Command = with_errand
    for option in (
        click.option("--json", "as_json", is_flag=True, help="For scripts."),
        click.option("--dry-run", is_flag=True, help="Only say how many it would be."),
        click.option("--all", "everything", is_flag=True, help="Mean the whole queue."),
        selecting,
        config_option,
    ):
        extended = option(extended)
    return extended


@click.command()
@commanding
@click.option("--reason", default="held by the operator", show_default=True, help="Listed as the reply.")
def hold(errand: Errand, reason: str) -> None:
    """Keep recipients where they are until they are released; they never expire.

    Example: paperpath queue hold --sender spam@else.example --reason "looks like spam"
    """
    if len(reason) > _MOST_REASON:
        fail(f"--reason: expected at most {_MOST_REASON} characters", os.EX_USAGE)
    _change(errand, replace(_HOLD, detail=reason), Hold(reason))


@click.command()
@commanding
def release(errand: Errand) -> None:
    """Have held recipients sorted again, and delivered.

    Example: paperpath queue release 0NHPR2Z1Q4C2A
    """
    _change(errand, _RELEASE, Release())


@click.command()
@commanding
def retry(errand: Errand) -> None:
    """Try now what waits for a later attempt, whether or not its destination is suspended.

    Example: paperpath queue retry --destination example.net
    """
    _change(errand, _RETRY, Retry(read_clock_us()))


@click.command()
@commanding
def remove(errand: Errand) -> None:
    """Take recipients out of the queue for good; nobody is told.

    Example: paperpath queue remove --sender spam@else.example --dry-run
    """
    _change(errand, _REMOVE, Remove())


@click.command()
@commanding
@click.option("--reply", metavar="TEXT", help='What the report says, such as "5.1.2 This domain has closed".')
def bounce(errand: Errand, reply: str | None) -> None:
    """Give recipients up, with a report to the sender where one is due.

    They are held first; if the command is broken off, some may be left so.

    Example: paperpath queue bounce --domain closed.example --reply "5.1.2 This domain has closed"
    """
    try:
        failure = R550_BOUNCED if reply is None else parse_refusal(reply)
    except ValueError as error:
        fail(f"--reply: {error}", os.EX_USAGE)

    def begin(configuration: Configuration, maildrop: Maildrop, tell: Tell) -> Apply:
        return bouncing(maildrop, make_clerk(configuration), failure, read_clock_us(), tell)

    _do(errand, _BOUNCE, begin)


@click.command()
@click.argument("route", metavar="ROUTE")
@commanding
def reroute(errand: Errand, route: str) -> None:
    """Send recipients by ROUTE, which is what a route's "via" may be; "routes" is by the routes again.

    Example: paperpath queue reroute smtp://backup.example.org:25 --domain example.org
    """
    try:
        way = "" if route == BY_THE_ROUTES else parse_via(route)
    except ValueError as error:
        fail(f'{format_value(route)}: {error}, or "{BY_THE_ROUTES}"', os.EX_USAGE)
    _change(errand, replace(_REROUTE, detail=route), Reroute(way))


def _change(errand: Errand, order: Order, deed: Deed) -> None:
    _do(errand, order, lambda _, maildrop, __: changing(maildrop, deed))


def hold_mail_of(file: Path, account: str, reason: str, operator: str) -> None:
    """Hold what an account has in the queue, and say how much that was; exit where that cannot be."""
    errand = Errand(file, Selection((QueueFilter(account=account),)), dry_run=False, as_json=False)
    order = replace(_HOLD, detail=reason)
    tally, trouble = _work(errand, order, lambda _, maildrop, __: changing(maildrop, Hold(reason)), operator)
    _tell(errand, order, tally)
    if trouble:
        fail(f"broken off: {format_value(trouble)}", os.EX_IOERR)


def _do(errand: Errand, order: Order, begin: Begin) -> None:
    """Do what was ordered, say what came of it, and exit."""
    operator = name_user(os.getuid())  # before it becomes the service user
    tally, trouble = _work(errand, order, begin, operator)
    if errand.as_json:
        click.echo(json.dumps({"deed": order.name, "dry_run": errand.dry_run, **asdict(tally)}))
    elif tally.matched:
        _tell(errand, order, tally)
    if trouble:
        fail(f"broken off: {format_value(trouble)}", os.EX_IOERR)
    if not tally.matched:
        nothing_matched()
    if not tally.changed:
        raise SystemExit(os.EX_TEMPFAIL if tally.delivering or tally.lost else EX_NOTHING)


def _work(errand: Errand, order: Order, begin: Begin, operator: str) -> tuple[Tally, str]:
    """Do what was ordered; return what came of it, and why it was broken off, if it was."""

    async def work(configuration: Configuration, maildrop: Maildrop) -> tuple[Tally, str]:
        if errand.dry_run:
            return (await survey(maildrop, errand.selection, order.fits))[0], ""
        tally = Tally()
        with closing(Journal(configuration.journal_folder, "paperpath", open_log("paperpath"))) as journal:
            apply = begin(configuration, maildrop, journal.tell)
            apply = telling(apply, journal.tell, operator, order.name, order.detail)
            try:
                await carry_out(maildrop, errand.selection, order.fits, apply, tally)
            except MaildropError as error:
                return tally, str(error)
        return tally, ""

    return work_on_queue(errand.file, work)


def _tell(errand: Errand, order: Order, tally: Tally) -> None:
    click.echo(f"{_count(tally.changed)} {'would be ' if errand.dry_run else ''}{order.done}")
    for number, why in (
        (tally.delivering, "being delivered just now"),
        (tally.unfit, order.unfit),
        (tally.lost, "changed by others meanwhile, or damaged"),
    ):
        if number:
            click.echo(f"{_count(number)} passed over: {why}", err=True)


def _count(number: int) -> str:
    return f"{number} recipient{'' if number == 1 else 's'}"
