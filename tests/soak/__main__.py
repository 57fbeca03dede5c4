"""`make soak`: mixed load on a whole installation, disturbed, then judged; exit 1 if anything is wrong."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.soak.soak import soak


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; return the exit code."""
    parser = argparse.ArgumentParser("make soak ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long the load lasts; %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of everything chosen at random; %(default)s")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="paperpath-soak-") as name:
        report = soak(Path(name), options.seconds, options.seed)
    print(f"{options.seconds:.0f} s, seed {options.seed}\n{report}")
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
