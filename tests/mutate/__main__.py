"""`make mutate`: changes one line of the code at a time, and sees that the test that has to notice does so.

Ends with 1 where a mutant survived, or could not be judged.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from tests.mutate.imap import IMAP_PROMISES, M25
from tests.mutate.mutant import Mutant, choose
from tests.mutate.promises import PROMISES
from tests.mutate.requirements import REQUIREMENTS
from tests.mutate.runner import Result, Verdict, find_red, try_all

MUTANTS = PROMISES + IMAP_PROMISES + REQUIREMENTS + M25


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; return the exit code."""
    options = _parse(arguments)
    mutants = choose(MUTANTS, options.only)
    if options.list:
        _list(mutants)
        return 0
    if not mutants:
        print("there is no such mutant; see --list", file=sys.stderr)
        return 1
    if red := find_red(mutants):
        print(f"a test is red without any mutant, so nothing can be said:\n{red}", file=sys.stderr)
        return 1
    results = []
    for result in try_all(mutants, options.jobs):
        results.append(result)
        if not options.json:
            _show(result)
    if options.json:
        print(json.dumps([_describe(result) for result in results], indent=1))
    failed = sum(result.verdict is not Verdict.KILLED for result in results)
    print(f"{len(results)} mutants, {len(results) - failed} killed", file=sys.stderr)
    return int(failed > 0)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("make mutate ARGS=...", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the mutants, and what has none")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="such as P4, M16 or mail/address.py"
    )
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once; %(default)s")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args(arguments)


def _list(mutants: Sequence[Mutant]) -> None:
    for mutant in mutants:
        print(f"{mutant.proves}  {mutant.file}: {mutant.why}")
        print(f"  - {mutant.line}\n  + {mutant.becomes}\n  {mutant.test}")


def _show(result: Result) -> None:
    mutant = result.mutant
    print(f"{result.verdict:9} {mutant.proves:4} {mutant.file}: {mutant.why}", flush=True)
    if result.verdict is not Verdict.KILLED:
        print(f"  - {mutant.line}\n  + {mutant.becomes}\n  {mutant.test}\n{result.output}")


def _describe(result: Result) -> dict[str, str]:
    mutant = result.mutant
    return {
        "proves": mutant.proves,
        "file": mutant.file,
        "line": mutant.line,
        "becomes": mutant.becomes,
        "test": mutant.test,
        "why": mutant.why,
        "verdict": result.verdict.value,
        "output": result.output,
    }


if __name__ == "__main__":
    sys.exit(main())
