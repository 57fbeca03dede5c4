"""The skeleton of every program: options, event loop, signals, readiness, control socket, orderly end.

A program is a coroutine that is handed its `Life`. It sets itself up, calls `ready`, works until
`wait_for_end` returns, then drains and returns. What may take root, ports and keys, it opens in a function of
its own, which is called before privileges are dropped. The skeleton does the rest, the same for all of them.
"""

import asyncio
import faulthandler
import os
import signal
import socket
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paperpath import __version__
from paperpath.config.changes import merge
from paperpath.config.endpoint import Port
from paperpath.config.loader import ConfigurationError, Document, load_document, parse_document
from paperpath.config.tables import Configuration
from paperpath.service.activation import take_activation
from paperpath.service.asking import Object
from paperpath.service.collector import begin_collecting
from paperpath.service.control import DESCRIPTORS, Command, ControlServer, control_folder
from paperpath.service.errors import ServiceError
from paperpath.service.handover import Handover, read_texts, take_handover
from paperpath.service.listener import adopt_listener, open_listeners
from paperpath.service.log import Log, open_log
from paperpath.service.metrics import Family, Source
from paperpath.service.notify import notify
from paperpath.service.privileges import Identity, become, find_identity, give_up_what_nobody_needs
from paperpath.service.tls.key_files import Reader, list_key_files, make_reader, read_key_file
from paperpath.service.watchdog import beat, take_watchdog

if TYPE_CHECKING:  # most programs speak no TLS, and need not wait for what reads certificates
    from paperpath.service.tls.contexts import ContextSet

_STANDARD_ERROR = 2


Renew = Callable[[Document, Reader], Awaitable[None]]


