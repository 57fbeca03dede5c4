"""The report of a comparison: a folder with everything, and what of it is printed.

    report.md                 the tables, and the commands and machines that made them
    results.json              every measurement, to be continued
    configurations/STAGE/SIDE/FILE
    commands.txt              each command line that put a load on somebody

On the standard output a configuration is short: without comments, and of a stage after the first only where
it differs from what was printed before of that side.
"""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.compare.samples import Sample
from bench.compare.scenario import Scenario
from bench.compare.tables import MEANING, details, headline, programs
from bench.machine import Flush, Machine


class Report:
    """The folder of a report, and what was printed so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: set[tuple[str, str, str]] = set()
        self._first: dict[tuple[str, str], list[str]] = {}
        self._commands: list[str] = []

    def configuration(self, stage: str, side: str, files: dict[str, str]) -> str:
        """Keep the files of a side; what to print of them, which is nothing the second time on a stage."""
        place = self._folder / "configurations" / stage / side
        place.mkdir(parents=True, exist_ok=True)
        parts = []
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
            if (stage, side, name) not in self._told:
                self._told.add((stage, side, name))
                parts += [
                    f"{side}, {name}, stage {stage}:",
                    *self._shorten(side, name, settings_of(text)),
                    "",
                ]
        return "\n".join(parts)

    def _shorten(self, side: str, name: str, lines: list[str]) -> list[str]:
        """The lines, or where some were printed of that file of the side before, the difference."""
        before = self._first.setdefault((side, name), lines)
        return lines if before is lines else difference(before, lines)

    def commands(self, scenario: str, entrant: str, lines: Iterable[Sequence[str]]) -> str:
        """Keep command lines; what to print of them, which is nothing where they were printed before."""
        told = [f"{scenario}, {entrant}: {shlex.join(line)}" for line in lines]
        new = [line for line in told if line not in self._commands]
        self._commands += new
        if new:
            with (self._folder / "commands.txt").open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in new)
        return "\n".join(new)

    def results(
        self,
        scenarios: Sequence[Scenario],
        samples: Sequence[Sample],
        ours: str,
        sides: Sequence[str],
        runs: Sequence[str],
    ) -> str:
        """The tables; also written down, below what is told of the runs that made them."""
        measured = {sample.task.scenario for sample in samples}
        parts = [headline(scenarios, samples, ours, sides), "", MEANING]
        for scenario in scenarios:
            if scenario.name in measured:
                parts += ["", f"## {scenario.name}: {scenario.title}", "", f"{scenario.explains}.", ""]
                parts.append(details(scenario, samples))
        parts += ["", "## Where the CPU went", "", programs(samples)]
        text = "\n".join(parts)
        (self._folder / "report.md").write_text(
            "\n\n".join(["# Paperpath beside Postfix", *runs, text, ""]), encoding="utf-8"
        )
        return text


def settings_of(text: str) -> list[str]:
    """The lines of a configuration file that set something."""
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def difference(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """What one configuration has more than another, and what it lacks."""
    more = [f"+ {line}" for line in now if line not in before]
    less = [f"- {line}" for line in before if line not in now]
    return [*more, *less] or ["(the same)"]


def machine_lines(machine: Machine, versions: dict[str, str]) -> dict[str, str]:
    """What the figures were measured on, for people."""
    return {
        "processor": f"{machine.cores} cores, {machine.processor}",
        "memory": f"{machine.memory_gib:.1f} GiB",
        "kernel": machine.kernel,
        "python": machine.python,
        "file system": machine.file_system,
        "flush": flush_line(machine.flush),
        "load before": f"{machine.load_average:.2f}",
        **versions,
    }


def flush_line(flush: Flush) -> str:
    """One line on the time a flush takes."""
    times = f"median {flush.median_ms:.2f} ms, 95% within {flush.p95_ms:.2f} ms"
    return f"append 4 KiB + fdatasync: {times} ({flush.count} times)"
