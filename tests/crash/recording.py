"""Plays each scenario without faults; keeps the points it passes and the installation before each step."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from tests.crash.ledger import Answer, Ledger
from tests.crash.points import Plan, Point
from tests.crash.programs import COMMAND
from tests.crash.runner import Scene, come_to_rest, play
from tests.crash.scenarios import SCENARIOS
from tests.crash.site import Site, copy_site
from tests.crash.steps import ACCOUNTS, DELIVERY, Scenario, Step
from tests.crash.syscalls import find_points, look_at_all, read_calls
from tests.support.installation import Installation


def record(folder: Path, pool: Pool, names: Sequence[str] = tuple(SCENARIOS)) -> list[Scene]:
    """Play scenarios in processes of a pool; return their scenes. Raises: AssertionError, if one fails."""
    model = folder / "model"
    installation = Installation(model, accounts=())
    installation.file.write_text(installation.file.read_text() + DELIVERY)
    pool.apply(_add_accounts, (model,))
    scenes = pool.imap(partial(_record_one, folder, model), names)
    return [scene for of_one in scenes for scene in of_one]


def observe(scene: Scene) -> Scene:
    """Play a scene once more; return it with the system calls on mail as its points."""
    with tempfile.TemporaryDirectory(prefix="paperpath-calls-") as name:
        folder = Path(name) / "site"
        copy_site(scene.folder, folder)
        step = SCENARIOS[scene.scenario].steps[scene.step]
        trace = look_at_all(folder / "trace")
        end = play(
            Site(folder), step, replace(step.plan, met_before=scene.met_before), scene.ledger.copy(), trace
        )
        assert end.code == 0, f"{scene.scenario}: {step.program} under strace ended with {end.code}"
        return replace(scene, points=find_points(step.program, read_calls(trace.output)))


def all_points(scenes: Sequence[Scene]) -> Counter[Point]:
    """Return the distinct points, with how many scenes have each."""
    return Counter(point for scene in scenes for point in scene.points)


def _add_accounts(folder: Path) -> None:
    """Do so by a program that is imported already, where nothing but this is going on."""
    site = Site(folder)
    for account in ACCOUNTS:
        code = play(site, Step(COMMAND, arguments=("account", "add", account)), Plan(), Ledger()).code
        assert code == 0, site.output()


def _record_one(folder: Path, model: Path, name: str) -> list[Scene]:
    own = folder / name
    own.mkdir()
    return list(_record(own, model, SCENARIOS[name]))


def _record(folder: Path, model: Path, scenario: Scenario) -> Iterator[Scene]:
    live = folder / "live"
    copy_site(model, live)
    site = Site(live)
    scenario.prepare(site)
    ledger = Ledger()
    counts: tuple[tuple[str, str, int], ...] = ()
    for number, step in enumerate(scenario.steps):
        if step.before is not None:
            step.before(site)
        for message in step.drop:
            site.drop(message.return_path, message.recipients, message.content())
            ledger.note(message, Answer.TAKEN)
        if step.batch:
            site.write_batch([(one.return_path, one.recipients, one.content()) for one in step.batch])
        for message in step.batch:
            ledger.note(message, Answer.TAKEN)
        before = folder / str(number)
        copy_site(live, before)
        noted = ledger.copy()
        plan = replace(step.plan, met_before=counts)
        end = play(site, step, plan, ledger)
        if step.plan.target is not None:
            assert end.killed, f"{scenario.name}: {step.program} did not come by {step.plan.target}"
            continue
        assert end.code == 0, f"{scenario.name}: {step.program} ended with {end.code}\n{site.output()}"
        refused = [message for message in step.send if ledger.sent[message.number][1] is not Answer.TAKEN]
        assert not refused, f"{scenario.name}: not taken: {refused}"
        assert ledger.mailbox.pending is None, f"{scenario.name}: not done: {ledger.mailbox.pending}"
        yield Scene(scenario.name, number, before, noted, counts, end.points)
        counts = end.counts
    wrong = come_to_rest(site, scenario, ledger)
    assert not wrong, f"{scenario.name}, without a fault: {wrong}\n{site.output()}"
