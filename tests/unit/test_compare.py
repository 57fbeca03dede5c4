"""The comparison with Postfix, as far as it is pure: what is left to do, ratios, spread, tables, results."""

import json
import re

import pytest
from bench.compare import samples
from bench.compare.catalogue import scenarios
from bench.compare.choosing import NAMES
from bench.compare.figures import ratios, summarize
from bench.compare.filling import queue_id
from bench.compare.plan import plan, rotated
from bench.compare.report import Report, difference
from bench.compare.results import Results
from bench.compare.samples import ACCEPTED, SERVES_S, Measured, Metric, Sample, Task, Usage
from bench.compare.scenario import Bar, Scenario
from bench.compare.tables import details, durability, headline, programs
from bench.failure import BenchError
from bench.source import Load, command
from hypothesis import given
from hypothesis import strategies as st

OURS, OTHER, LOOP = "ours", "other", "loop"
KEPT, SINGLE = Load(100, 4096, 20, kept=True), Load(100, 4096, 20, kept=False)
rates = st.floats(min_value=0.1, max_value=1e6)


def never(stage, name):
    raise AssertionError("nothing is measured here")


def scenario(metric: Metric = ACCEPTED, bars: tuple[Bar, ...] = ()) -> Scenario:
    return Scenario("race", "a race", "told", "stage", (metric,), (KEPT, SINGLE), never, (LOOP,), bars=bars)


def sample(
    entrant: str, rate: float, number: int = 1, metric: Metric = ACCEPTED, kind: str = "flush"
) -> Sample:
    task = Task("race", KEPT.label, KEPT.work, entrant, number)
    return Sample(task, Measured(kind, {metric.name: rate}, Usage({"smtprd": 0.25, "idle": 0.0}, 0.1, 3.0)))


def cells(table: str, row: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[row].strip("|").split("|")]


class TestPlan:
    def test_each_round_begins_with_another_entrant_and_all_take_their_turn(self):
        found = [task for task, _ in plan([("race", [KEPT], [OURS, OTHER, LOOP], 4)])]
        by_round = [[task.entrant for task in found if task.round == number] for number in (1, 2, 3, 4)]
        assert by_round[0] == by_round[3] == [OURS, OTHER, LOOP]
        assert [each[0] for each in by_round] == [OURS, OTHER, LOOP, OURS]
        assert all(sorted(each) == sorted([OURS, OTHER, LOOP]) for each in by_round)

    def test_a_scenario_with_fewer_rounds_stands_out_of_the_later_ones(self):
        work = [("a", [KEPT], [OURS], 1), ("b", [KEPT], [OURS], 2)]
        assert [(task.scenario, task.round) for task, _ in plan(work)] == [("a", 1), ("b", 1), ("b", 2)]

    @given(st.sets(st.integers(0, 11)))
    def test_what_was_measured_is_left_out_and_the_rest_stays_in_order(self, indices):
        work = [("race", [KEPT, SINGLE], [OURS, OTHER], 3)]
        all_tasks = [task for task, _ in plan(work)]
        done = {all_tasks[index] for index in indices}
        assert [task for task, _ in plan(work, done)] == [task for task in all_tasks if task not in done]

    def test_a_load_of_another_size_is_measured_again(self):
        small = Load(5, 4096, 20, kept=True)
        (done,) = [task for task, _ in plan([("race", [small], [OURS], 1)])]
        assert [load for _, load in plan([("race", [KEPT], [OURS], 1)], {done})] == [KEPT]

    def test_nothing_is_rotated_into_nothing(self):
        assert rotated([], 3) == []
        assert list(plan([])) == []


