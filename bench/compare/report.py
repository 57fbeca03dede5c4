"""The report: what was measured on what and how, for a reader on paper and for a program as JSON.

It gathers texts and values only; nothing is measured or started here.
"""

import dataclasses
import json
import shlex
from pathlib import Path

from bench import measure
from bench.machine import Flush, Machine
from bench.measure import Sample

MEANING = """\
Medians [least..greatest] of the rounds. accepted/s: until the source ended; delivered/s: until the last
message had arrived; CPU: the side's processes, until they rested; tools' CPU: that of the source and of the
sink, which take of the same processors, for each message; others' CPU: what neither the side nor these used,
in percent of the machine - where it is high, the figures tell little."""


@dataclasses.dataclass
class Report:
    """All that a run has to tell. `samples` grows while it runs; all else is known before."""

    ours: str
    machine: Machine
    remarks: list[str] = dataclasses.field(default_factory=list)
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    configurations: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    commands: list[list[str]] = dataclasses.field(default_factory=list)
    samples: list[Sample] = dataclasses.field(default_factory=list)
    flush_after: Flush | None = None

    def preface(self) -> str:
        """Machine, remarks, configurations and command lines."""
        parts = [heading("Machine"), self._machine(), *(f"Note: {remark}" for remark in self.remarks)]
        for side, files in self.configurations.items():
            for name, text in files.items():
                parts += ["", heading(f"{side}: {name}"), text.rstrip()]
        parts += ["", heading("Commands"), *(shlex.join(command) for command in self.commands)]
        return "\n".join(parts)

    def results(self) -> str:
        """The tables of results and ratios; medians of the rounds, [least..greatest]."""
        summaries = measure.summarize(self.samples)
        found = measure.ratios(summaries, self.ours)
        parts = [heading("Results"), MEANING, ""]
        parts += [measure.results_table(summaries), "", measure.programs_table(summaries)]
        if found:
            parts += ["", heading("Ratios of the medians"), measure.ratios_table(found)]
        if self.flush_after is not None:
            parts += ["", f"Flush after the run: {flush_line(self.flush_after)}"]
        return "\n".join(parts)

    def write_json(self, path: Path) -> None:
        """Everything, as one JSON object."""
        summaries = measure.summarize(self.samples)
        content = dataclasses.asdict(self)
        content["summaries"] = [dataclasses.asdict(summary) for summary in summaries]
        content["ratios"] = [dataclasses.asdict(ratio) for ratio in measure.ratios(summaries, self.ours)]
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def _machine(self) -> str:
        machine = self.machine
        lines = {
            "processor": f"{machine.cores} cores, {machine.processor}",
            "memory": f"{machine.memory_gib:.1f} GiB",
            "kernel": machine.kernel,
            "python": machine.python,
            "file system": machine.file_system,
            "flush": flush_line(machine.flush),
            "load before": f"{machine.load_average:.2f}",
            **self.versions,
        }
        width = max(len(name) for name in lines)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())


def heading(text: str) -> str:
    """A heading line."""
    return f"== {text} =="


def flush_line(flush: Flush) -> str:
    """One line on the time a flush takes."""
    times = f"median {flush.median_ms:.2f} ms, 95% within {flush.p95_ms:.2f} ms"
    return f"append 4 KiB + fdatasync: {times} ({flush.count} times)"
