"""A text file that people edit and programs trust: read whole, unless everybody may write it (attack L-4).

Used for the aliases, the names that are shown for users, and the access rules.
"""

import os
import shlex
import stat
from pathlib import Path


class GuardedTextError(Exception):
    """The file cannot be read; `str()` says why, and `line` where, if it is one line's fault."""

    def __init__(self, message: str, line: int | None = None) -> None:
        """Take what is wrong."""
        super().__init__(message)
        self.line = line


def read_guarded_text(file: Path, most_octets: int) -> str:
    """Return the text. Raises: GuardedTextError."""
    try:
        with open(file, "rb", opener=_open) as opened:
            mode = os.fstat(opened.fileno()).st_mode
            octets = opened.read(most_octets + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise GuardedTextError(f"cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise GuardedTextError("expected a file, and no pipe or device")
    if mode & stat.S_IWOTH:
        command = f"chmod o-w {shlex.quote(str(file))}"
        raise GuardedTextError(f"every user of this host may write it; run: {command}")
    if len(octets) > most_octets:
        raise GuardedTextError(f"expected at most {most_octets} octets")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise GuardedTextError(f"expected UTF-8, got the octet {octets[error.start]:#04x}", line) from error


def _open(name: str, flags: int) -> int:
    """Open without waiting for whoever may write to a pipe: a program that serves clients reads here."""
    return os.open(name, flags | os.O_NONBLOCK)
