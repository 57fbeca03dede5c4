"""Which recipients an operator means: the filters of `paperpath queue`, and the pages that match.

All that is given must match; of several queue ids, one. Nothing but one page is ever in memory.
"""

import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from paperpath.commands.options import fail
from paperpath.commands.queue_access import read_clock_us
from paperpath.mail.address import AddressError, format_mailbox
from paperpath.mail.domain import domain_key, is_address_literal, to_a_labels
from paperpath.mail.place import parse_recipient
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import QueueEntry, QueueFilter, State
from paperpath.service.printable import format_value

PAGE = 500
UNLIMITED = sys.maxsize

_AGE = re.compile(r"(\d{1,6})(s|min|h|d|w)")
_UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_STATES = [state.value for state in State if state is not State.SETTLED]

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """The recipients that match any of the filters, the first `limit` of them."""

    filters: tuple[QueueFilter, ...] = (QueueFilter(),)
    limit: int = UNLIMITED

    @property
    def is_everything(self) -> bool:
        """Whether no filter was given."""
        return QueueFilter() in self.filters


def read_pages(
    maildrop: Maildrop, selection: Selection, after: int = 0, upto: int = UNLIMITED
) -> Iterator[Sequence[QueueEntry]]:
    """Give what matches by pages of at most 500, with numbers beyond `after` and no higher than `upto`."""
    left = selection.limit
    for wanted in selection.filters:
        last, asked, count = after, PAGE, PAGE
        while count == asked and left and last < upto:
            asked = min(PAGE, left)
            page = maildrop.find(wanted, last, asked)
            count = len(page)
            last = page[-1].recipient_id if page else last
            inside = [entry for entry in page if entry.recipient_id <= upto]
            left -= len(inside)
            if inside:
                yield inside


def selecting(command: Command) -> Command:
    """Give a command the options of a selection, which it gets as `selection`."""

    @functools.wraps(command)
    def with_selection(
        queue_ids: tuple[str, ...],
        domain: str,
        sender: str | None,
        recipient: str,
        older_than: str | None,
        state: str | None,
        error: str,
        destination: str,
        account: str,
        limit: int | None,
        **others: object,
    ) -> object:
        filters = tuple(
            QueueFilter(
                queue_id,
                _read_address(recipient, "--recipient") if recipient else "",
                _read_domain(domain) if domain else "",
                None if sender is None else _read_sender(sender),
                None if older_than is None else read_clock_us() - _read_age_us(older_than),
                None if state is None else State(state),
                error,
                _read_destination(destination),
                account,
            )
            for queue_id in (dict.fromkeys(queue_ids) or ("",))
        )
        return command(selection=Selection(filters, limit or UNLIMITED), **others)

    extended: Command = with_selection
    for option in reversed(_OPTIONS):
        extended = option(extended)
    return extended


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.argument("queue_ids", metavar="[QUEUE-ID]...", nargs=-1),
    click.option("--domain", default="", help="To recipients of this domain."),
    click.option("--sender", help='From this address; "<>" is the null sender.'),
    click.option("--recipient", default="", help="To this address, as accepted or as it is now."),
    click.option("--older-than", metavar="AGE", help="Here for longer than this: 90s, 30min, 3h, 2d, 1w."),
    click.option("--state", type=click.Choice(_STATES), help="In this state."),
    click.option("--error", metavar="TEXT", default="", help="With this text in the last reply."),
    click.option("--destination", default="", help="To this destination, as queue destinations lists it."),
    click.option("--account", default="", help="Handed in by this account, or this user of the host."),
    click.option("--limit", type=click.IntRange(1), help="The first so many recipients."),
)


def _read_age_us(text: str) -> int:
    match = _AGE.fullmatch(text)
    if match is None:
        fail(
            f"--older-than: expected an age such as 90s, 30min, 3h or 2d, got {format_value(text)}",
            os.EX_USAGE,
        )
    return int(match[1]) * _UNITS_S[match[2]] * 1_000_000


def _read_domain(text: str) -> str:
    if to_a_labels(text.removesuffix(".")) is None and not is_address_literal(text):
        fail(f"--domain: expected a domain, got {format_value(text)}", os.EX_USAGE)
    return domain_key(text)


def _read_destination(text: str) -> str:
    """Read a domain in any form; a destination that is none is taken as it is."""
    is_domain = to_a_labels(text.removesuffix(".")) is not None or is_address_literal(text)
    return domain_key(text) if is_domain else text


def _read_sender(text: str) -> str:
    return "" if text in ("", "<>") else _read_address(text, "--sender")


def _read_address(text: str, option: str) -> str:
    try:
        return format_mailbox(parse_recipient(text))
    except AddressError as error:
        fail(f"{option}: {format_value(text)}: {error}", os.EX_USAGE)
