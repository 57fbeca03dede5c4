"""The text of a file that people edit and programs believe, such as the aliases.

One that every user of the host may write is refused (attack L-4), and so is one that is longer than any such
file is.
"""

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path


class EditedFileError(Exception):
    """The file cannot be used; `line`, counted from 1, is `None` where the file as a whole is meant."""

    def __init__(self, line: int | None, message: str) -> None:
        """Keep what is to be said of it."""
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class EditedText:
    """The text, and when it was written, in seconds since 1970."""

    text: str
    written_s: int


def read_edited_file(file: Path, most_octets: int) -> EditedText:
    """Read a file. Raises: EditedFileError."""
    try:
        with file.open("rb") as opened:
            found = os.fstat(opened.fileno())
            octets = opened.read(most_octets + 1)
    except OSError as error:
        raise EditedFileError(None, f"cannot be read: {error.strerror}") from error
    if found.st_mode & stat.S_IWOTH:
        command = f"chmod o-w {shlex.quote(str(file))}"
        raise EditedFileError(None, f"every user of this host may write it; run: {command}")
    if len(octets) > most_octets:
        raise EditedFileError(None, f"expected at most {most_octets} octets")
    try:
        return EditedText(octets.decode("utf-8"), int(found.st_mtime))
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise EditedFileError(line, f"expected UTF-8, got the octet {octets[error.start]:#04x}") from error
