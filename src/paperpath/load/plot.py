"""The picture of reports: rates, and how long the 250 took, over time. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from paperpath.load import chart
from paperpath.load.report import PERCENTS, Delivered, Report, describe_load
from paperpath.load.timeline import Timeline


def draw_reports(reports: Sequence[Report]) -> str:
    """Draw all below one another, with one time for all, as SVG."""
    panels, ends_s = [], []
    for report in reports:
        replies, delivered = report.replies, report.delivered
        rates = {"accepted": _list_rates(replies)}
        ends_s.append(max(len(replies.intervals), 1) * replies.interval_us / 1e6)
        if delivered is not None:
            rates["delivered"] = _list_delivered(delivered)
            ends_s += [when_s for when_s, _ in delivered.samples]
        lengths = {f"p{percent:g}": _list_percentile(replies, percent) for percent in PERCENTS}
        title = f"{report.title}, durability: {report.durability}"
        panels += [
            chart.Panel(title, "messages/s", rates, chart.linear),
            chart.Panel("from the final dot to the 250", "milliseconds", lengths, chart.logarithmic),
        ]
    told = "; ".join(f"{report.title}: {describe_load(report.load)}" for report in reports)
    return chart.draw(told, panels, max(ends_s))


def _list_rates(line: Timeline) -> list[chart.Point]:
    """Return the rate in the middle of each interval; the last is cut short, and left out if it can be."""
    interval_s = line.interval_us / 1e6
    whole = line.intervals[:-1] or line.intervals
    return [((place + 0.5) * interval_s, one.count / interval_s) for place, one in enumerate(whole)]


def _list_percentile(line: Timeline, percent: float) -> list[chart.Point]:
    interval_s = line.interval_us / 1e6
    return [
        ((place + 0.5) * interval_s, one.lengths.percentile(percent) / 1e3)
        for place, one in enumerate(line.intervals)
        if one.count
    ]


def _list_delivered(delivered: Delivered) -> list[chart.Point]:
    return [
        ((before_s + after_s) / 2, max(after - before, 0) / (after_s - before_s))
        for (before_s, before), (after_s, after) in pairwise(delivered.samples)
        if after_s > before_s
    ]
