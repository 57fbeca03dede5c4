"""What the benchmarks' command lines have in common: options, signals, errors, exit codes."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from bench.failure import BenchError
from bench.process import SIGNALS

INPUT_OUTPUT = 74  # EX_IOERR


class StoppedError(Exception):
    """A signal asked the run to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Stopped by {signal.Signals(number).name}.")
        self.status = 128 + number


def make_parser(name: str, description: str | None, example: str) -> argparse.ArgumentParser:
    """The command line of a module; what stands in `example` keeps its lines."""
    return argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=description,
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_folder(parser: argparse.ArgumentParser) -> None:
    """The option that says on which file system it is measured."""
    parser.add_argument(
        "--dir", type=Path, help="make the run's work folder in this one (default: var/bench)"
    )


def run_command(name: str, run: Callable[[], int]) -> int:
    """Run a benchmark; the exit status. A signal ends it as an error does, so that all is cleared away."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup and background jobs stay what they are
            signal.signal(number, _stop)
    try:
        return run()
    except (BenchError, StoppedError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.status
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return INPUT_OUTPUT


def positive(text: str) -> int:
    """An option's value that is a whole number above zero."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def numbers(text: str) -> tuple[int, ...]:
    """An option's value that is a list of whole numbers above zero."""
    return tuple(positive(part) for part in text.split(","))


class choice:  # noqa: N801 - reads as a function
    """An option's value that is a list of some of the allowed words, in the allowed words' order."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = allowed

    def __call__(self, text: str) -> tuple[str, ...]:
        """The words in `text`."""
        words = text.split(",")
        for word in words:
            if word not in self._allowed:
                raise argparse.ArgumentTypeError(f"{word} is none of {', '.join(self._allowed)}")
        return tuple(word for word in self._allowed if word in words)


def progress(text: str) -> None:
    """Say on the standard error how far it is."""
    print(text, file=sys.stderr, flush=True)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise StoppedError(number)
