"""The real programs, started by fork from a process that has imported them, with their calls interposed.

A program lives as its users know it, from the command line to its exit code, with these differences: it ends
by itself when nothing is left to do, its clock may be ahead, its pauses are short.
"""

import asyncio
import gc
import importlib
import json
import os
import select
import selectors
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from paperpath.config.loader import load_document
from paperpath.folders.store.tree import MaildirStore
from paperpath.maildrop.drop.place import make_drop
from paperpath.maildrop.opening import create_maildrop
from paperpath.service import wakeup
from tests.crash import host
from tests.crash.calls import Files, QueueFiles
from tests.crash.children import pass_points, write_notes
from tests.crash.points import Faults, Plan, Point
from tests.crash.syscalls import Trace
from tests.crash.transitions import Transitions

RELAY, SUBMISSION, OFFICE, LOCAL = "smtprd", "smtpsd", "smtppd", "smtpld"
REMOTE = "smtprcd"  # without its relay clients: carrier.py
HELPER = "smtplud"  # on a stand-in for a host with users: host.py
IMAP = "imapd"
COMMAND = "paperpath"
RELAY_STDIO, SUBMISSION_STDIO = "smtprd --stdio", "smtpsd --stdio"
STDIO = (RELAY_STDIO, SUBMISSION_STDIO)  # started for one client, with the connection as standard streams
SENDMAIL, MAILTO = "sendmail", "mailto"
PEOPLES = (SENDMAIL, MAILTO)  # commands that read a message from standard input
INPUT = "stdin"  # the file with that message
CREATE = "create"  # what `paperpath up` does before it starts any program
_MODULES = {
    RELAY: "paperpath.relay.smtprd",
    SUBMISSION: "paperpath.submission.smtpsd",
    RELAY_STDIO: "paperpath.relay.smtprd",
    SUBMISSION_STDIO: "paperpath.submission.smtpsd",
    OFFICE: "paperpath.postoffice.smtppd",
    LOCAL: "paperpath.local.smtpld",
    HELPER: "paperpath.local.smtplud",
    REMOTE: "tests.crash.carrier",
    IMAP: "paperpath.imap.imapd",
    COMMAND: "paperpath.commands.paperpath",
    SENDMAIL: "paperpath.commands.sendmail",
    MAILTO: "paperpath.commands.mailto",
}
# What programs import when they come to need it.
_LATE = (
    "cryptography.hazmat.backends.openssl.backend",
    "encodings.punycode",
    "idna.uts46data",
    "paperpath.commands.queue",
    "paperpath.commands.queue_access",
    "paperpath.commands.queue_bounce",
    "paperpath.commands.queue_deeds",
    "paperpath.commands.upgrade",
    "uvloop",
)
_PATIENCE_S = 20.0
_transitions = Transitions()  # wraps the product's functions in `warm_up`, for all that is forked later
_IDLE_LOOKS = 4  # at nothing, one after the other, until a program takes it that nothing will come
_IDLE_LOOK_S = 0.005
_SHORT_S = 0.01
# Pauses that are no promise, by module and name.
_PAUSES = ("TROUBLE_PAUSE_S", "GATHER_S", "SWEEP_S")


@dataclass(frozen=True, slots=True)
class Run:
    """How a program is to be run: its faults, how far its clock is ahead, constants to set, its arguments.

    `connection`: the descriptor that is its standard input and output, if any.
    """

    plan: Plan = field(default_factory=Plan)
    ahead_s: int = 0
    constants: Mapping[str, int] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    connection: int | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a program ended: exit code, less than 0 for a signal; whether its target was met; its points."""

    code: int
    fired: bool
    points: tuple[Point, ...]
    counts: tuple[tuple[str, str, int], ...]

    @property
    def killed(self) -> bool:
        """Whether it was killed."""
        return self.code == -signal.SIGKILL


class Program:
    """A program that was started on an installation's configuration."""

    def __init__(self, name: str, file: Path, run: Run) -> None:
        """Start it."""
        self.name = name
        self._notes = file.with_name(f"notes {name}")
        self._fired = file.with_name(f"fired {name}")
        for left in (self._notes, self._fired):
            left.unlink(missing_ok=True)
        started, start = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(start)
            select.select([started], [], [])  # which is never made to fail; until nobody can write any more
            _live(name, file, run, self._notes, self._fired)
        os.close(started)
        self._tracer = run.trace.attach(self.pid) if run.trace is not None else None
        os.close(start)
        self._descriptor = os.pidfd_open(self.pid)

    def lives(self) -> bool:
        """Tell whether it lives."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._descriptor, selectors.EVENT_READ)
            return not selector.select(0)

    def end(self) -> None:
        """Ask it to end."""
        signal.pidfd_send_signal(self._descriptor, signal.SIGTERM)

    def wait(self) -> End:
        """Wait until it ended. Raises: AssertionError, when it does not."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._descriptor, selectors.EVENT_READ)
            hangs = not selector.select(_PATIENCE_S)
        if hangs:
            os.kill(self.pid, signal.SIGABRT)  # it tells where it hangs
        _, status = os.waitpid(self.pid, 0)
        os.close(self._descriptor)
        if self._tracer is not None:
            _end_tracer(self._tracer)
        assert not hangs, f"{self.name} did not end in {_PATIENCE_S} s"
        notes = json.loads(self._notes.read_text()) if self._notes.exists() else {"points": [], "counts": []}
        return End(
            os.waitstatus_to_exitcode(status),
            self._fired.exists(),
            tuple(Point(*point) for point in notes["points"]),
            tuple((transition, call, hits) for transition, call, hits in notes["counts"]),
        )


