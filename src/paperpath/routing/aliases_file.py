"""The aliases file on disk, for the programs that route and the commands that look at it."""

from collections.abc import Iterable
from pathlib import Path

from paperpath.config.loader import Problem
from paperpath.routing.aliases import Aliases
from paperpath.routing.aliases_text import AliasesTextError, parse_aliases
from paperpath.service.guarded_text import GuardedTextError, read_guarded_text
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
        return parse_aliases(read_guarded_text(file, MOST_OCTETS))
    except GuardedTextError as error:
        raise AliasesError([Problem(file, error.line, str(error))]) from error
    except AliasesTextError as error:
        raise AliasesError(Problem(file, line, message) for line, message in error.mistakes) from None
