"""A small chart: lines over time in panels below one another, as SVG for light and dark pages.

Called by `paperpath bench --plot`, and by the developers' measurements. Pure: numbers in, text out.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

_WIDTH, _PANEL_HEIGHT = 760, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 150, 40, 44
# The colours of Okabe and Ito, which everybody can tell apart.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_STYLE = """
    .page { fill: #ffffff } text { fill: #24292f; font: 12px sans-serif } .title { font-weight: bold }
    .axis { stroke: #57606a } .grid { stroke: #d8dee4 } .line { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117 } text { fill: #e6edf3 } .axis { stroke: #8b949e } .grid { stroke: #30363d }
    }
"""

Point = tuple[float, float]
"""Seconds, and a value that is not negative."""


@dataclass(frozen=True)
class Scale:
    """A vertical axis: the values that are named on it, from 0 to the greatest, and where a value lies.

    `place`: grows with its argument, and is 0 for 0.
    """

    named: Sequence[float]
    place: Callable[[float], float]


@dataclass(frozen=True)
class Panel:
    """One picture: what it shows, in which unit, and its lines by their names."""

    title: str
    unit: str
    lines: Mapping[str, Sequence[Point]]
    make_scale: Callable[[float], Scale]


def logarithmic(most: float) -> Scale:
    """Powers of ten, for little beside much: the logarithm of one more, so that 0 is at the bottom."""
    powers = math.ceil(math.log10(max(most, 10)))
    return Scale([0, *(10**power for power in range(powers + 1))], math.log1p)


def linear(most: float) -> Scale:
    """Round steps, of which there are some six."""
    step = choose_step(max(most, 1e-9))
    return Scale([step * number for number in range(math.ceil(most / step) + 1)], float)


def choose_step(end: float) -> float:
    """Return a round step of which there are some six as far as that."""
    power = 10.0 ** math.floor(math.log10(end / 6))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= end / 6)


def draw(title: str, panels: Sequence[Panel], end_s: float) -> str:
    """Draw panels whose time goes to `end_s`; `title` is what is read aloud of the picture."""
    height = _PANEL_HEIGHT * len(panels)
    picture = Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height}",
        width=str(_WIDTH),
        role="img",
    )
    SubElement(picture, "title").text = title
    SubElement(picture, "style").text = _STYLE
    SubElement(picture, "rect", {"class": "page", "width": str(_WIDTH), "height": str(height)})
    for number, panel in enumerate(panels):
        above = {} if number == 0 else {"transform": f"translate(0 {number * _PANEL_HEIGHT})"}
        _draw_panel(SubElement(picture, "g", above) if above else picture, panel, end_s)
    ET.indent(picture)
    return ET.tostring(picture, encoding="unicode") + "\n"


def _draw_panel(picture: Element, panel: Panel, end_s: float) -> None:
    values = (value for line in panel.lines.values() for _, value in line)
    scale = panel.make_scale(max(values, default=1))
    _write(picture, _LEFT, _TOP - 18, panel.title, {"class": "title"})
    _draw_axes(picture, end_s, scale, panel.unit)
    for place, (name, line) in enumerate(panel.lines.items()):
        points = ((_left_of(when_s, end_s), _height_of(value, scale)) for when_s, value in line)
        _draw_line(picture, name, points, place)


def _draw_axes(picture: Element, end_s: float, scale: Scale, unit: str) -> None:
    bottom = _PANEL_HEIGHT - _BOTTOM
    for value in scale.named:
        height = _height_of(value, scale)
        _stroke(picture, "grid" if value else "axis", _LEFT, height, _WIDTH - _RIGHT, height)
        _write(picture, _LEFT - 6, height + 4, _spell(value), {"text-anchor": "end"})
    _stroke(picture, "axis", _LEFT, _TOP, _LEFT, bottom)
    for when_s in _name_times(end_s):
        left = _left_of(when_s, end_s)
        _stroke(picture, "axis", left, bottom, left, bottom + 4)
        _write(picture, left, bottom + 18, f"{when_s:g}", {"text-anchor": "middle"})
    _write(picture, (_LEFT + _WIDTH - _RIGHT) / 2, _PANEL_HEIGHT - 8, "seconds", {"text-anchor": "middle"})
    middle = (_TOP + bottom) / 2
    turned = {"text-anchor": "middle", "transform": f"rotate(-90 12 {middle:.0f})"}
    _write(picture, 12, middle, unit, turned)


def _draw_line(picture: Element, name: str, points: Iterator[Point], place: int) -> None:
    colour = _COLOURS[place % len(_COLOURS)]
    spelt = " ".join(f"{left:.1f},{height:.1f}" for left, height in points)
    SubElement(picture, "polyline", {"class": "line", "stroke": colour, "points": spelt})
    height = _TOP + 8 + 20 * place
    _stroke(picture, "line", _WIDTH - _RIGHT + 14, height, _WIDTH - _RIGHT + 38, height, colour)
    _write(picture, _WIDTH - _RIGHT + 44, height + 4, name, {})


def _name_times(end_s: float) -> Iterator[float]:
    step = choose_step(end_s)
    return itertools.takewhile(
        lambda when_s: when_s <= end_s, (number * step for number in itertools.count())
    )


def _left_of(when_s: float, end_s: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * when_s / end_s


def _height_of(value: float, scale: Scale) -> float:
    inner = _PANEL_HEIGHT - _TOP - _BOTTOM
    return _PANEL_HEIGHT - _BOTTOM - inner * scale.place(value) / scale.place(scale.named[-1])


def _spell(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 or not value else f"{value:g}"


def _stroke(
    picture: Element, kind: str, left: float, top: float, right: float, bottom: float, colour: str = ""
) -> None:
    ends = {"x1": f"{left:.1f}", "y1": f"{top:.1f}", "x2": f"{right:.1f}", "y2": f"{bottom:.1f}"}
    SubElement(picture, "line", {"class": kind, **ends, **({"stroke": colour} if colour else {})})


def _write(picture: Element, left: float, top: float, text: str, more: dict[str, str]) -> None:
    SubElement(picture, "text", {"x": f"{left:.1f}", "y": f"{top:.1f}", **more}).text = text
