"""The load test of relay in to relay out, beside Postfix: `.venv/bin/python -m bench.relaying [options]`.

Both sides take the same load and relay it to the same smtp-sink; the end to end rate is *delivered*: from the
first message sent to the last one in the sink. `--connections` is the way of the source, `--outwards` that of
the sides. Results go to the standard output, progress and errors to the standard error.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import ours, postfix, settings
from bench.comparison import KEPT, Comparison, compare, make_sides
from bench.relay import DOMAIN, Relay, free_ports
from bench.sink import Sink

MAILBOXES = "mailboxes.test"  # a domain of ours that gets no mail
TUNINGS = {
    postfix.DEFAULT_NAME: settings.DEFAULT,
    postfix.TUNED_NAME: settings.RELAYING,
    postfix.EXPERT_NAME: settings.RELAYING_EXPERT,
}
EXAMPLE = """\
example:
  python -m bench.relaying --only paperpath,postfix-tuned --messages 5000 --rounds 3
  python -m bench.relaying --connections single --outwards single
"""


class Paperpath(ours.Paperpath):
    """Paperpath that relays to a sink."""

    def __init__(self, folder: Path, port: int, sink: Sink, kept: bool) -> None:
        super().__init__(folder, port)
        self.target = sink
        self._sink_port = sink.port
        self._kept = kept

    def init(self) -> None:
        """Make a configuration that has the load relayed."""
        super().init()
        self.amend(f'domain = "{DOMAIN}"\nvia = "local"', f'domain = "{MAILBOXES}"\nvia = "local"')
        self.append(f'[[post_office.route]]\ndomain = "{DOMAIN}"\nvia = "smtp://127.0.0.1:{self._sink_port}"')
        if not self._kept:
            self.append("[remote]\nmessages_per_connection = 1")


class Postfix(postfix.Postfix):
    """A private Postfix that relays to a sink."""

    def __init__(self, name: str, folder: Path, port: int, sink: Sink, kept: bool) -> None:
        super().__init__(name, postfix.Installation(), folder, port)
        self.target = sink
        self._way = settings.to_sink(sink.port, kept)

    def _main_cf(self) -> str:
        return settings.main_cf(self._places, self._way, TUNINGS[self.name])


def add_options(parser: argparse.ArgumentParser) -> None:
    """What this comparison alone has."""
    parser.add_argument(
        "--outwards",
        choices=tuple(KEPT),
        default="kept",
        help="connections to the sink: kept as each side likes, or one for each message (default: kept)",
    )


@contextlib.contextmanager
def open_sides(names: Sequence[str], folder: Path, options: argparse.Namespace) -> Iterator[list[Relay]]:
    """Paperpath and Postfix beside the sink that both relay to."""
    sink = Sink(folder, free_ports(1)[0])
    kept = KEPT[options.outwards]

    def make(name: str, own: Path, port: int) -> Relay:
        if name == ours.NAME:
            return Paperpath(own, port, sink, kept)
        return Postfix(name, own, port, sink, kept)

    try:
        sink.start()
        yield make_sides(names, folder, make)
    finally:
        sink.stop()


COMPARISON = Comparison(
    "bench.relaying",
    "Measure messages per second from relay in to relay out of Paperpath beside Postfix.",
    EXAMPLE,
    open_sides,
    add_options,
)

if __name__ == "__main__":
    sys.exit(compare(COMPARISON))
