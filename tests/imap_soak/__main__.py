"""`make imap-soak`: random clients on one mailbox while imapd is killed; exit 1 if there is not one truth."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.imap_soak.soak import soak


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; return the exit code."""
    parser = argparse.ArgumentParser("make imap-soak ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long they work; %(default)s")
    parser.add_argument("--clients", type=int, default=20, help="how many; %(default)s")
    parser.add_argument("--kills", type=int, default=100, help="deaths of imapd at most; %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of everything chosen at random; %(default)s")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="paperpath-imap-soak-") as name:
        report = soak(Path(name), options.seconds, options.seed, options.clients, options.kills)
    print(f"{options.clients} clients, {options.seconds:.0f} s, seed {options.seed}\n{report}")
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
