"""Plays steps of scenarios, and tries crash points, each on a copy of the installation as it was before.

After the crash, or the failed call, all programs run without faults until everything has come to rest, and an
operator does what is left to do; then the ledger is balanced. What is recorded for that is by recording.py.
"""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from paperpath.maildrop.errors import MaildropError
from tests.crash import mail_program
from tests.crash.ledger import Answer, Ledger, Message, balance
from tests.crash.points import END, How, Plan, Point
from tests.crash.programs import (
    HELPER,
    IMAP,
    INPUT,
    LOCAL,
    PEOPLES,
    RELAY,
    SENDMAIL,
    STDIO,
    End,
    Program,
    Run,
)
from tests.crash.scenarios import SCENARIOS
from tests.crash.site import Site, copy_site
from tests.crash.steps import Scenario, Step, queue
from tests.crash.syscalls import Trace, fail_one, read_calls
from tests.imap_soak import wire as imap_wire
from tests.support.installation import wait_until
from tests.support.wire import Wire, stuffed

_HOURS_S = 3600
_MOST_ROUNDS = 10
_NOTHING_MATCHED = 1  # what `paperpath queue` ends with then


@dataclass(frozen=True, slots=True)
class Scene:
    """One step of a scenario: the installation as it is before it, what was sent, and the points in it."""

    scenario: str
    step: int
    folder: Path
    ledger: Ledger
    met_before: tuple[tuple[str, str, int], ...]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One try: what happens, at which point of which scene."""

    scene: Scene
    point: Point
    how: How

    def __str__(self) -> str:
        return f"{self.scene.scenario} / {self.point} / {self.how.value}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a try. `met` is false where the program did not come by the point this time."""

    case: str
    met: bool
    wrong: tuple[str, ...]
    took_s: float
    log: str = ""


def play(site: Site, step: Step, plan: Plan, ledger: Ledger, trace: Trace | None = None) -> End:
    """Run one program until it has nothing left to do, or dies."""
    run = Run(plan, step.ahead_s, step.constants, step.arguments, trace=trace)
    if step.program in PEOPLES:
        run = replace(run, arguments=_hand_over(site, step))
        end = Program(step.program, site.file, run).wait()
        ledger.note(step.send[0], _judge(end))
        return end
    if step.beside:
        return _play_both(site, step, run)
    if step.program in STDIO:
        return _visit(site, step, run, ledger)
    if step.program == IMAP:
        return _let_read(site, step, run, ledger)
    program = Program(step.program, site.file, run)
    if step.program == RELAY or step.send:
        _send(program, site, step.send, ledger)
        program.end()
    return program.wait()


def _play_both(site: Site, step: Step, run: Run) -> End:
    """Run smtpld and smtplud until the former has nothing left to do; the plan is for the step's program."""
    runs = {step.program: run, step.beside: Run(ahead_s=step.ahead_s)}
    helper = Program(HELPER, site.file, runs[HELPER])
    wait_until(lambda: not helper.lives() or site.users.exists(), "smtplud to listen", 5)
    ends = {LOCAL: Program(LOCAL, site.file, runs[LOCAL]).wait()}
    helper.end()
    ends[HELPER] = helper.wait()
    if site.users.exists():
        site.users.unlink()  # as the next one would
    assert ends[step.beside].code == 0, f"{step.beside} ended with {ends[step.beside].code}"
    return ends[step.program]


