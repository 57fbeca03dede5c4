"""`make crash`: lists, counts and tries the crash points; `--storm` and `--storm-remote` kill programs at
random instead.

Ends with 1 and the point to repeat where a promise is broken.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from tests.crash.choosing import choose_part, choose_sample, list_cases, list_distinct
from tests.crash.points import How
from tests.crash.programs import warm_up
from tests.crash.recording import all_points, observe, record
from tests.crash.remote_storm import RemoteStorm, remote_storm
from tests.crash.runner import Case, Result, Scene, try_call, try_case
from tests.crash.scenarios import SCENARIOS
from tests.crash.storm import Storm, storm
from tests.crash.syscalls import can_fail

_USUAL = (How.BEFORE, How.POWER, How.REORDERED)  # after a call is before the next one, but for the very last
_OF_THE_KERNEL = (How.EIO, How.ENOSPC, How.EINTR)
# Where each program does all that it does with files.
_OBSERVED = (
    "everyday",
    "submitted",
    "visited",
    "batched",
    "dropped",
    "written",
    "unreachable",
    "operated",
    "read",
    "rebuilt",
)
Attempt = Callable[[Case, Path], Result]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; return the exit code."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="paperpath-crash-") as name:
        if options.storm:
            return _report_storm(storm(Path(name), options.messages, options.seconds, options.seed))
        if options.storm_remote:
            return _report_storm(remote_storm(Path(name), options.messages, options.seconds, options.seed))
        warm_up()
        names = options.scenario or (_OBSERVED if options.kernel else tuple(SCENARIOS))
        with multiprocessing.get_context("fork").Pool(options.jobs, _begin_worker, (Path(name),)) as pool:
            scenes = record(Path(name), pool, names)
            return _crash(options, pool.map(observe, scenes, 1) if options.kernel else scenes, pool)


def _crash(options: argparse.Namespace, scenes: Sequence[Scene], pool: Pool) -> int:
    """List, count or try what was recorded."""
    points = all_points(scenes)
    if options.count:
        telling = len(list_distinct(scenes, [How.BEFORE]))
        print(f"{len(points)} distinct points, {telling} of them unlike their neighbours")
        return 0
    if options.list:
        print("\n".join(_list_every(scenes) if options.every else map(str, sorted(points))))
        return 0
    cases = _choose(scenes, options)
    print(_describe_spread(cases, options.seed), file=sys.stderr)
    results = list(_try_all(cases, pool, try_call if options.kernel else try_case))
    if options.json:
        return _report_json(results)
    return _report(cases, results, len(points), "--kernel " if options.kernel else "")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("make crash ARGS=...", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the distinct points; or, with --every, all")
    parser.add_argument("--count", action="store_true", help="count them")
    parser.add_argument("--only", metavar="TEXT", help="points whose name contains it, or a whole case")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one; repeatable")
    parser.add_argument(
        "--how",
        action="append",
        type=How,
        help="before, after, power, reordered, EIO, ENOSPC; repeatable; the first, third and fourth",
    )
    parser.add_argument(
        "--every",
        action="store_true",
        help="each point in all scenes that have it, not one, and those like their neighbours too",
    )
    parser.add_argument(
        "--part", type=_parse_part, default=(1, 1), metavar="I/N", help="the I-th of N parts of the cases"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="so many cases, by its share of each transition"
    )
    parser.add_argument("--seed", type=int, default=1, help="for the sample and the storm; %(default)s")
    parser.add_argument(
        "--jobs", type=int, default=4, help="tries at once, each of which waits half of its time; %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--kernel",
        action="store_true",
        help="have system calls fail instead: EIO, ENOSPC, EINTR; needs strace, and root",
    )
    parser.add_argument("--storm", action="store_true", help="kill a random program every second, under load")
    parser.add_argument(
        "--storm-remote", action="store_true", help="likewise, into a sink that fails at random"
    )
    parser.add_argument("--messages", type=int, default=10_000, help="of the storm; %(default)s")
    parser.add_argument("--seconds", type=float, default=1.0, help="from kill to kill; %(default)s")
    return parser.parse_args(arguments)


def _parse_part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not 1 <= int(number) <= int(parts):
        raise ValueError(text)
    return int(number), int(parts)


def _list_every(scenes: Sequence[Scene]) -> Iterator[str]:
    """Give the points of each scenario."""
    return (f"{scene.scenario} / {point}" for scene in scenes for point in scene.points)


def _choose(scenes: Sequence[Scene], options: argparse.Namespace) -> list[Case]:
    """List the cases that are asked for."""
    ways = options.how or (_OF_THE_KERNEL if options.kernel else _USUAL)
    cases = list_cases(scenes, ways) if options.every else list_distinct(scenes, ways)
    if options.kernel:
        cases = [case for case in cases if can_fail(case.point, case.how)]
    if options.only:
        cases = [case for case in cases if options.only in str(case)]
    if options.sample:
        cases = choose_sample(cases, options.sample, options.seed)
    return choose_part(cases, *options.part)


def _describe_spread(cases: Sequence[Case], seed: int) -> str:
    """Say how many cases there are of each scenario, and how they were chosen."""
    counts = Counter(case.scene.scenario for case in cases)
    spread = ", ".join(f"{scenario} {count}" for scenario, count in counts.most_common())
    return f"{len(cases)} cases, seed {seed}: {spread}"


def _try_all(cases: Sequence[Case], pool: Pool, attempt: Attempt) -> Iterator[Result]:
    """Try cases in processes of a pool."""
    for number, result in enumerate(pool.imap_unordered(partial(_try_in_worker, attempt), cases), 1):
        _show_progress(number, len(cases), result)
        yield result


def _begin_worker(folder: Path) -> None:
    global _worker_folder
    _worker_folder = folder / f"worker-{multiprocessing.current_process().name}"


_worker_folder = Path()


def _try_in_worker(attempt: Attempt, case: Case) -> Result:
    return attempt(case, _worker_folder)


def _show_progress(number: int, count: int, result: Result) -> None:
    if result.wrong:
        print(f"\n{result.case}\n  " + "\n  ".join(result.wrong), file=sys.stderr)
    if sys.stderr.isatty():
        print(f"\r{number} of {count}", end="", file=sys.stderr)


def _report_json(results: Sequence[Result]) -> int:
    print(
        json.dumps(
            [
                {"case": r.case, "met": r.met, "wrong": r.wrong, "took_s": round(r.took_s, 3), "log": r.log}
                for r in results
            ]
        )
    )
    return int(any(result.wrong for result in results))


def _report(cases: Sequence[Case], results: Sequence[Result], points: int, option: str) -> int:
    """Print a table by transition and call, then what is wrong, and by which option it is tried again."""
    table = Counter((case.point.transition, case.point.call) for case in cases)
    for (transition, call), tries in sorted(table.items()):
        print(f"{tries:6}  {transition:55} {call}")
    missed = [result for result in results if not result.met]
    broken = [result for result in results if result.wrong]
    for result in broken:
        print(f"\nBROKEN at {result.case}\n  " + "\n  ".join(result.wrong))
        print(f"  again: make crash ARGS=\"{option}--every --only '{result.case}'\"")
    for result in missed:
        print(f"not come by: {result.case}")
    print(
        f"\n{len(cases)} cases of {points} distinct points, {len(broken)} broken, {len(missed)} not come by"
    )
    return int(bool(broken))


def _report_storm(result: Storm | RemoteStorm) -> int:
    print(result)
    return int(bool(result.wrong))


if __name__ == "__main__":
    sys.exit(main())
