"""Draws what is open, over time: a line for the destinations of each kind, as SVG for light and dark pages.

The vertical axis is logarithmic, for single messages beside a great backlog; each point is the most that was
open within its part of the time.
"""

from collections.abc import Iterator, Sequence

from bench.scheduling_daemon import Message
from paperpath.load import chart

PARTS = 240


def draw(title: str, messages: Sequence[Message], end_s: float) -> str:
    """A picture of what was open until the end; kinds are what stands before the first dot."""
    by_kind: dict[str, list[Message]] = {}
    for message in messages:
        by_kind.setdefault(message.destination.partition(".")[0], []).append(message)
    lines = {kind: list(_most_open(some, end_s)) for kind, some in by_kind.items()}
    panel = chart.Panel(title, "messages open", lines, chart.logarithmic)
    return chart.draw(f"{title}: messages open, over time", [panel], end_s)


def _most_open(messages: Sequence[Message], end_s: float) -> Iterator[chart.Point]:
    """For each part of the time, its middle, and the most messages that had come and were not delivered."""
    changes = [(message.arrived_s, 1) for message in messages]
    changes += [(message.delivered_s, -1) for message in messages if message.delivered_s is not None]
    changes.sort()
    count, done = 0, 0
    for part in range(PARTS):
        most = count
        while done < len(changes) and changes[done][0] <= end_s * (part + 1) / PARTS:
            count += changes[done][1]
            most = max(most, count)
            done += 1
        yield end_s * (part + 0.5) / PARTS, most
