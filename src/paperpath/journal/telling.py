"""Events in words, for people: one line each, whatever is in them.

Called by `paperpath why`. Each value that came from outside goes through the log's `format_value`: it can
neither leave its place, nor its line, nor reach the terminal raw (attack S-6).
"""

import time

from paperpath.journal.events import (
    Accepted,
    Attempted,
    BrokenOff,
    Changed,
    Event,
    Expanded,
    Forwarded,
    Listed,
    MessageRefused,
    Ordered,
    RefusalsLeftOut,
    Refused,
    Released,
    Reported,
    SessionEnded,
    Sorted,
    Suspended,
    TurnedAway,
)
from paperpath.journal.lines import Told
from paperpath.journal.story import Story
from paperpath.service.printable import format_value

_TO_PLACE = {"delivered": "into", "forwarded": "for", "discarded": "by"}


def format_moment(time_us: int) -> str:
    """Write a moment in UTC; one beyond all calendars, which somebody wrote by hand, as its number."""
    seconds, micros = divmod(time_us, 1_000_000)
    try:
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micros:06}Z"
    except (OverflowError, ValueError, OSError):
        return f"{time_us} us"


def describe_story(story: Story) -> str:
    """Say what a story is about, in one line."""
    first = next(
        (told.event for told in story.told if isinstance(told.event, Accepted | MessageRefused)), None
    )
    if first is None:
        (*_, last) = story.told
        if isinstance(last.event, TurnedAway):
            return f"{_find_client(last.event)}, without a session"
        session = getattr(last.event, "session", "")
        return (
            format_value(story.queue_id)
            if story.queue_id
            else f"session {format_value(session)}, without a message"
        )
    parts = [format_value(story.queue_id), f"from {format_value(first.sender)}"]
    if first.message_id:
        parts.append(f"Message-ID {format_value(first.message_id)}")
    return ", ".join(parts)


def describe_told(told: Told) -> str:
    """Say what happened, when, and who tells it."""
    return f"{format_moment(told.time_us)} {told.program:6} {describe_event(told.event)}"


def describe_event(event: Event) -> str:
    """Say what happened."""
    match event:
        case Refused():
            return f"refused {_command(event)} from {_client(event)}: {format_value(event.reply)}"
        case RefusalsLeftOut() | Listed() | TurnedAway() | SessionEnded():
            return _about_client(event)
        case BrokenOff():
            how = f"we ended: {format_value(event.reply)}" if event.reply else "the client left"
            return f"no message: {how}; {_envelope(event)}, from {_client(event)}"
        case MessageRefused():
            return f"message refused: {format_value(event.reply)}; {_envelope(event)}, from {_client(event)}"
        case Accepted() | Changed():
            return _taken(event)
        case Sorted():
            way = f"{format_value(event.transport)} to {format_value(event.destination)}"
            return f"sorted {_step(event.recipient, event.address)}: {way}{_rule(event.rule)}"
        case Expanded():
            targets = _list(event.targets, event.more_targets) if event.targets else "nobody"
            return f"expanded {format_value(event.recipient)} into {targets}{_rule(event.rule)}"
        case Attempted():
            what = f"{format_value(event.outcome)} {format_value(event.recipient)}"
            return f"{what}{_attempt(event)}: {format_value(event.reply)}"
        case Reported() | Forwarded():
            return _made(event)
        case Ordered():
            return _order(event)
        case Released() | Suspended():
            return _beside(event)


def _about_client(event: RefusalsLeftOut | Listed | TurnedAway | SessionEnded) -> str:
    """Say what is about a whole session, or that there was none."""
    client = format_value(event.client)
    match event:
        case RefusalsLeftOut():
            return f"{event.count} more commands refused in this session from {client}"
        case Listed():
            return f"{format_value(event.client_list)} decided about {client}: {format_value(event.found)}"
        case SessionEnded():
            return f"session from {client} ended by us: {format_value(event.reply)}"
        case TurnedAway():
            said = format_value(event.reply) if event.reply else "denied by the access rules, without a word"
            often = f", its network {event.count} times since this was last told" if event.count > 1 else ""
            return f"turned away {client}{often}: {said}"


def _find_client(event: TurnedAway) -> str:
    """Say who was turned away: all of a network is told of together."""
    return (
        f"network {format_value(event.network)}" if event.network else f"client {format_value(event.client)}"
    )


def _taken(event: Accepted | Changed) -> str:
    """Say what was taken, or what was made of it."""
    if isinstance(event, Changed):
        return f"put into canonical form: {_list(event.changes, event.more_changes)}"
    return f"accepted {event.size} octets {_envelope(event)}, by {_origin(event)}"


def _made(event: Reported | Forwarded) -> str:
    """Say what was made of a message: a message too."""
    if isinstance(event, Forwarded):
        return f"goes on as {format_value(event.forward_id)}, to {format_value(event.to)}"
    about = _list(event.recipients, event.more_recipients)
    return f"report {format_value(event.report_id)} made for {format_value(event.to)}, about {about}"


def _beside(event: Released | Suspended) -> str:
    """Say what is about many messages at once."""
    if isinstance(event, Released):
        return f"a worker had died; its claims were released, {event.recipients} in all"
    return (
        f"{format_value(event.destination)} cannot be reached, {event.failures} times in a row now; "
        f"next attempt at {format_moment(event.until_us)}: {format_value(event.reply)}"
    )


def _order(event: Ordered) -> str:
    whom = f" {format_value(event.recipient)}" if event.recipient else ""
    detail = f": {format_value(event.detail)}" if event.detail else ""
    return f"operator {format_value(event.operator)}: {format_value(event.deed)}{whom}{detail}"


def _command(event: Refused) -> str:
    if event.argument:
        return f"{format_value(event.verb)} {format_value(event.argument)}"
    return f"{format_value(event.verb)} ({event.length} octets)"


def _client(event: Refused | BrokenOff | MessageRefused | Accepted) -> str:
    hello = f" ({format_value(event.hello)})" if event.hello else ""
    return f"{format_value(event.client)}{hello}"


def _envelope(event: BrokenOff | MessageRefused | Accepted) -> str:
    recipients = _list(event.recipients, event.more_recipients) if event.recipients else "nobody"
    return f"from {format_value(event.sender)} for {recipients}"


def _origin(event: Accepted) -> str:
    parts = [format_value(event.origin)]
    if event.client:
        parts.append(f" from {_client(event)} with {format_value(event.protocol)}")
    if event.tls:
        parts.append(f", {format_value(event.tls)}")
    if event.submitter:
        how = ", logged in as" if event.client else " from"
        parts.append(f"{how} {format_value(event.submitter)}")
    return "".join(parts)


def _list(values: tuple[str, ...], more: int) -> str:
    shown = ", ".join(map(format_value, values))
    return f"{shown} and {more} more" if more else shown


def _step(before: str, after: str) -> str:
    return format_value(before) if before == after else f"{format_value(before)} as {format_value(after)}"


def _rule(rule: str) -> str:
    return f", by {format_value(rule)}" if rule else ""


def _attempt(event: Attempted) -> str:
    parts = []
    if event.place:
        parts.append(f" {_TO_PLACE.get(event.outcome, 'at')} {format_value(event.place)}")
    if event.attempt:
        parts.append(f", attempt {event.attempt}")
    if event.due_us:
        parts.append(f", again at {format_moment(event.due_us)}")
    return "".join(parts)
