"""The aliases file on disk, for the programs that route and the commands that look at it."""

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from paperpath.config.loader import Problem
from paperpath.routing.aliases import Aliases
from paperpath.routing.aliases_text import AliasesTextError, parse_aliases
from paperpath.service.watched_file import WatchedFile

MOST_OCTETS = 64 * 2**20


class AliasesError(Exception):
    """The file cannot be used. `problems` has every mistake, in the order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Gather the problems, one at least; `str()` gives one line for each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class AliasesFile(WatchedFile[Aliases]):
    """The aliases as the file has them now."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises: AliasesError."""
        super().__init__(file, load_aliases, AliasesError)


def load_aliases(file: Path) -> Aliases:
    """Read a file; one that every user of the host may write is refused (attack L-4).

    Raises: AliasesError.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            octets = opened.read(MOST_OCTETS + 1)
    except OSError as error:
        raise _fail(file, None, f"cannot be read: {error.strerror}") from error
    if mode & stat.S_IWOTH:
        command = f"chmod o-w {shlex.quote(str(file))}"
        raise _fail(file, None, f"every user of this host may write it; run: {command}")
    if len(octets) > MOST_OCTETS:
        raise _fail(file, None, f"expected at most {MOST_OCTETS} octets")
    try:
        return parse_aliases(octets.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _fail(file, line, f"expected UTF-8, got the octet {octets[error.start]:#04x}") from error
    except AliasesTextError as error:
        raise AliasesError(Problem(file, line, message) for line, message in error.mistakes) from None


def _fail(file: Path, line: int | None, message: str) -> AliasesError:
    return AliasesError([Problem(file, line, message)])
