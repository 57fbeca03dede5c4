"""The masquerade table on disk, for smtpsd and mailto; as quick to import as the canonical form."""

import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from paperpath.config.domain import DomainPattern
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
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            octets = opened.read(_MOST_OCTETS + 1)
    except OSError as error:
        raise MasqueradeFileError(f"{file}: cannot be read: {error.strerror}") from error
    if mode & stat.S_IWOTH:
        command = f"chmod o-w {shlex.quote(str(file))}"
        raise MasqueradeFileError(f"{file}: every user of this host may write it; run: {command}")
    if len(octets) > _MOST_OCTETS:
        raise MasqueradeFileError(f"{file}: expected at most {_MOST_OCTETS} octets")
    try:
        return parse_masquerade(octets.decode("utf-8"), hidden, name)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        found = f"expected UTF-8, got the octet {octets[error.start]:#04x}"
        raise MasqueradeFileError(f"{file}:{line}: {found}") from error
    except MasqueradeError as error:
        lines = (f"{file}:{line}: {message}" for line, message in error.mistakes)
        raise MasqueradeFileError("\n".join(lines)) from None
