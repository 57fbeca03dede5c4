"""A text file that people edit and commands change: one writer at a time, who replaces it whole.

Used by the accounts, the secrets and the access rules. The writer holds the lock beside the file; who reads
needs none, since a new file takes the old one's place.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paperpath.service.durable import replace_text


@contextmanager
def editing(file: Path, heading: str, like: os.stat_result | None = None) -> Iterator[list[str]]:
    """Give the file's lines to change, then put a new file in its place, flushed, with the modes of `like`.

    A file that is not there yet has the heading alone; what is raised inside leaves the file as it is.

    Raises: OSError.
    """
    with open(file.with_suffix(".lock"), "r+b", opener=_open_lock) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = _read_lines(file, heading)
        yield lines
        replace_text(file, "".join(lines), like)


def _read_lines(file: Path, heading: str) -> list[str]:
    """Return the lines as they are, each with its end."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return [heading]
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines


def _open_lock(name: str, flags: int) -> int:
    """Make the lock if it is not there; one that is a link is none, for it may lead root elsewhere."""
    return os.open(name, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
