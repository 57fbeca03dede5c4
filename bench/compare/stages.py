"""The stages: how the sides are set up for scenarios, and the sides running there side by side.

An idle side uses next to nothing, so all of a stage run at once and do their work in turns.
"""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from bench import ours, postfix, source
from bench.compare import holding, mailboxes, relaying, submitting
from bench.failure import BenchError
from bench.process import held_signals
from bench.relay import Relay, free_ports
from bench.sink import Sink
from bench.source import Load

Make = Callable[[str, Path, int], Relay]


@dataclasses.dataclass(frozen=True)
class Stage:
    """One of them, with its sides at work, if it has them at work all the time."""

    folder: Path
    timeout: float  # seconds for one measurement
    relays: dict[str, Relay]
    password: Path
    note: Callable[[Relay], None]  # told of each side that is configured, before it is launched

    def relay(self, name: str) -> Relay:
        """The side of this name. Raises: BenchError, where it is not here."""
        if name not in self.relays:
            raise BenchError(f"{name} does not take part.")
        return self.relays[name]

    def spell(self, relay: Relay, load: Load) -> list[str]:
        """The command line of smtp-source that puts this load on a side."""
        return source.command(source.find_source(), load, relay.recipient, relay.port)


MAILBOX, MAILBOXES, SINK, SUBMISSION, HOLDING = "mailbox", "mailboxes", "sink", "submission", "holding"
ALONE = "alone"  # nothing runs beside what is measured: each measurement makes its own sides


@contextlib.contextmanager
def open_stage(
    kind: str,
    names: Sequence[str],
    folder: Path,
    timeout: float,
    note: Callable[[Relay], None],
) -> Iterator[Stage]:
    """Set up a stage in a folder that is made, and start these sides; at the end all of them are stopped.

    `note` gets each side before it is launched, and may change its configuration.
    """
    folder.mkdir()
    password = folder / submitting.PASSWORD_NAME
    password.write_text(secrets.token_hex(16), encoding="utf-8")
    stack = contextlib.ExitStack()
    try:
        make = stack.enter_context(_MAKERS[kind](folder))
        stage = Stage(folder, timeout, {}, password, note)
        for name in names if kind != ALONE else ():
            own = folder / name
            own.mkdir()
            relay = stage.relays[name] = make(name, own, free_ports(1)[0])
            stack.callback(relay.stop)
            relay.prepare()
            note(relay)
            relay.launch()
        yield stage
    finally:
        with held_signals():
            stack.close()


def _to_mailbox(name: str, folder: Path, port: int) -> Relay:
    return ours.Paperpath(folder, port) if name == ours.NAME else postfix.Postfix(name, folder, port)


@contextlib.contextmanager
def _making_for_sink(folder: Path) -> Iterator[Make]:
    """Make sides that relay to one sink, which runs for the length of the block."""
    sink = Sink(folder, free_ports(1)[0])

    def make(name: str, own: Path, port: int) -> Relay:
        relay = relaying.make(name, own, port, sink.port)
        relay.target = sink
        return relay

    try:
        sink.start()
        yield make
    finally:
        sink.stop()


def _making_for_submission(folder: Path) -> AbstractContextManager[Make]:
    return nullcontext(partial(submitting.make, password=folder / submitting.PASSWORD_NAME))


_MAKERS: dict[str, Callable[[Path], AbstractContextManager[Make]]] = {
    MAILBOX: lambda _: nullcontext(_to_mailbox),
    MAILBOXES: lambda _: nullcontext(mailboxes.make),
    SINK: _making_for_sink,
    SUBMISSION: _making_for_submission,
    HOLDING: lambda _: nullcontext(holding.make),
    ALONE: lambda _: nullcontext(_to_mailbox),
}