def _end_tracer(tracer: subprocess.Popen[bytes]) -> None:
    """Wait for strace, which may wait for ever for a process that was killed under it."""
    with tracer:
        try:
            tracer.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            tracer.kill()


@cache
def warm_up() -> None:
    """Import what programs need, wrap it, and keep the collector from touching it in each of them.

    Whatever a program writes to is a page of memory of its own: to look at every name of every module, as it
    takes to wrap functions, would cost each of them as much as all that it does.
    """
    for module in (*_MODULES.values(), *_LATE):
        importlib.import_module(module)
    _transitions.install()
    gc.collect()
    gc.freeze()


def _live(name: str, file: Path, run: Run, notes: Path, fired: Path) -> NoReturn:
    """Be the program, in a process of its own."""
    code = os.EX_SOFTWARE
    try:
        log = os.open(file.with_name("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if run.connection is not None:
            os.dup2(run.connection, 0)
            os.dup2(run.connection, 1)
            os.closerange(3, run.connection + 1)  # the client's end among them, or it could never hang up
        root = file.with_name("data")
        faults = Faults(run.plan, lambda: _touch(fired), _transitions.name)
        _set_clock(run.ahead_s)
        _set_constants(run.constants)
        if name != IMAP:  # whose clients may be silent
            _end_when_idle(faults)
        host.install(file.parent)
        files = Files(root, faults)
        # Not where the kernel fails calls: what SQLite makes good would come out of it as raised in Python.
        queue = QueueFiles(files, faults, _transitions) if run.trace is None else None
        files.install()
        if name == HELPER:
            pass_points(faults, notes)
            code = _run(name, file, run.arguments)  # itself it touches no mail
        else:
            code = _run(name, file, run.arguments)
            faults.end()
            write_notes(notes, faults)
        del queue
    except BaseException:  # noqa: BLE001 - printed, and the end
        traceback.print_exc()
    os._exit(code)


def _run(name: str, file: Path, arguments: Sequence[str]) -> int:
    if name == CREATE:
        configuration = load_document(file).configuration
        create_maildrop(configuration)
        make_drop(configuration)
        return os.EX_OK
    if name in PEOPLES:
        return _call(name, file, arguments)
    os.chdir(file.parent)  # which is where files lie that arguments name
    main: Any = importlib.import_module(_MODULES[name]).main
    try:
        main.main(args=[*arguments, "--config", str(file)], prog_name=name)
    except SystemExit as end:
        return int(end.code or 0)
    return os.EX_OK


def _call(name: str, file: Path, arguments: Sequence[str]) -> int:
    """Call a command as people do: a message on standard input, a home for what could not be sent."""
    os.dup2(os.open(file.with_name(INPUT), os.O_RDONLY), 0)
    environment = {"PAPERPATH_CONFIG": str(file), "HOME": str(file.parent)}
    code: int = importlib.import_module(_MODULES[name]).run(arguments, environment)
    return code


def _touch(file: Path) -> None:
    os.mknod(file, 0o600)


def _set_clock(ahead_s: int) -> None:
    def moved(function: Callable[[], Any], units: int) -> Callable[[], Any]:
        return lambda: function() + ahead_s * units

    if ahead_s:
        time.time_ns = moved(time.time_ns, 1_000_000_000)
        time.time = moved(time.time, 1)
        vars(MaildirStore)["__init__"].__kwdefaults__["clock_ns"] = time.time_ns  # it has the real one


def _set_constants(constants: Mapping[str, int]) -> None:
    for module_name in _MODULES.values():
        module = importlib.import_module(module_name)
        for pause in _PAUSES:
            if hasattr(module, pause):
                setattr(module, pause, _SHORT_S)
    for place, value in constants.items():
        module_name, _, constant = place.partition(":")
        module = importlib.import_module(module_name)
        assert hasattr(module, constant), place
        setattr(module, constant, value)


def _end_when_idle(faults: Faults) -> None:
    """Have a program that waits for work in vain end in order."""
    wait = wakeup.Wakeups.wait
    looks = 0
    last = -1

    async def look(self: wakeup.Wakeups, timeout_s: float) -> None:
        nonlocal looks, last
        await wait(self, min(timeout_s, _IDLE_LOOK_S))
        is_idle = faults.activity == last and not _transitions.under_way and not _has_thread_at_work()
        looks = looks + 1 if is_idle else 0
        last = faults.activity
        if looks == _IDLE_LOOKS:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)

    wakeup.Wakeups.wait = look  # type: ignore[method-assign]


def _has_thread_at_work() -> bool:
    """Tell whether a thread but this one runs, or would where the machine is busy."""
    own = threading.get_native_id()
    others = (task for task in Path("/proc/self/task").iterdir() if task.name != str(own))
    return any(_state_of(task) in "RD" for task in others)


def _state_of(task: Path) -> str:
    try:
        return (task / "stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return "X"
