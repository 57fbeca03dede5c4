"""The aliases file on disk and the lists that it includes, for the programs that route, and commands.

Programs and files are named by the administrator alone: in a file that is root's or the service user's, and
that nobody else may write (attack L-4).
"""

from collections.abc import Iterable
from pathlib import Path

from paperpath.config.loader import Problem
from paperpath.routing.aliases import Aliases
from paperpath.routing.aliases_text import AliasesTextError, parse_aliases
from paperpath.routing.included_lists import include_lists
from paperpath.service.guarded_text import GuardedTextError, read_guarded
from paperpath.service.watched_file import WatchedFile, look_at

MOST_OCTETS = 64 * 2**20
PLACES_REFUSED = (
    "programs and files may be named only in a file of root or the service user that nobody else may write"
)


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
        self._included = self._table.included

    def read(self) -> Aliases:
        """Return what the file and the lists in it say; the same object, while they are the same files."""
        found = {name: look_at(name) for name in self._table.included}
        if found != self._included:
            self._included, self._seen = found, None
        before, table = self._table, super().read()
        if table is not before:
            self._included = table.included
        return table


def load_aliases(file: Path) -> Aliases:
    """Read a file and what it includes; one that every user of the host may write is refused (attack L-4).

    Raises: AliasesError.
    """
    try:
        guarded = read_guarded(file, MOST_OCTETS)
        aliases = parse_aliases(guarded.text)
    except GuardedTextError as error:
        raise AliasesError([Problem(file, error.line, str(error))]) from error
    except AliasesTextError as error:
        raise AliasesError(Problem(file, line, message) for line, message in error.mistakes) from None
    if not guarded.is_administrators and aliases.with_own_targets:
        raise AliasesError(Problem(file, alias.line, PLACES_REFUSED) for alias in aliases.with_own_targets)
    return include_lists(aliases, is_trusted=guarded.is_administrators)