def _visit(site: Site, step: Step, run: Run, ledger: Ledger) -> End:
    """Have a program serve the one client that it was started for."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Wire(listener.getsockname()[1]) as wire:
        connection, _ = listener.accept()
        with connection:
            program = Program(step.program, site.file, replace(run, connection=connection.fileno()))
        with suppress(OSError, GoneError):
            _converse(wire, step.send, ledger)
    return program.wait()


def _let_read(site: Site, step: Step, run: Run, ledger: Ledger) -> End:
    """Have a mail program work with imapd, as far as that comes: with this one, and none on its port."""
    site.take_free_port()  # the last one was free when the case began
    before = _count_listening(site)
    program = Program(step.program, site.file, run)
    wait_until(lambda: not program.lives() or _count_listening(site) > before, f"{program.name} to listen", 5)
    with suppress(OSError, imap_wire.GoneError):
        if _count_listening(site) > before:
            mail_program.work(site.port, step.works, ledger.mailbox)
    program.end()
    return program.wait()


def _count_listening(site: Site) -> int:
    return site.output().count(f"{IMAP} info ready ")


def _hand_over(site: Site, step: Step) -> tuple[str, ...]:
    """Lay a message where a command finds it; return the words that the command is called with."""
    (message,) = step.send
    is_whole = step.program == SENDMAIL
    (site.folder / INPUT).write_bytes(message.content() if is_whole else message.text())
    fields = () if is_whole else ("-s", "crash", "-C", f"X-Number: {message.number}")
    return ("-i", "-f", message.return_path, *fields, "--", *message.recipients)


def _judge(end: End) -> Answer:
    """Return what a command's end tells who called it."""
    if end.killed:
        return Answer.NONE
    return Answer.REFUSED if end.code else Answer.TAKEN


def try_case(case: Case, folder: Path) -> Result:
    """Try a point, in a folder of the caller's."""
    scene = case.scene

    def strike(site: Site, step: Step, ledger: Ledger) -> Struck:
        plan = replace(step.plan, target=case.point, how=case.how, met_before=scene.met_before)
        end = play(site, step, plan, ledger)
        is_other = end.fired and end.killed != (case.how.kills and case.point.transition != END)
        return Struck(end.fired, (f"P8: the program ended with {end.code}",) if is_other else ())

    return _try(case, folder, strike)


def try_call(case: Case, folder: Path) -> Result:
    """Have the kernel fail a call, in a folder of the caller's: no program may end but in order."""

    def strike(site: Site, step: Step, ledger: Ledger) -> Struck:
        trace = fail_one(folder / "trace", case.point, case.how)
        end = play(site, step, step.plan, ledger, trace)
        injected = [call for call in read_calls(trace.output) if call.is_injected]
        if not any(call.kind for call in injected):
            return Struck(False, ())
        ledger.has_failing_content = any(call.kind == "content" for call in injected)
        # Where a call of another thread failed too, on whatever else, the program may end as it likes.
        is_disorder = (end.code < 0 or "Traceback" in site.output()) and all(call.kind for call in injected)
        return Struck(True, (f"P8: the program ended with {end.code}",) if is_disorder else ())

    return _try(case, folder, strike)


@dataclass(frozen=True, slots=True)
class Struck:
    """Whether a program came by the point, and what is wrong with how it took it."""

    met: bool
    wrong: tuple[str, ...]


def _try(case: Case, folder: Path, strike: Callable[[Site, Step, Ledger], Struck]) -> Result:
    """Play the step of a case as `strike` does, then everything to its end; balance the ledger."""
    began_s = time.monotonic()
    scene = case.scene
    scenario = SCENARIOS[scene.scenario]
    copy_site(scene.folder, folder)
    site = Site(folder, loses_power=case.how.cuts_power)
    ledger = scene.ledger.copy()
    met, wrong = False, list[str]()
    try:
        struck = strike(site, scenario.steps[scene.step], ledger)
        met, wrong = struck.met, list(struck.wrong)
        site.read_mail()
        wrong += _recover(site, scenario, ledger)
    except (AssertionError, MaildropError, OSError) as error:
        wrong.append(f"P8: {error}")
    log = site.output() if wrong else ""
    return Result(str(case), met, tuple(wrong), time.monotonic() - began_s, log)


def _recover(site: Site, scenario: Scenario, ledger: Ledger) -> list[str]:
    """Do what an operator does anew, and come to rest; return what is wrong then. Raises: AssertionError."""
    for again in scenario.recovery:
        if not again.is_wanted(site):
            continue
        code = play(site, again, Plan(), ledger).code
        is_done = code == _NOTHING_MATCHED and again.arguments[:1] == ("queue",)
        assert code == 0 or is_done, f"{again.program} did not recover: {code}"
    return come_to_rest(site, scenario, ledger)


