"""The load test of relay to mailbox: `make bench`, or `.venv/bin/python -m bench [options]`."""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import ours, postfix
from bench.comparison import Comparison, compare, make_sides
from bench.relay import Relay

EXAMPLE = """\
example:
  python -m bench --rounds 5 --messages 10000 --json result.json
  python -m bench --only postfix-tuned,postfix-default --sessions 20 --messages 500
"""


@contextlib.contextmanager
def open_sides(names: Sequence[str], folder: Path, _: argparse.Namespace) -> Iterator[list[Relay]]:
    """Paperpath and Postfix, each with one mailbox."""

    def make(name: str, own: Path, port: int) -> Relay:
        if name == ours.NAME:
            return ours.Paperpath(own, port)
        return postfix.Postfix(name, postfix.Installation(), own, port)

    yield make_sides(names, folder, make)


COMPARISON = Comparison(
    "bench",
    "Measure accepted and delivered messages per second of Paperpath beside Postfix.",
    EXAMPLE,
    open_sides,
)

if __name__ == "__main__":
    sys.exit(compare(COMPARISON))
