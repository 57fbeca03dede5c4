"""The skeleton of every program: options, event loop, signals, readiness, orderly end.

A program is a coroutine that is handed its `Life`. It sets itself up, calls `ready`, works until
`wait_for_end` returns, then drains and returns. The skeleton does the rest, the same for all of them.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from paperpath.config.endpoint import Endpoint
from paperpath.config.loader import ConfigurationError, load_configuration
from paperpath.config.tables import Configuration
from paperpath.service.activation import take_activation
from paperpath.service.errors import ServiceError
from paperpath.service.handover import Handover, take_handover
from paperpath.service.listener import adopt_listener, open_listeners
from paperpath.service.log import Log, open_log
from paperpath.service.notify import notify


class Life:
    """What the skeleton gives a program: its name, configuration and log, its sockets, and when to end."""

    def __init__(
        self,
        name: str,
        configuration: Configuration,
        log: Log,
        handover: Handover | None = None,
    ) -> None:
        """Begin; the end is not yet."""
        self.name = name
        self.configuration = configuration
        self.log = log
        self._handover = handover
        self._end = asyncio.Event()
        self._at_end: list[Callable[[], None]] = []

    @property
    def ending(self) -> bool:
        """Whether the end was asked for."""
        return self._end.is_set()

    def listen(self, endpoints: Sequence[Endpoint]) -> list[socket.socket]:
        """Return listening sockets: from the supervisor, from systemd, or our own. Raises: ServiceError."""
        if self._handover is not None:
            return [adopt_listener(descriptor) for descriptor in self._handover.listeners]
        activation = take_activation()
        listeners = activation.take(self.name, endpoints)
        activation.refuse_rest()
        return open_listeners(self.name, endpoints) if listeners is None else listeners

    def ready(self, status: str) -> None:
        """Say that the program does its work from now on."""
        self.log.info("ready", status=status)
        notify(READY="1", STATUS=status)

    def end(self) -> None:
        """Ask for an orderly end."""
        self._end.set()
        for callback in self._at_end:
            callback()

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Have something called when the end is asked for, such as what interrupts a wait."""
        self._at_end.append(callback)

    async def wait_for_end(self) -> None:
        """Wait until the end is asked for."""
        await self._end.wait()


Body = Callable[[Life], Awaitable[None]]

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=Path("paperpath.toml"),
    show_default=True,
    help="The configuration.",
)


def make_command(name: str, summary: str, body: Body) -> click.Command:
    """Make the command line of a program: `NAME --config FILE`."""

    @click.command(name, help=f"{summary}\n\nExample: {name} --config paperpath.toml")
    @config_option
    def command(file: Path) -> None:
        raise SystemExit(run_program(name, file, body))

    return command


def run_program(name: str, file: Path, body: Body) -> int:
    """Run a program to its end; return its exit code, one of sysexits."""
    try:
        configuration = load_configuration(file)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        return os.EX_CONFIG
    os.umask(0o077)
    handover = take_handover()
    name = name if handover is None else handover.name
    log = open_log(name)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_live(Life(name, configuration, log, handover), body, handover))
    except ServiceError as error:
        log.error("cannot go on", reason=str(error))
        notify(STATUS=str(error), ERROR=str(error))
        return error.exit_code
    return os.EX_OK


async def _live(life: Life, body: Body, handover: Handover | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.end)
    if handover is not None:
        _watch_lifeline(handover.lifeline, life)
    await body(life)
    notify(STOPPING="1")
    life.log.info("ended")


def _watch_lifeline(descriptor: int, life: Life) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(descriptor)  # which stays readable for ever
        life.end()

    loop.add_reader(descriptor, end)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Choose uvloop where it is there; `PAPERPATH_LOOP=asyncio` chooses the standard loop."""
    if os.environ.get("PAPERPATH_LOOP") == "asyncio":
        return None
    with suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None
