"""What an operator reads of the queue: values to lines, for people and for scripts; pure.

Called by the commands of `paperpath queue`. Every value that came from outside, and every value of a row that
may be damaged, goes through the log's `format_value`, and content through `escape_octets`: none leaves its
line or reaches a terminal raw (attack S-6). JSON is ASCII, its controls escaped.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

import click

from paperpath.commands.age import format_age
from paperpath.mail.address import format_path
from paperpath.maildrop.values import ClaimedMessage, QueueEntry, QueueSummary, State
from paperpath.service.printable import format_value

Facts = Sequence[tuple[str, str]]

LIST_HEAD = f"{'QUEUE ID':15}  {'ARRIVED':20}  {'OCTETS':>9}  SENDER"
SUMMARY_HEAD = f"{'STATE':8}  {'RECIPIENTS':>10}  {'OLDEST':>6}  WAY"
_COLOURS = {State.HELD: "yellow", State.CLAIMED: "green", State.READY: "cyan", State.UNSORTED: "blue"}
_FACT_WIDTH = 13
_CRLF = b"\r\n"


class Listing:
    """Entries as lines, under the message that they belong to."""

    def __init__(self, now_us: int) -> None:
        """Begin, with no message told of yet."""
        self._now_us = now_us
        self._queue_id: str | None = None

    def lines(self, entries: Iterable[QueueEntry]) -> Iterator[str]:
        """Give the lines of the next page."""
        for entry in entries:
            if entry.queue_id != self._queue_id:
                self._queue_id = entry.queue_id
                yield _message_line(entry)
            yield _recipient_line(entry, self._now_us)
            if entry.last_reply:
                yield f"            {format_value(entry.last_reply)}"


def summary_line(summary: QueueSummary, now_us: int) -> str:
    """Write how many are in one state for one destination, the oldest, and until when it is suspended."""
    oldest = format_age(max(now_us - summary.oldest_us, 0) / 1_000_000)
    way = _way(summary.transport, summary.destination) or "not known yet"
    line = f"{_state(summary.state)}  {summary.recipients:>10}  {oldest:>6}  {way}"
    if summary.suspended_until_us:
        until, reason = format_moment(summary.suspended_until_us), format_value(summary.reason)
        line += f", suspended until {until}: {reason}"
    return line


def message_facts(message: ClaimedMessage, now_us: int) -> Facts:
    """Name all that is kept of a message's envelope (requirement D-8), and what its content is."""
    client, asked, content = message.client, message.parameters, message.content
    age = format_age(max(now_us - message.arrived_us, 0) / 1_000_000)
    return [
        ("queue id", _show(message.queue_id)),
        ("arrived", f"{format_moment(message.arrived_us)}, {age} ago"),
        ("came by", message.origin.value),
        ("client", f"{_show(client.address)} port {client.port}" if client.address else ""),
        ("hello", _show(client.hello)),
        ("protocol", _show(client.protocol)),
        ("TLS", _show(client.tls)),
        ("service", _show(client.service)),
        ("account", _show(client.account)),
        ("sender", _show(format_path(message.sender))),
        ("BODY", _show(asked.body)),
        ("SMTPUTF8", "yes" if asked.international else ""),
        ("RET", _show(asked.ret)),
        ("ENVID", _show(asked.envid)),
        ("octets", str(content.size)),
        ("in file", _show(content.file or "")),
        ("SHA-256", content.digest.hex()),
    ]


def recipient_facts(entry: QueueEntry, now_us: int) -> Facts:
    """Name all that is kept of a recipient."""
    return [
        ("recipient", _show(entry.address)),
        ("accepted as", _show(entry.accepted_address)),
        ("return path", _show(entry.return_path or "<>")),
        ("NOTIFY", _show(entry.notify)),
        ("ORCPT", _show(entry.orcpt)),
        ("came through", " ".join(map(format_value, entry.expanded_via))),
        ("route", _show(entry.route_override)),
        ("state", entry.state.value),
        ("way", _way(entry.transport, entry.destination)),
        ("due", _due(entry, now_us)),
        ("attempts", _show(entry.attempts)),
        ("last reply", _show(entry.last_reply)),
    ]


