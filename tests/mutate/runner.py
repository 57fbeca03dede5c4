"""Tries mutants: each in a copy of `src` of its own, against its one test; the work tree is never touched.

The copy stands before the installed package on PYTHONPATH, for the test and for the programs that it starts.
What a test leaves behind on its way (examples of Hypothesis, caches) goes with the copy.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutate.mutant import ROOT, SOURCE, GoneError, Mutant

_LONGEST_S = 180.0
_GREEN, _RED = 0, 1  # what pytest exits with; all else is no judgement of a test


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    GONE = "does not apply any more"
    NO_JUDGEMENT = "no judgement"  # the test could not be run here


@dataclass(frozen=True, slots=True)
class Result:
    """A mutant that was tried; `output` is what there is to read where it was not killed."""

    mutant: Mutant
    verdict: Verdict
    output: str = ""


def try_all(mutants: Sequence[Mutant], jobs: int) -> Iterator[Result]:
    """Try mutants, so many at once; give the results in the same order."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(try_one, mutants)


def try_one(mutant: Mutant) -> Result:
    """Try one mutant."""
    with tempfile.TemporaryDirectory(prefix="paperpath-mutant-") as name:
        source = copy_source(Path(name))
        try:
            mutant.apply(source)
        except GoneError as error:
            return Result(mutant, Verdict.GONE, str(error))
        code, output = run_tests([mutant.test], source)
    if code == _RED:
        return Result(mutant, Verdict.KILLED)
    has_judged = code == _GREEN and " passed" in output  # what is skipped has not
    return Result(mutant, Verdict.SURVIVED if has_judged else Verdict.NO_JUDGEMENT, output)


def find_red(mutants: Sequence[Mutant]) -> str:
    """Run all named tests against the code as it is; return what pytest says if one of them is red."""
    with tempfile.TemporaryDirectory(prefix="paperpath-mutant-") as name:
        code, output = run_tests(sorted({mutant.test for mutant in mutants}), copy_source(Path(name)))
    return "" if code == _GREEN else output


def copy_source(folder: Path) -> Path:
    """Copy `src` into a folder, compiled modules too: Python knows by its time which one was changed."""
    return Path(shutil.copytree(SOURCE, folder / "src"))


def run_tests(tests: Sequence[str], source: Path) -> tuple[int, str]:
    """Run tests against a tree like `src`; return what pytest exits with and says."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(source),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(source.parent / "hypothesis"),
    }
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly"]
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=ROOT,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        return -1, f"not done after {_LONGEST_S:g} s"
    return done.returncode, done.stdout.decode("utf-8", "replace")