class TestRatios:
    def test_they_are_taken_in_each_round_so_a_slow_round_changes_none(self):
        found = [sample(OURS, 300, 1), sample(OTHER, 100, 1), sample(OURS, 30, 2), sample(OTHER, 10, 2)]
        ratio = ratios(found, ACCEPTED, OURS, OTHER)
        assert ratio is not None
        assert (ratio.median, ratio.least, ratio.greatest) == (3, 3, 3)

    def test_of_times_the_shorter_is_the_better(self):
        found = [sample(OURS, 2, metric=SERVES_S), sample(OTHER, 6, metric=SERVES_S)]
        ratio = ratios(found, SERVES_S, OURS, OTHER)
        assert ratio is not None
        assert ratio.median == 3

    def test_a_round_that_only_one_has_counts_for_nothing(self):
        found = [sample(OURS, 300, 1), sample(OTHER, 100, 1), sample(OURS, 9999, 2)]
        ratio = ratios(found, ACCEPTED, OURS, OTHER)
        assert ratio is not None
        assert ratio.greatest == 3
        assert ratios(found[2:], ACCEPTED, OURS, OTHER) is None
        assert ratios(found, SERVES_S, OURS, OTHER) is None

    @given(st.lists(st.tuples(rates, rates), min_size=1, max_size=9))
    def test_the_median_lies_within_the_spread_and_the_other_way_round_is_its_inverse(self, pairs):
        found = [
            each
            for number, (mine, its) in enumerate(pairs, start=1)
            for each in (sample(OURS, mine, number), sample(OTHER, its, number))
        ]
        there, back = ratios(found, ACCEPTED, OURS, OTHER), ratios(found, ACCEPTED, OTHER, OURS)
        assert there is not None
        assert back is not None
        assert there.least <= there.median <= there.greatest
        assert there.least == pytest.approx(1 / back.greatest)
        assert there.greatest == pytest.approx(1 / back.least)

    def test_a_row_sums_what_all_programs_used(self):
        (row,) = summarize([sample(OURS, 10, 1), sample(OURS, 20, 2), sample(OURS, 60, 3)])
        assert row.rounds == 3
        assert (row.figures["accepted/s"].median, row.figures["accepted/s"].greatest) == (20, 60)
        assert row.cpu_ms.median == 0.25


class TestTables:
    def test_the_first_one_has_medians_spreads_ratios_and_durability(self):
        found = [sample(OURS, 300, 1), sample(OTHER, 100, 1), sample(OURS, 400, 2), sample(OTHER, 100, 2)]
        table = headline([scenario()], found, OURS, [OURS, OTHER])
        assert len(table.splitlines()) == 3  # the load that was not measured has no line
        assert cells(table, 0)[:7] == ["scenario", "load", "durability", "measured", OURS, OTHER, "ours : it"]
        assert cells(table, 2)[2:7] == [
            "flush",
            "accepted/s",
            "350 [300..400]",
            "100 [100..100]",
            "**3.50** [3.00..4.00]",
        ]

    def test_a_yardstick_stands_beside_with_its_own_durability(self):
        found = [sample(OURS, 300), sample(LOOP, 600, kind="none")]
        table = headline([scenario()], found, OURS, [OURS, OTHER])
        assert cells(table, 2)[-3:-1] == ["600 [600..600] (loop, durability none)", "**0.50** [0.50..0.50]"]

    @pytest.mark.parametrize(
        ("bar", "told"),
        [
            (Bar(3.0, OTHER), "≥ 3 × other: reached"),
            (Bar(3.1, OTHER), "≥ 3.1 × other: **missed**"),
            (Bar(3.0, OTHER, kept=True), "≥ 3 × other: reached"),
            (Bar(3.0, OTHER, kept=False), "–"),
            (Bar(3.0, LOOP), "–"),
            (Bar(301, metric=ACCEPTED), "accepted/s < 301: 300.00, reached"),
            (Bar(300, metric=ACCEPTED), "accepted/s < 300: 300.00, **missed**"),
        ],
    )
    def test_bars_are_judged_by_the_median(self, bar, told):
        found = [sample(OURS, 300), sample(OTHER, 100)]
        assert cells(headline([scenario(bars=(bar,))], found, OURS, [OURS, OTHER]), 2)[-1] == told

    def test_sides_of_different_durability_are_told_apart(self):
        rows = summarize([sample(OURS, 1, kind="commit"), sample(OTHER, 1), sample(LOOP, 1, kind="none")])
        assert durability(rows, [OURS, OTHER]) == "ours: commit, other: flush"
        assert durability(rows[1:], [OURS, OTHER]) == "flush"

    def test_the_others_have_all_figures_and_the_programs(self):
        found = [sample(OURS, 300), sample(OTHER, 100)]
        told = [OURS, "flush", "300 [300..300]", "0.25 [0.25..0.25]"]
        assert cells(details(scenario(), found), 2)[1:5] == told
        assert cells(programs(found), 2)[2:] == [OURS, "smtprd 0.250"]