def fact_lines(facts: Facts) -> Iterator[str]:
    """Write facts that need no escaping any more, one a line; those that are not known are left out."""
    for name, value in facts:
        if value:
            yield f"{name:{_FACT_WIDTH}} {value}"


def entry_json(entry: QueueEntry) -> str:
    """Write an entry for scripts; times are microseconds since 1970."""
    return json.dumps({**asdict(entry), "state": entry.state.value}, default=str)


def summary_json(summary: QueueSummary) -> str:
    """Write a line of the summary for scripts."""
    return json.dumps({**asdict(summary), "state": summary.state.value}, default=str)


def message_json(message: ClaimedMessage) -> str:
    """Write a message for scripts, without its content."""
    return json.dumps(
        {
            "queue_id": message.queue_id,
            "arrived_us": message.arrived_us,
            "origin": message.origin.value,
            "client": asdict(message.client),
            "sender": "" if message.sender is None else str(message.sender),
            "parameters": asdict(message.parameters),
            "size": message.content.size,
            "file": str(message.content.file or ""),
            "digest": message.content.digest.hex(),
        }
    )


def escape_octets(chunks: Iterable[bytes]) -> Iterator[str]:
    """Write content as printable ASCII: CRLF begins a line, other octets that do not print are escaped.

    A backslash is doubled, so that no two contents look the same.
    """
    carried = b""
    for chunk in chunks:
        octets = carried + chunk
        carried = b"\r" if octets.endswith(b"\r") else b""
        yield "\n".join(map(_escape, octets.removesuffix(carried).split(_CRLF)))
    yield _escape(carried)


def format_moment(time_us: int) -> str:
    """Write a moment in UTC, to the second; one that no calendar has, as a number."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_us // 1_000_000))
    except (OverflowError, OSError, ValueError, TypeError):  # the row is damaged
        return format_value(time_us)


def _message_line(entry: QueueEntry) -> str:
    name = click.style(f"{format_value(entry.queue_id):15}", bold=True)
    sender = format_value(entry.sender or "<>")
    account = f", by {format_value(entry.account)}" if entry.account not in ("", entry.sender) else ""
    return f"{name}  {format_moment(entry.arrived_us):20}  {entry.size:>9}  {sender}{account}"


def _recipient_line(entry: QueueEntry, now_us: int) -> str:
    notes = []
    if entry.accepted_address != entry.address:
        notes.append(f"accepted as {format_value(entry.accepted_address)}")
    if entry.transport:
        notes.append(_way(entry.transport, entry.destination))
    if entry.route_override:
        notes.append(f"rerouted by {format_value(entry.route_override)}")
    if entry.attempts:
        notes.append("1 attempt" if entry.attempts == 1 else f"{entry.attempts} attempts")
    if entry.state is State.READY and entry.due_us > now_us:
        notes.append(f"again in {format_age((entry.due_us - now_us) / 1_000_000)}")
    return f"  {_state(entry.state)}  {', '.join([format_value(entry.address), *notes])}"


def _due(entry: QueueEntry, now_us: int) -> str:
    if entry.state is not State.READY:
        return ""
    return "now" if entry.due_us <= now_us else format_moment(entry.due_us)


def _way(transport: str, destination: str) -> str:
    return f"{format_value(transport)} to {format_value(destination)}" if transport else ""


def _state(state: State) -> str:
    return click.style(f"{state.value:8}", fg=_COLOURS[state])


def _show(value: object) -> str:
    return "" if value == "" else format_value(value)


def _escape(octets: bytes) -> str:
    return octets.decode("latin-1").encode("unicode_escape").decode("ascii")
