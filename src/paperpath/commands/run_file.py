"""The command that tcpsrun runs for each client: words, in which a few facts are put.

It stands on tcpsrun's command line, or in a run file: words as a shell would read them, over as many lines as
one likes, `#` before a remark; but no shell ever sees them. Nothing that a client could choose gets in.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paperpath.service.guarded_text import GuardedTextError, read_guarded_text

MOST_OCTETS = 64 * 1024
_MARK = re.compile(r"%(.?)", re.DOTALL)


class RunFileError(Exception):
    """The command cannot be run; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands for the marks: for %1 the port, %2 the run file, %3 the socket, %4 the access level."""

    port: int
    run_file: str
    level: int | None
    socket: int = 0

    def find(self, mark: str) -> str:
        """Return what stands for one. Raises: RunFileError."""
        if mark == "4" and self.level is None:
            raise RunFileError("%4 is the level of a rule, and no rules are given")
        values = {"%": "%", "1": self.port, "2": self.run_file, "3": self.socket, "4": self.level}
        if mark not in values:
            raise RunFileError(f"%{mark} stands for nothing; %1 to %4 do, and %% for %")
        return str(values[mark])


def load_run_file(file: Path) -> tuple[str, ...]:
    """Read a run file; one that every user may write is refused (attack L-4). Raises: RunFileError."""
    try:
        return parse_command(read_guarded_text(file, MOST_OCTETS))
    except (GuardedTextError, RunFileError) as error:
        raise RunFileError(f"{file}: {error}") from error


def parse_command(text: str) -> tuple[str, ...]:
    """Read the text of a run file. Raises: RunFileError."""
    try:
        words = tuple(shlex.split(text, comments=True))
    except ValueError as error:
        raise RunFileError(f"quotes or backslashes do not match: {str(error).lower()}") from error
    if not words or not words[0]:
        raise RunFileError("expected a program and its arguments")
    return words


def substitute(words: Sequence[str], marks: Marks) -> tuple[str, ...]:
    """Put facts in the place of marks. Raises: RunFileError."""
    return tuple(_MARK.sub(lambda mark: marks.find(mark[1]), word) for word in words)
