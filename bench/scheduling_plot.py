"""Draws what is open, over time: a line for the destinations of each kind, as SVG for light and dark pages.

The vertical axis is logarithmic, for single messages beside a great backlog; each point is the most that was
open within its part of the time.
"""

import math
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from bench.scheduling_daemon import Message

WIDTH, HEIGHT = 760, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 40, 44
PARTS = 240
# The colours of Okabe and Ito, which everybody can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLE = """
    .page { fill: #ffffff } text { fill: #24292f; font: 12px sans-serif } .title { font-weight: bold }
    .axis { stroke: #57606a } .grid { stroke: #d8dee4 } .line { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117 } text { fill: #e6edf3 } .axis { stroke: #8b949e } .grid { stroke: #30363d }
    }
"""


def draw(title: str, messages: Sequence[Message], end_s: float) -> str:
    """A picture of what was open until the end; kinds are what stands before the first dot."""
    by_kind: dict[str, list[Message]] = {}
    for message in messages:
        by_kind.setdefault(message.destination.partition(".")[0], []).append(message)
    lines = {kind: list(_most_open(some, end_s)) for kind, some in by_kind.items()}
    most = max((value for line in lines.values() for value in line), default=1)
    top = 10 ** math.ceil(math.log10(max(most, 10)))
    picture = _frame(title)
    _draw_axes(picture, end_s, top)
    for place, (kind, line) in enumerate(lines.items()):
        _draw_line(picture, kind, line, top, place)
    ET.indent(picture)
    return ET.tostring(picture, encoding="unicode") + "\n"


def _most_open(messages: Sequence[Message], end_s: float) -> Iterator[int]:
    """For each part of the time, the most messages that had come and were not delivered."""
    changes = [(message.arrived_s, 1) for message in messages]
    changes += [(message.delivered_s, -1) for message in messages if message.delivered_s is not None]
    changes.sort()
    count, done = 0, 0
    for part in range(1, PARTS + 1):
        most = count
        while done < len(changes) and changes[done][0] <= end_s * part / PARTS:
            count += changes[done][1]
            most = max(most, count)
            done += 1
        yield most


def _frame(title: str) -> Element:
    picture = Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=str(WIDTH),
        role="img",
    )
    SubElement(picture, "title").text = f"{title}: messages open, over time"
    SubElement(picture, "style").text = STYLE
    SubElement(picture, "rect", {"class": "page", "width": str(WIDTH), "height": str(HEIGHT)})
    _write(picture, LEFT, TOP - 18, title, {"class": "title"})
    return picture


def _draw_axes(picture: Element, end_s: float, top: int) -> None:
    bottom = HEIGHT - BOTTOM
    for value in [0, *(10**power for power in range(int(math.log10(top)) + 1))]:
        height = _height(value, top)
        _stroke(picture, "axis" if value == 0 else "grid", LEFT, height, WIDTH - RIGHT, height)
        _write(picture, LEFT - 6, height + 4, f"{value:,}", {"text-anchor": "end"})
    _stroke(picture, "axis", LEFT, TOP, LEFT, bottom)
    step = _choose_step(end_s)
    for number in range(int(end_s / step) + 1):
        left = LEFT + (WIDTH - LEFT - RIGHT) * number * step / end_s
        _stroke(picture, "axis", left, bottom, left, bottom + 4)
        _write(picture, left, bottom + 18, f"{number * step:g}", {"text-anchor": "middle"})
    _write(picture, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "seconds", {"text-anchor": "middle"})
    middle = (TOP + bottom) / 2
    turned = {"text-anchor": "middle", "transform": f"rotate(-90 12 {middle:.0f})"}
    _write(picture, 12, middle, "messages open", turned)


def _draw_line(picture: Element, kind: str, line: Sequence[int], top: int, place: int) -> None:
    colour = COLOURS[place % len(COLOURS)]
    width = WIDTH - LEFT - RIGHT
    points = " ".join(
        f"{LEFT + width * (part + 0.5) / PARTS:.1f},{_height(value, top):.1f}"
        for part, value in enumerate(line)
    )
    SubElement(picture, "polyline", {"class": "line", "stroke": colour, "points": points})
    height = TOP + 8 + 20 * place
    _stroke(picture, "line", WIDTH - RIGHT + 14, height, WIDTH - RIGHT + 38, height, colour)
    _write(picture, WIDTH - RIGHT + 44, height + 4, kind, {})


def _height(value: int, top: int) -> float:
    """Where a count lies: by the logarithm of one more, so that nothing is at the bottom."""
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log1p(value) / math.log1p(top)


def _choose_step(end_s: float) -> float:
    """A round step of which there are some six."""
    power = 10.0 ** math.floor(math.log10(end_s / 6))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= end_s / 6)


def _stroke(
    picture: Element, kind: str, left: float, top: float, right: float, bottom: float, colour: str = ""
) -> None:
    ends = {"x1": f"{left:.1f}", "y1": f"{top:.1f}", "x2": f"{right:.1f}", "y2": f"{bottom:.1f}"}
    SubElement(picture, "line", {"class": kind, **ends, **({"stroke": colour} if colour else {})})


def _write(picture: Element, left: float, top: float, text: str, more: dict[str, str]) -> None:
    SubElement(picture, "text", {"x": f"{left:.1f}", "y": f"{top:.1f}", **more}).text = text
