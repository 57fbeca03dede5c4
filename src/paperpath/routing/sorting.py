"""The post office's decision on a recipient: pure, all the way through the aliases in one go.

An alias is replaced by those whom it stands for in the end, and by nobody twice (requirement E-11): each of
them is sorted by itself afterwards, so one that fails does so alone.
"""

from collections import deque
from collections.abc import Iterator

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.local_part import local_key
from paperpath.mail.notification import Fate, asks_for_success, drop_success
from paperpath.mail.place import is_program
from paperpath.mail.reply import Reply
from paperpath.maildrop.values import (
    Aside,
    Expanded,
    Refused,
    Sorted,
    Target,
    Transport,
    UnsortedRecipient,
)
from paperpath.routing.router import Router
from paperpath.routing.steps import (
    R450_NO_POSTMASTER,
    R550_TOO_MANY,
    Delivery,
    Expansion,
    Look,
    Obstacle,
    Refusal,
    Step,
    Vacancy,
    Verdict,
)
from paperpath.smtp import replies

MOST_FINAL = 10_000  # recipients that one accepted recipient may become (attack S-5)
_MOST_LOOKED_AT = 2 * MOST_FINAL  # addresses on the way there, those that come twice among them


def sort_recipient(router: Router, recipient: UnsortedRecipient) -> Verdict:
    """Decide what becomes of a recipient. A refusal comes without the report that it may call for."""
    step, looks = router.find(recipient.address, recipient.expanded_via, recipient.route_override)
    if isinstance(step, Obstacle) and step.meanwhile is not None:
        step = step.meanwhile
    match step:
        case Delivery(transport, destination):
            key = _make_key(step, recipient.notify, recipient.orcpt) + _name_errand(recipient)
            return Verdict(Sorted(recipient.id, recipient.address, transport, destination, key), tuple(looks))
        case Refusal(reply):
            return Verdict(Refused(recipient.id, reply), tuple(looks))
        case Obstacle(reply):
            return Verdict(Aside(recipient.id, reply), tuple(looks))
        case Vacancy():
            return Verdict(Aside(recipient.id, R450_NO_POSTMASTER), tuple(looks))
    start = Target(
        recipient.address,
        recipient.return_path,
        recipient.notify,
        recipient.orcpt,
        recipient.expanded_via,
    )
    try:
        targets = tuple(target for target, _ in _expand(router, start, step, looks))
    except _TooManyError:
        return Verdict(Refused(recipient.id, R550_TOO_MANY), tuple(looks))
    success = _find_success(router, start, step) if asks_for_success(recipient.notify) else None
    return Verdict(Expanded(recipient.id, targets), tuple(looks), success)


def judge_recipient(router: Router, address: Mailbox) -> Reply:
    """Return the reply to a recipient who is not accepted yet: an alias is good if it leads to anybody."""
    step, looks = router.find(address)
    if isinstance(step, Refusal | Obstacle):
        return step.reply
    if not isinstance(step, Expansion):
        return replies.R250_RECIPIENT
    refusal = replies.R550_NO_SUCH_MAILBOX
    try:
        for _, end in _expand(router, Target(address, None, "", "", ()), step, looks):
            if not isinstance(end, Refusal):
                return replies.R250_RECIPIENT
            refusal = end.reply
    except _TooManyError:
        return R550_TOO_MANY
    return refusal


class _TooManyError(Exception):
    """An address stands for more recipients than anybody can mean."""


def _expand(
    router: Router, start: Target, first: Expansion, looks: list[Look]
) -> Iterator[tuple[Target, Step]]:
    """Give those whom an alias stands for in the end, in the order of the file, and what becomes of each.

    The step of each is what its own sorting will find, and tell; `looks` gets what led there.

    Raises: _TooManyError.
    """
    waiting = deque(_replace(start, first))
    seen: set[tuple[str, ...]] = set()
    looked_at = found = 0
    while waiting:
        target = waiting.popleft()
        step, more = router.find(target.address, target.expanded_via)
        looked_at += 1
        if looked_at > _MOST_LOOKED_AT:
            raise _TooManyError
        if (mark := _mark(target, step)) in seen:
            continue
        seen.add(mark)
        if isinstance(step, Expansion):
            looks += more
            waiting.extendleft(reversed(_replace(target, step)))
        else:
            found += 1
            if found > MOST_FINAL:
                raise _TooManyError
            yield target, step


def _replace(recipient: Target, step: Expansion) -> list[Target]:
    """Give the targets of one alias, with what is handed on to them (RFC 3461 §5.2.7, RFC 5321 §3.9).

    No ORCPT is made where none was given: it would make two of a recipient that was also named directly.
    """
    before = recipient.expanded_via
    if step.owner is None:
        is_only = len(step.targets) == 1
        notify = recipient.notify if is_only else drop_success(recipient.notify)
        path, orcpt = recipient.return_path, recipient.orcpt
        return [Target(one.address, path, notify, orcpt, (*before, *one.keys)) for one in step.targets]
    if recipient.return_path is None:  # a report to a list is for who looks after it, not for its members
        return [Target(step.owner, None, recipient.notify, recipient.orcpt, (*before, step.key))]
    return [Target(one.address, step.owner, "", "", (*before, *one.keys)) for one in step.targets]


def _find_success(router: Router, start: Target, step: Step) -> Fate | None:
    """Tell what an expansion is to who asked for success: with a list it is there, with many it is expanded.

    One alias after another with one target each hands the wish on, and is nothing yet.
    """
    while isinstance(step, Expansion):
        if step.owner is not None:
            return Fate.DELIVERED
        if len(step.targets) != 1:
            return Fate.EXPANDED
        (start,) = _replace(start, step)
        step, _ = router.find(start.address, start.expanded_via)
    return None


def _mark(target: Target, step: Step) -> tuple[str, ...]:
    """Return what is equal for two targets of which one is enough."""
    if isinstance(step, Delivery):
        return (_make_key(step, target.notify, target.orcpt),)
    address = local_key(target.address.local), domain_key(target.address.domain)
    return (step.key, *address) if isinstance(step, Expansion) else address


def _name_errand(recipient: UnsortedRecipient) -> str:
    """Return for whom a program that an alias names runs, which it is told: it runs for each of them once."""
    if not is_program(recipient.address):
        return ""
    accepted = recipient.accepted_address
    return f" for {format_mailbox(Mailbox(local_key(accepted.local), domain_key(accepted.domain)))}"


def _make_key(step: Delivery, notify: str, orcpt: str) -> str:
    """Return what is equal for equal recipients of one message; elsewhere those want equal reports, too."""
    if step.transport is Transport.LOCAL:
        return step.identity
    return " ".join((step.identity, ",".join(sorted(notify.split(","))), orcpt))
