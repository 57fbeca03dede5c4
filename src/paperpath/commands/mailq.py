"""`mailq`: lists the mail that waits; ordinary users see their own, the operator sees all (requirement J-15).

Also what `sendmail -bp` does. It asks smtppd page by page, so the queue may be as long as it likes, and who
reads slowly keeps nobody waiting. It has to answer at once, so it imports nothing heavy.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NoReturn

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.mailq_rendering import EMPTY, HEAD, Waiting, describe_total, to_lines, to_object
from paperpath.commands.plain_configuration import load_plain
from paperpath.commands.plain_options import PlainParser, choose_configuration
from paperpath.config.places import ENQUIRIES_NAME
from paperpath.service.asking import Object, exchange
from paperpath.service.errors import ServiceError
from paperpath.service.printable import format_text

_PROGRAM = "smtppd"
_ASK_S = 30.0  # many may ask at once, and each waits for his turn
_NOT_RUNNING = "nothing that waits is lost; `paperpath queue list` shows it to the operator"


def make_parser() -> PlainParser:
    """Describe the command line."""
    parser = PlainParser(
        "mailq", "List the mail that waits in the queue: your own, or as root all of it.", "mailq --json"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="for scripts: one object a line")
    parser.add_argument("-v", action="store_true", help="ignored: other mailqs have it")
    return parser


def main() -> NoReturn:
    """Run the command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is begun that would have to be finished
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> Exit:
    """List the queue; return the exit code, having said on standard error what is wrong, if anything is."""
    asked = make_parser().parse_args(arguments)
    try:
        print_queue(choose_configuration(asked.config), as_json=asked.as_json)
    except ExitError as error:
        sys.stderr.write(f"mailq: {format_text(str(error))}\n")
        return error.exit_code
    except BrokenPipeError:  # who reads only the beginning knows that
        _forget_output()
        return Exit.IO
    return Exit.TAKEN


def print_queue(file: Path, *, as_json: bool = False) -> None:
    """Print the queue as the user may see it. Raises: ExitError; BrokenPipeError, where nobody reads it."""
    folder = load_plain(file).run_folder
    lines = _describe_json(folder) if as_json else _describe(folder)
    if sys.stdout is None:
        raise ExitError(Exit.IO, "standard output is closed")
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget_output()
        raise ExitError(Exit.IO, f"the list cannot be written: {error.strerror}") from error


def _describe(folder: Path) -> Iterator[str]:
    messages = octets = 0
    for waiting in _read_queue(folder):
        if not messages:
            yield HEAD
        yield from to_lines(waiting)
        messages += 1
        octets += waiting[0]["size"]
    yield describe_total(messages, octets) if messages else EMPTY


def _describe_json(folder: Path) -> Iterator[str]:
    return (json.dumps(to_object(waiting)) for waiting in _read_queue(folder))


def _read_queue(folder: Path) -> Iterator[Waiting]:
    """Give what waits of each message, in order."""
    for _, entries in groupby(_read_entries(folder), key=itemgetter("queue_id")):
        yield list(entries)


def _read_entries(folder: Path) -> Iterator[Object]:
    after: list[int] | None = [0, 0]
    while after is not None:
        page = _ask(folder, after)
        yield from page["entries"]
        after = page["after"]


def _ask(folder: Path, after: Sequence[int]) -> Object:
    try:
        return exchange(folder, ENQUIRIES_NAME, _PROGRAM, {"command": "queue", "after": after}, _ASK_S)
    except ServiceError as error:
        if error.exit_code == os.EX_UNAVAILABLE:
            raise ExitError(Exit.LATER, f"{error}; {_NOT_RUNNING}") from error
        raise ExitError(Exit(error.exit_code), str(error)) from error


def _forget_output() -> None:
    """Leave nothing to be written when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