def come_to_rest(site: Site, scenario: Scenario, ledger: Ledger) -> list[str]:
    """Run programs in turn, the clock going on, until nothing is open; return what is wrong then.

    What is held in the end is released by an operator, who has repaired what was damaged.
    """
    return reach_rest(site, scenario, ledger) + balance(ledger, site)


def reach_rest(site: Site, scenario: Scenario, ledger: Ledger) -> list[str]:
    """Run programs likewise, and balance nothing; return what went wrong."""
    scenario.mend(site)
    ahead_s = max(step.ahead_s for step in scenario.steps)
    wrong = _run_in_turn(site, scenario.rest, ahead_s, ledger)
    if site.books().held:
        scenario.repair(site)
        code = play(site, queue("release", "--all"), Plan(), ledger).code
        wrong += [f"P8: what is held cannot be released: {code}"] if code else []
        wrong += _run_in_turn(site, scenario.rest, ahead_s + 2 * _MOST_ROUNDS * _HOURS_S, ledger)
    return wrong


def _run_in_turn(site: Site, steps: Sequence[Step], ahead_s: int, ledger: Ledger) -> list[str]:
    """Run programs until whatever is open is held; return what went wrong."""
    office, *others = steps  # which buries the dead, and so has to run last
    wrong: list[str] = []
    for round_number in range(1, _MOST_ROUNDS + 1):
        for step in (office, *others):
            end = play(site, replace(step, ahead_s=ahead_s + 2 * round_number * _HOURS_S), Plan(), ledger)
            if end.code:
                wrong.append(f"P8: {step.program} ended with {end.code} after the crash")
            books = site.books()
            if step is office and books.open == books.held:
                return wrong
    return [*wrong, f"P2: it never comes to rest: {site.books()}"]


def _send(program: Program, site: Site, messages: Sequence[Message], ledger: Ledger) -> None:
    """Send messages over one session to a program that listens, as far as that comes."""
    place = site.port if program.name == RELAY else site.submission
    with suppress(OSError, GoneError):
        wait_until(lambda: not program.lives() or _listens(place), f"{program.name} to listen", 5)
        with Wire(place) as wire:
            _converse(wire, messages, ledger)


def _converse(wire: Wire, messages: Sequence[Message], ledger: Ledger) -> None:
    """Send messages, and note what we were told of each. Raises: OSError, GoneError."""
    expect(wire.reply(), b"220")
    expect(wire.ask(b"EHLO crash.example"), b"250")
    for message in messages:
        ledger.note(message, Answer.NONE)
        ledger.note(message, send_one(wire, message))


class GoneError(Exception):
    """The server has gone, or says that it goes."""


def send_one(wire: Wire, message: Message) -> Answer:
    """Send a message; return what the server said. Raises: OSError, GoneError."""
    notify = b" NOTIFY=%s" % message.notify.encode() if message.notify else b""
    recipients = b"".join(b"RCPT TO:<%s>%s\r\n" % (one.encode(), notify) for one in message.recipients)
    wire.send(b"MAIL FROM:<%s>\r\n%sDATA\r\n" % (message.return_path.encode(), recipients))
    replies = [wire.reply()[:3] for _ in range(len(message.recipients) + 2)]
    if b"" in replies:
        raise GoneError
    if replies[-1] != b"354":
        expect(wire.ask(b"RSET"), b"250")
        return Answer.REFUSED
    assert set(replies[:-1]) == {b"250"}, replies
    wire.send(stuffed(message.content()))
    reply = wire.reply()
    if reply.startswith(b"250"):
        return Answer.TAKEN
    if not reply:
        raise GoneError
    return Answer.REFUSED


def expect(reply: bytes, code: bytes) -> None:
    """Go on only where a reply is as it should be. Raises: GoneError."""
    if not reply.startswith(code):
        raise GoneError


def _listens(place: int | Path) -> bool:
    try:
        Wire(place).close()
    except OSError:
        return False
    return True