class Life:
    """What the skeleton gives a program: its name, configuration and log, its sockets, and when to end."""

    def __init__(self, name: str, document: Document, log: Log, handover: Handover | None = None) -> None:
        """Begin; the end is not yet."""
        self.name = name
        self.document = document
        self.log = log
        self.status = "starting"
        self.commands: dict[str, Command] = {}
        """What the control socket answers beside what it does for every program."""
        self.listeners: list[socket.socket] = []
        self.contexts: ContextSet | None = None
        """What root read of certificates and keys, for programs that serve TLS."""
        self._sources: list[Source] = []
        self._handover = handover
        self._end = asyncio.Event()
        self._at_end: list[Callable[[], None]] = []
        self._at_reload: list[Renew] = []
        self._reloading = asyncio.Lock()

    @property
    def configuration(self) -> Configuration:
        """The configuration in force; another one after a reload."""
        return self.document.configuration

    @property
    def ending(self) -> bool:
        """Whether the end was asked for."""
        return self._end.is_set()

    def listen(self, places: Sequence[Port]) -> None:
        """Have listening sockets: from the supervisor, from systemd, or our own. Raises: ServiceError."""
        if self._handover is not None:
            self.listeners = [adopt_listener(descriptor) for descriptor in self._handover.listeners]
            return
        activation = take_activation()
        given = activation.take(self.name, places)
        activation.refuse_rest()
        if given is None:
            given = open_listeners(self.name, places, find_identity(self.configuration.user))
        self.listeners = given

    def ready(self, status: str) -> None:
        """Say that the program does its work from now on."""
        self.status = status
        self.log.info("ready", status=status)
        notify(READY="1", STATUS=status)

    def end(self) -> None:
        """Ask for an orderly end."""
        self.status = "ending"
        self._end.set()
        for callback in self._at_end:
            callback()

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Have something called when the end is asked for, such as what interrupts a wait."""
        self._at_end.append(callback)

    async def wait_for_end(self) -> None:
        """Wait until the end is asked for."""
        await self._end.wait()

    def measure(self, source: Source) -> None:
        """Have numbers asked for when somebody wants the metrics."""
        self._sources.append(source)

    def families(self) -> list[Family]:
        """Return all numbers of this moment."""
        return [family for source in self._sources for family in source()]

    def call_at_reload(self, callback: Renew) -> None:
        """Have something called with each new configuration, and what reads its keys, before it is in force.

        What it raises keeps the old one in force, so it changes nothing before it can fail no more. Who only
        looks at `configuration` each time needs none of this.
        """
        self._at_reload.append(callback)

    async def reload(self, new: Document, read: Reader = read_key_file) -> list[str]:
        """Put a new configuration in force; return the names of the keys that wait for a restart.

        `read` gives certificates and keys that we may not be able to open.

        Raises: what a callback raises; then the old one stays.
        """
        async with self._reloading:
            merged, waiting = merge(self.configuration, new.configuration)
            document = replace(new, configuration=merged)
            for callback in self._at_reload:
                await callback(document, read)
            self.document = document
        self.log.info("reloaded", **({"waiting_for_restart": ",".join(waiting)} if waiting else {}))
        return waiting


Body = Callable[[Life], Awaitable[None]]
Errand = Callable[[Life], Awaitable[int]]
Prepare = Callable[[Life], None]

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=Path("paperpath.toml"),
    show_default=True,
    help="The configuration.",
)


def make_command(name: str, summary: str, body: Body, prepare: Prepare | None = None) -> click.Command:
    """Make the command line of a program: `NAME --config FILE`.

    `prepare` is called before privileges are dropped, to open what takes them.
    """
    return _make_command(name, summary, lambda file: run_program(name, file, body, prepare))


def make_root_command(name: str, summary: str, body: Body) -> click.Command:
    """Make the command line of a program that stays who started it."""
    return _make_command(name, summary, lambda file: run_as_started(name, file, body))


def _make_command(name: str, summary: str, run: Callable[[Path], int]) -> click.Command:
    @click.command(name, help=f"{summary}\n\nExample: {name} --config paperpath.toml")
    @config_option
    def command(file: Path) -> None:
        raise SystemExit(run(file))

    return command


def run_program(name: str, file: Path, body: Body, prepare: Prepare | None = None) -> int:
    """Run a program to its end, as the service user; return its exit code, one of sysexits."""

    def live(life: Life, handover: Handover | None, identity: Identity | None) -> None:
        if prepare is not None:
            prepare(life)
        become(identity)
        give_up_what_nobody_needs()
        _run(_Running(life, None, takes_texts=True).live(body, handover))

    return _run_program(name, file, live)


def run_as_started(name: str, file: Path, body: Body) -> int:
    """Run a program to its end, as who started it; return its exit code."""

    def live(life: Life, handover: Handover | None, identity: Identity | None) -> None:
        give_up_what_nobody_needs()
        _run(_Running(life, identity, takes_texts=False).live(body, handover))

    return _run_program(name, file, live)


def run_errand(name: str, file: Path, errand: Errand, prepare: Prepare | None = None) -> int:
    """Do what ends by itself, as the service user, whether a program of that name runs or not.

    It has no control socket; and no orderly end, for any signal kills it, but for those that it handles
    itself. Return its exit code, or one of sysexits where it could not begin or go on.
    """
    codes: list[int] = []

    async def run(life: Life) -> None:
        codes.append(await errand(life))

    def live(life: Life, handover: Handover | None, identity: Identity | None) -> None:
        if prepare is not None:
            prepare(life)
        become(identity)
        give_up_what_nobody_needs()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _run(run(life))

    trouble = _run_program(name, file, live)
    return trouble or codes[0]


def _run_program(
    name: str, file: Path, live: Callable[[Life, Handover | None, Identity | None], None]
) -> int:
    handover = take_handover()
    try:
        document = load_document(file) if handover is None else read_texts(handover.texts, file)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        return os.EX_CONFIG
    os.umask(0o077)
    name = name if handover is None else handover.name
    log = open_log(name, document.configuration.log)
    try:
        identity = find_identity(document.configuration.user)
        if identity is None and os.geteuid() == 0 and handover is None:
            log.warning("runs as root, since the configuration names no user")
        begin_collecting()
        live(Life(name, document, log, handover), handover, identity)
    except ServiceError as error:
        log.error("cannot go on", reason=str(error))
        notify(STATUS=str(error), ERROR=str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a defect of ours goes to the log, as all else does
        _log_defect(log, "it ends here", error)
        notify(STATUS=repr(error), ERROR=repr(error))
        return os.EX_SOFTWARE
    return os.EX_OK


def _run(life: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(life)


def _log_defect(log: Log, what: str, error: BaseException | None) -> None:
    trace = "" if error is None else "".join(traceback.format_exception(error))
    log.error("defect", what=what, error=repr(error), trace=trace)


class _Running:
    """A program that runs, and what reaches it from outside: signals, its lifeline, its control socket.

    Not every program takes the text of a configuration from whoever asks. The supervisor opens keys as root
    for its programs: it would open any for the service user, who may ask (attack L-5). It reads the file.
    """

    def __init__(self, life: Life, owner: Identity | None, *, takes_texts: bool) -> None:
        self._life = life
        self._owner = owner
        self._takes_texts = takes_texts
        self._file = life.document.path
        self._began_s = time.time()
        self._reloads: set[asyncio.Task[None]] = set()

    async def live(self, body: Body, handover: Handover | None) -> None:
        """Run the program to its end."""
        life, loop = self._life, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, life.end)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        loop.set_exception_handler(
            lambda _, context: _log_defect(life.log, context["message"], context.get("exception"))
        )
        if handover is not None:
            self._watch_lifeline(handover.lifeline)
        life.commands |= {
            "status": self._answer_status,
            "reload": self._answer_reload,
            "metrics": self._answer_metrics,
        }
        folder = control_folder(life.configuration)
        async with ControlServer(folder, life.name, life.commands, self._owner), _beating():
            await body(life)
            notify(STOPPING="1")
        life.log.info("ended")

    def _watch_lifeline(self, descriptor: int) -> None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(descriptor)  # which stays readable for ever
            self._life.end()

        loop.add_reader(descriptor, end)

    def _hang_up(self) -> None:
        reload = asyncio.get_running_loop().create_task(self._reload_file())
        self._reloads.add(reload)
        reload.add_done_callback(self._reloads.discard)

    async def _reload_file(self) -> None:
        """Put what now stands in the file in force, whole or not at all."""
        notify(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))
        try:
            await self._life.reload(load_document(self._file))
        except ConfigurationError as error:
            for problem in error.problems:
                self._refuse(problem)
        except ServiceError as error:
            self._refuse(error)
        notify(READY="1")

    def _refuse(self, reason: object) -> None:
        self._life.log.error("configuration refused, the old one stays in force", reason=str(reason))

    async def _answer_status(self, _: Object) -> Object:
        return {
            "name": self._life.name,
            "pid": os.getpid(),
            "status": self._life.status,
            "up_s": round(time.time() - self._began_s, 1),
            "version": __version__,
            "configuration": str(self._file),
        }

    async def _answer_metrics(self, _: Object) -> Object:
        return {"families": [asdict(family) for family in self._life.families()]}

    async def _answer_reload(self, request: Object) -> Object:
        """Reload: the text that comes with the request, or what stands in the file.

        With a text may come the certificates and keys that it names, opened, as `list_key_files` has them.
        """
        text = request.get("text") if self._takes_texts else None
        new = load_document(self._file) if text is None else parse_document(text, self._file)
        descriptors = request[DESCRIPTORS] if text is not None else ()
        opened = dict(zip(list_key_files(new.configuration), descriptors, strict=False))
        try:
            return {"waiting_for_restart": await self._life.reload(new, make_reader(opened))}
        except ServiceError as error:
            self._refuse(error)
            raise


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Say that we live, for the length of the block, if anybody wants to hear it."""
    faulthandler.enable(_STANDARD_ERROR)  # who is killed for its silence says where it hung
    limit_s = take_watchdog()
    beating = None if limit_s is None else asyncio.create_task(beat(limit_s))
    try:
        yield
    finally:
        if beating is not None:
            beating.cancel()
            await asyncio.wait({beating})


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Choose uvloop where it is there; `PAPERPATH_LOOP=asyncio` chooses the standard loop."""
    if os.environ.get("PAPERPATH_LOOP") == "asyncio":
        return None
    with suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None