class TestResults:
    def test_what_was_kept_is_there_for_the_next_run(self, tmp_path):
        first = Results(tmp_path / "results.json")
        first.begin("made here")
        first.add(sample(OURS, 300))
        again = Results(tmp_path / "results.json")
        assert again.samples == [sample(OURS, 300)]
        assert again.done() == {sample(OURS, 300).task}
        assert again.runs == ["made here"]

    def test_of_a_task_measured_twice_the_last_counts(self, tmp_path):
        results = Results(tmp_path / "results.json")
        results.add(sample(OURS, 1))
        results.add(sample(OURS, 2))
        assert results.of([sample(OURS, 0).task, sample(OTHER, 0).task]) == [sample(OURS, 2)]

    @pytest.mark.parametrize(
        "text",
        ["", "{}", "[]", '{"form": 0, "runs": [], "samples": []}', '{"form": 1, "runs": [], "samples": [3]}'],
    )
    def test_another_file_is_not_overwritten(self, tmp_path, text):
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(BenchError, match="--anew"):
            Results(tmp_path / "results.json")
        assert (tmp_path / "results.json").read_text() == text

    @given(st.dictionaries(st.sampled_from(["p50 ms", "p99 ms"]), rates), st.integers(1, 9))
    def test_a_sample_comes_back_from_json_as_it_was(self, figures, number):
        task = Task("race", KEPT.label, KEPT.work, OURS, number)
        before = Sample(task, Measured("flush", figures, Usage({"smtpd": 0.5}, 0.25, 1.0)))
        assert samples.from_plain(json.loads(json.dumps(samples.as_plain(before)))) == before


class TestReport:
    def test_a_configuration_is_printed_whole_once_and_then_what_differs(self, tmp_path):
        report = Report(tmp_path)
        first = report.configuration("one", OTHER, {"main.cf": "# why\na = 1\n\nb = 2\n"})
        assert first.splitlines()[1:3] == ["a = 1", "b = 2"]
        assert report.configuration("one", OTHER, {"main.cf": "a = 1\nb = 2\nport = 9\n"}) == ""
        second = report.configuration("two", OTHER, {"main.cf": "a = 1\nc = 3\n"})
        assert second.splitlines()[1:3] == ["+ c = 3", "- b = 2"]
        assert (tmp_path / "configurations" / "two" / OTHER / "main.cf").read_text() == "a = 1\nc = 3\n"

    def test_a_command_is_printed_once_and_kept(self, tmp_path):
        report = Report(tmp_path)
        assert report.commands("race", OURS, [["send", "a b"]]) == "race, ours: send 'a b'"
        assert report.commands("race", OURS, [["send", "a b"]]) == ""
        assert (tmp_path / "commands.txt").read_text() == "race, ours: send 'a b'\n"

    def test_equal_configurations_say_so(self):
        assert difference(["a"], ["a"]) == ["(the same)"]


def test_every_scenario_has_its_own_name_and_loads_that_can_be_told_apart():
    for quick in (True, False):
        known = scenarios(quick)
        assert len({each.name for each in known}) == len(known)
        for each in known:
            assert len({load.label for load in each.loads}) == len(each.loads)
            entrants = each.entrants(NAMES)
            assert all(bar.metric in each.metrics or bar.other in entrants for bar in each.bars)


def test_small_ones_are_never_taken_for_full_ones():
    tasks = [
        {task for task, _ in plan([(each.name, each.loads, [OURS], 1) for each in scenarios(quick)])}
        for quick in (True, False)
    ]
    assert not tasks[0] & tasks[1]


def test_many_recipients_are_asked_of_the_source():
    assert "-r" not in command("smtp-source", KEPT, "me@bench.test", 25)
    line = command("smtp-source", Load(1, 10, 1, kept=True, recipients=50), "me@bench.test", 25)
    assert line[line.index("-r") + 1] == "50"


@given(st.integers(0, 10**6 - 1), st.integers(1, 2**40))
def test_a_queue_file_is_named_as_postfix_names_it(number, inode):
    name = queue_id(number, inode)
    assert re.fullmatch(r"[0-9A-F]{5}[0-9A-F]+", name)
    assert int(name[:5], 16) < 10**6
    assert int(name[5:], 16) == inode
