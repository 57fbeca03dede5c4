"""What drains and restarts have in common: a side with a full queue, and a sink that comes and goes."""

from bench.command import progress
from bench.compare.relaying import Queueing, make
from bench.compare.stages import Stage
from bench.relay import free_ports
from bench.sink import Sink
from bench.source import Load


class Outage:
    """A side whose mail goes to a sink, which is away until it is opened.

    `relay` is prepared, and its queue is full; it is not launched.
    """

    def __init__(self, stage: Stage, name: str, load: Load, folder: str) -> None:
        self._folder = stage.folder / folder
        self._folder.mkdir()
        port, self._sink_port = free_ports(2)
        self._sinks = 0
        self.relay: Queueing = make(name, self._folder, port, self._sink_port)
        progress(f"filling the queue of {name}: {load.work}")
        self.relay.prepare()
        stage.note(self.relay)
        self.relay.fill(load.messages, load.length)

    def sink(self) -> Sink:
        """A sink where the mail is to go; it is not started."""
        self._sinks += 1
        own = self._folder / f"sink-{self._sinks}"
        own.mkdir()
        sink = Sink(own, self._sink_port)
        self.relay.target = sink
        return sink
