"""The masquerade table on disk, for smtpsd and mailto; as quick to import as the canonical form."""

from collections.abc import Sequence
from pathlib import Path

from paperpath.config.domain import DomainPattern
from paperpath.service.guarded_text import GuardedTextError, read_guarded_text
from paperpath.submission.canonical.masquerade import MasqueradeError, parse_masquerade
from paperpath.submission.canonical.values import Masquerade

_MOST_OCTETS = 16 * 2**20


class MasqueradeFileError(Exception):
    """The file cannot be used; `str()` has one line for each mistake, with the file and the line in it."""


def load_masquerade(file: Path, hidden: Sequence[DomainPattern], name: str) -> Masquerade:
    """Read the file that goes with hidden domains and a name; one that every user may write is refused (L-4).

    Raises: MasqueradeFileError.
    """
    try:
        return parse_masquerade(read_guarded_text(file, _MOST_OCTETS), hidden, name)
    except GuardedTextError as error:
        place = file if error.line is None else f"{file}:{error.line}"
        raise MasqueradeFileError(f"{place}: {error}") from error
    except MasqueradeError as error:
        lines = (f"{file}:{line}: {message}" for line, message in error.mistakes)
        raise MasqueradeFileError("\n".join(lines)) from None
