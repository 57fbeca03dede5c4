"""What is told of a measurement: lines, JSON and the picture."""

import json
import os
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from paperpath.load.chart import choose_step, linear, logarithmic
from paperpath.load.histogram import Histogram
from paperpath.load.plan import Load, Share
from paperpath.load.plot import draw_reports
from paperpath.load.processes import cpu_us, families, resident_octets
from paperpath.load.report import Delivered, Program, Report, describe_load
from paperpath.load.tally import Tally
from paperpath.load.timeline import Timeline

LOAD = Load("a@b.example", ("me@here.example",), messages=1000)
SVG = "{http://www.w3.org/2000/svg}"


def make_report(**fields: object) -> Report:
    tally = Tally(Timeline(0))
    for number in range(1000):
        tally.accept(number * 1000, number * 10, 1, 4096)
    lengths = Histogram()
    lengths.add(2_000_000)
    delivered = Delivered("sink", 1000, 2.0, 1000, lengths, [(0.5, 0), (1.0, 400), (2.0, 1000)])
    programs = [Program("smtprd", 2, 400_000, 64 * 2**20)]
    report = Report("127.0.0.1:25", "flush", LOAD, tally, 1.0, 1000, 0, delivered, programs)
    return replace(report, **fields)  # type: ignore[arg-type]


def test_the_durability_stands_in_every_line() -> None:
    title, *lines = make_report(durability="none at all").lines()
    assert title.startswith("127.0.0.1:25: 20 connections kept, 4096 octets, 1 recipient, SMTP, pipelining")
    assert lines
    assert all(line.startswith("  [none at all]  ") for line in lines)


def test_figures_are_those_of_what_happened() -> None:
    text = "\n".join(make_report().lines())
    assert "accepted/s       1000 (1000 of 1000 messages in 1.00 s)" in text
    assert "delivered/s      500 (1000 of 1000 in the sink in 2.00 s, 1000 different messages)" in text
    assert "CPU smtprd       400 µs a message; 2 processes, 64.0 MiB resident" in text
    described = json.loads(json.dumps(make_report().describe()))
    assert described["durability"] == "flush"
    assert described["dot_to_250_ms"]["p50"] == pytest.approx(4.99, rel=1 / 60)
    assert described["delivered"]["on_its_way_ms"]["most"] == 2000
    assert described["programs"][0]["cpu_us_per_message"] == 400


def test_it_is_complete_only_if_all_was_taken_and_arrived() -> None:
    whole = make_report()
    assert whole.is_complete
    assert replace(whole, delivered=None).is_complete
    assert not replace(whole, sent=1001).is_complete
    assert not replace(whole, is_interrupted=True).is_complete
    for copies, messages in ((999, 999), (1000, 999)):  # one was lost; in the other's place came a copy
        assert not replace(whole, delivered=Delivered("sink", copies, 1.0, messages)).is_complete
    assert not Report("x", "flush", LOAD, Tally(Timeline(0)), 0.0, 0, 0).is_complete


def test_what_went_wrong_is_told() -> None:
    report = make_report(sent=1003, is_interrupted=True)
    report.tally.refuse("452 4.3.1 no space")
    report.tally.refuse("452 4.3.1 no space")
    report.tally.fail("connection refused", with_message=True)
    text = "\n".join(report.lines())
    assert "went wrong       2 refused, 1 lost" in text
    assert "2 × 452 4.3.1 no space" in text
    assert "interrupted" in text


def test_nothing_at_all_is_a_report_too() -> None:
    report = Report("x", "flush", LOAD, Tally(Timeline(0)), 0.0, 0, 0, Delivered("Maildir", 0, 0.0))
    assert "accepted/s       0 (0 of 0 messages in 0.00 s)" in "\n".join(report.lines())
    assert report.describe()["accepted_per_s"] == 0
    ET.fromstring(draw_reports([report]))


def test_a_load_is_described_by_what_makes_a_difference() -> None:
    load = replace(
        LOAD,
        per_connection=1,
        rate=50.0,
        sizes=(Share(4096, 3), Share(10**6, 1)),
        pipelining=False,
        recipients=5,
    )
    assert describe_load(load) == (
        "20 connections with one message each, 75% of 4096 octets and 25% of 1000000 octets, 5 recipients,"
        " SMTP, no pipelining, 50 a second"
    )


def test_the_picture_has_rates_and_percentiles_of_each_report() -> None:
    picture = ET.fromstring(draw_reports([make_report(), make_report(title="second")]))
    texts = [each.text for each in picture.iter(f"{SVG}text")]
    assert texts.count("accepted") == texts.count("delivered") == texts.count("p99.9") == 2
    assert "second, durability: flush" in texts
    lines = [each.get("points", "").split() for each in picture.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [3, 2, 4, 4, 4] * 2


@pytest.mark.parametrize("most", [1e-9, 0.3, 1, 7, 999, 12345.6])
def test_axes_hold_all_they_show(most: float) -> None:
    for scale in (linear(most), logarithmic(most)):
        assert scale.named[0] == 0
        assert scale.named[-1] >= most * (1 - 1e-9)
        assert [scale.place(value) for value in scale.named] == sorted(map(scale.place, scale.named))
    assert 2 <= len(linear(most).named) <= 8
    assert most / 6 <= choose_step(most) <= most


def test_processes_are_seen_with_their_clocks() -> None:
    names = families([os.getpid()])
    assert os.getpid() in names
    before_us = cpu_us(os.getpid())
    sum(range(300_000))
    after_us = cpu_us(os.getpid())
    assert before_us is not None
    assert after_us is not None
    assert after_us > before_us
    assert resident_octets(os.getpid()) > 2**20
    gone = 2**22 + 1  # more than any pid of Linux
    assert (families([gone]), cpu_us(gone), resident_octets(gone)) == ({}, None, 0)
