"""A text file that people edit and programs trust: read whole, unless everybody may write it (attack L-4).

Used for the aliases and the lists that they include, names that are shown for users, and the access rules.
"""

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from paperpath.service.watched_file import Sight, make_sight


class GuardedTextError(Exception):
    """The file cannot be read; `str()` says why, and `line` where, if it is one line's fault."""

    def __init__(self, message: str, line: int | None = None) -> None:
        """Take what is wrong."""
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class GuardedText:
    """The text of a file, what its file looked like, and whether it is an administrator's.

    That is what belongs to root or to the user who reads it, and what nobody else may write.
    """

    text: str
    sight: Sight
    is_administrators: bool


def read_guarded_text(file: Path, most_octets: int) -> str:
    """Return the text. Raises: GuardedTextError."""
    return read_guarded(file, most_octets).text


def read_guarded(file: Path, most_octets: int) -> GuardedText:
    """Return the text and whose it is. Raises: GuardedTextError."""
    try:
        with open(file, "rb", opener=_open) as opened:
            found = os.fstat(opened.fileno())
            mode = found.st_mode
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
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise GuardedTextError(f"expected UTF-8, got the octet {octets[error.start]:#04x}", line) from error
    is_administrators = found.st_uid in (0, os.geteuid()) and not mode & (stat.S_IWGRP | stat.S_IWOTH)
    return GuardedText(text, make_sight(found), is_administrators)


def _open(name: str, flags: int) -> int:
    """Open without waiting for whoever may write to a pipe: a program that serves clients reads here."""
    return os.open(name, flags | os.O_NONBLOCK)
