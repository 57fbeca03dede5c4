"""The stages: how the sides are set up for scenarios, and the sides running there side by side.

An idle side uses next to nothing, so all of a stage run at once and do their work in turns.
"""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bench import ours, postfix, source
from bench.compare import holding, mailboxes, relaying, submitting
from bench.failure import BenchError
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

    def relay(self, name: str) -> Relay:
        """The side of this name. Raises: BenchError, where it is not here."""
        if name not in self.relays:
            raise BenchError(f"{name} does not take part.")
        return self.relays[name]

    def spell(self, relay: Relay, load: Load) -> list[str]:
        """The command line of smtp-source that puts this load on a side."""
        return source.command(source.find_source(), load, relay.recipient, relay.port)


def to_mailbox(name: str, folder: Path, port: int) -> Relay:
    """A side with one mailbox."""
    return ours.Paperpath(folder, port) if name == ours.NAME else postfix.Postfix(name, folder, port)


MAILBOX, MAILBOXES, SINK, SUBMISSION, HOLDING = "mailbox", "mailboxes", "sink", "submission", "holding"
ALONE = "alone"  # nothing runs beside what is measured: each measurement makes its own sides
MAKERS: dict[str, Make] = {MAILBOX: to_mailbox, MAILBOXES: mailboxes.make, HOLDING: holding.make}


@contextlib.contextmanager
def open_stage(kind: str, names: Sequence[str], folder: Path, timeout: float) -> Iterator[Stage]:
    """Set up a stage in a folder that is made, and start these sides; at the end all of them are stopped."""
    folder.mkdir()
    password = folder / submitting.PASSWORD_NAME
    password.write_text(secrets.token_hex(16), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        relays: dict[str, Relay] = {}
        if kind == SINK:
            sink = Sink(folder, free_ports(1)[0])
            stack.callback(sink.stop)
            sink.start()
            make: Make = partial(relaying.make, sink_port=sink.port)
        elif kind == SUBMISSION:
            sink, make = None, partial(submitting.make, password=password)
        elif kind != ALONE:
            sink, make = None, MAKERS[kind]
        else:
            names = ()
        for name, port in zip(names, free_ports(len(names)), strict=True):
            own = folder / name
            own.mkdir()
            relay = relays[name] = make(name, own, port)
            if sink is not None:
                relay.target = sink
            stack.callback(relay.stop)
            relay.start()
        yield Stage(folder, timeout, relays, password)
