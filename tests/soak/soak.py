"""The course of a soak: an installation is made, loaded and disturbed, comes to rest, and is judged."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paperpath.config.endpoint import Endpoint
from paperpath.maildrop.queue_id import worker_of
from paperpath.maildrop.sqlite.locks import is_alive
from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.crash.deaths import CLIENT, Deaths
from tests.crash.ledger import Ledger, sort_out
from tests.crash.programs import OFFICE, warm_up
from tests.crash.remote_storm import FAILING, STALL_S, Copies, balance, lead_away
from tests.crash.runner import reach_rest
from tests.crash.site import Site
from tests.crash.steps import Scenario, Step
from tests.soak.disturbing import Disturber
from tests.soak.load import HOSTS, SESSIONS, Load, Way
from tests.soak.pests import Pests
from tests.soak.stories import find_gaps
from tests.soak.watching import (
    SERVED,
    Process,
    Watch,
    count_open,
    describe_excess,
    describe_growth,
    find_growths,
)
from tests.support.clock import Clock
from tests.support.installation import find_free_port, wait_until
from tests.support.submission import Submission

_PATIENCE_S = 300.0
_SAMPLES = 120
_WARM_UP = 0.1  # of all the time: so long after the last death nobody's memory is measured
_SIZE = 30_000_000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What a soak did, and what is wrong after it."""

    did: Mapping[str, Mapping[str, int]]
    grown: Mapping[Process, float]
    gaps: int
    gaps_allowed: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"{what}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
            for what, counts in self.did.items()
        ]
        grown = ", ".join(f"{name} {kib / 1024:+.1f}" for (name, _), kib in sorted(self.grown.items()))
        lines.append(f"growth of memory, MiB: {grown or 'too short to tell'}")
        lines.append(
            f"recipients the journal knows no end of: {self.gaps}; deaths excuse {self.gaps_allowed}"
        )
        return "\n".join([*lines, *(self.wrong or ["nothing is wrong"])])


def soak(folder: Path, seconds: float, seed: int) -> Report:
    """Load and disturb an installation for so long, wait until all has come to rest; judge it."""
    site = folder / "site"
    ports = [find_free_port() for _ in range(HOSTS)]
    installation = _install(site, ports)
    clock = Clock(folder / "clock")
    deaths = Deaths(installation, random.Random(seed), (*SERVED, CLIENT))
    course = _Course(installation, clock, deaths, seed)
    options = SinkOptions(
        listen=tuple(Endpoint("127.0.0.1", port) for port in ports),
        all_random=True,
        random=FAILING,
        seed=seed,
        stall_s=STALL_S,
    )
    with sink_in_thread(options) as sink:
        course.run(seconds)
        wait_until(lambda: not deaths.find_orphans(), "the relay clients to end")
    return course.judge(sink)


def _install(folder: Path, ports: list[int]) -> Submission:
    installation = Submission(folder, more_submission=f"size = {_SIZE}\nmost_connections_per_client = 1000")
    text = installation.file.read_text()
    installation.file.write_text(text.replace("size = 20000000", f"size = {_SIZE}"))
    lead_away(installation, ports)
    # At rest no connection is to be open; and a clock that jumps makes all mail late.
    text = installation.file.read_text().replace("[remote]\n", "[remote]\nidle_s = 1\n")
    installation.file.write_text(text.replace("[delivery]\n", "[delivery]\nwarn_after_s = 0\n"))
    return installation


