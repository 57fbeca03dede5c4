"""The file of a list, for the program that publishes it and the commands that look at it."""

from collections.abc import Iterable
from pathlib import Path

from paperpath.config.loader import Problem
from paperpath.dnslist.list_text import AddressList, ListTextError, parse_list
from paperpath.service.guarded_text import GuardedTextError, read_guarded_text
from paperpath.service.watched_file import WatchedFile

MOST_OCTETS = 64 * 2**20


class ListFileError(Exception):
    """The file cannot be used. `problems` has the first mistakes, in the order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Gather the problems, one at least; `str()` gives one line for each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ListFile(WatchedFile[AddressList]):
    """The list as the file has it now."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises: ListFileError."""
        super().__init__(file, load_list, ListFileError)


def load_list(file: Path) -> AddressList:
    """Read a file; one that every user of the host may write is refused (attack L-4).

    Raises: ListFileError.
    """
    try:
        text = read_guarded_text(file, MOST_OCTETS)
        return parse_list(text, int(file.stat().st_mtime))
    except GuardedTextError as error:
        raise ListFileError([Problem(file, error.line, str(error))]) from error
    except OSError as error:  # it was there a moment ago
        raise ListFileError([Problem(file, None, f"cannot be read: {error.strerror}")]) from error
    except ListTextError as error:
        raise ListFileError(Problem(file, line, message) for line, message in error.mistakes) from None
