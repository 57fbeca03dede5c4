"""The file of results: what was measured so far, so that a comparison that was broken off can be continued.

It is replaced as a whole after each measurement; whatever ends the run, it is there, with all before it.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from bench.compare.samples import Sample, Task, as_plain, from_plain
from bench.failure import BenchError

_FORM = 1


class Results:
    """The samples in a file, and what is known of the runs that made them."""

    def __init__(self, file: Path) -> None:
        """Take up the file, if it is there. Raises: BenchError, if it is something else."""
        self._file = file
        self.samples: list[Sample] = []
        self.runs: list[str] = []
        if file.exists():
            self._read()

    def begin(self, run: str) -> None:
        """Note that a run begins: its command, its machine, its versions, for a reader."""
        self.runs.append(run)
        self._write()

    def add(self, sample: Sample) -> None:
        """Keep a sample."""
        self.samples.append(sample)
        self._write()

    def done(self) -> set[Task]:
        """What was measured."""
        return {sample.task for sample in self.samples}

    def of(self, tasks: Iterable[Task]) -> list[Sample]:
        """The samples of these tasks that there are, in the tasks' order."""
        by_task = {sample.task: sample for sample in self.samples}
        return [by_task[task] for task in tasks if task in by_task]

    def _read(self) -> None:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            if content["form"] != _FORM:
                raise KeyError("form")
            self.runs = list(content["runs"])
            self.samples = [from_plain(plain) for plain in content["samples"]]
        except (ValueError, KeyError, TypeError) as error:
            raise BenchError(
                f"{self._file} has no results that this version made; --anew begins again."
            ) from error

    def _write(self) -> None:
        content = {"form": _FORM, "runs": self.runs, "samples": [as_plain(each) for each in self.samples]}
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        new.replace(self._file)