class _Course:
    """One soak, and what is known of it so far."""

    def __init__(self, installation: Submission, clock: Clock, deaths: Deaths, seed: int) -> None:
        self._installation = installation
        self._clock = clock
        self._deaths = deaths
        self._seed = seed
        self._ledger = Ledger()
        self._did: dict[str, Mapping[str, int]] = {}
        self._grown: dict[Process, float] = {}
        self._wrong: list[str] = []
        self._kills: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Have the programs run, loaded and disturbed, then wait until nothing is open."""
        installation = self._installation
        with _moved_by(self._clock), installation.up() as supervisor:
            before = count_open(installation, supervisor.pid)
            began_s = time.monotonic()
            half_s, end_s = began_s + seconds / 2, began_s + seconds
            watch = Watch(installation, supervisor.pid, max(seconds / _SAMPLES, 0.5))
            pests = Pests(installation, self._seed)
            disturber = Disturber(
                installation, supervisor, self._clock, self._deaths, random.Random(f"{self._seed} disturber")
            )
            senders = Load(installation, self._ledger, end_s, self._seed).begin()
            disturber.disturb(half_s, end_s)
            for sender in senders:
                sender.join()
            pests.stop()
            watch.stop()
            complaint = disturber.settle()
            wait_until(lambda: not installation.books().open, "all mail to come to rest", _PATIENCE_S)
            self._wrong += [complaint] if complaint else []
            self._wrong += _look_at_descriptors(installation, supervisor.pid, before)
            self._wrong += _look_at_content(installation.folder / "data" / "maildrop")
            self._wrong += _find_errors(installation.output())
        self._grown = find_growths(watch.samples, half_s + seconds * _WARM_UP, end_s)
        self._kills = disturber.killed
        self._did |= {"bad clients": pests.came, "disturbances": disturber.done, "killed": disturber.killed}

    def judge(self, sink: Sink) -> Report:
        """Say what was done, and what is wrong."""
        warm_up()
        site = Site(self._installation.folder)
        wrong = [*self._wrong, *reach_rest(site, Scenario("soak", [Step(OFFICE)]), self._ledger)]
        copies = Copies(sink)
        found = sort_out(site.stored(), self._ledger)
        wrong += balance(self._ledger, site, found, copies)
        if copies.doubled > self._deaths.in_flight:
            wrong.append(f"P4: {copies.doubled} copies by {self._deaths.in_flight} that were on their way")
        wrong += describe_growth(self._grown)
        gaps = list(find_gaps(self._installation.folder / "data" / "journal", self._ledger))
        # Who dies between a commit and the writing of the journal tells nobody of what he committed.
        allowed = self._deaths.claimed + SESSIONS * len(Way) * self._kills.total()
        if len(gaps) > allowed:
            wrong += [f"P9: the journal says nothing: {gap}" for gap in gaps[:_SHOWN]]
        return Report(
            self._count_mail() | self._did | {"the sink failed": {"times": sum(sink.books.deeds.values())}},
            self._grown,
            len(gaps),
            allowed,
            tuple(wrong),
        )

    def _count_mail(self) -> dict[str, Mapping[str, int]]:
        sent = list(self._ledger.sent.values())
        answers = Counter(answer.value for _, answer in sent)
        ways = Counter(f"by {Way(message.number // 1_000_000).name.lower()}" for message, _ in sent)
        sizes = {
            "MiB in all": sum(message.octets for message, _ in sent) // 2**20,
            "KiB the largest": max((message.octets for message, _ in sent), default=0) // 2**10,
            "recipients": sum(len(message.recipients) for message, _ in sent),
        }
        return {"messages": answers | ways, "their size": sizes}


@contextmanager
def _moved_by(clock: Clock) -> Iterator[None]:
    """Have every Python process that is started in the block go by a clock."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(clock.folder), before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _look_at_descriptors(installation: Submission, supervisor: int, before: Mapping[str, int]) -> list[str]:
    """Wait until no more is open than before, in vain if need be; return what is then."""

    def excess() -> list[str]:
        return describe_excess(before, count_open(installation, supervisor))

    try:
        wait_until(lambda: not excess(), "descriptors to be closed")
    except AssertionError:
        return excess()
    return []


def _look_at_content(maildrop: Path) -> list[str]:
    """Wait until nobody who lives has left a file of content, in vain if need be; return which there are.

    Nothing is open any more. What the dead have left is for the sweeper, and looked for at the very end.
    """

    def left() -> list[str]:
        files = (maildrop / "content").glob("*/*")
        return [file.name for file in files if is_alive(maildrop / "workers", worker_of(file.stem))]

    try:
        wait_until(lambda: not left(), "content to be removed")
    except AssertionError:
        return [f"D14: content without a message is left: {name}" for name in left()[:_SHOWN]]
    return []


def _find_errors(output: str) -> list[str]:
    """Return the first lines of any traceback."""
    if "Traceback" not in output:
        return []
    _, _, rest = output.partition("Traceback")
    return [f"L: a program printed a traceback: {rest[:2000]}"]
