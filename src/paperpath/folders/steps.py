"""Folders opened and made step by step, each relative to the one before, no link followed (attack L-1).

Called by maildir.py. What is opened stays what it was, whatever is put in its place. A folder's name is
durable before anything is made in the folder, so whoever finds something in it need not flush what is above
(promise P2).
"""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from paperpath.service.durable import flush_directory, open_directory

_MODE = 0o700


class OpenToAllError(OSError):
    """A folder in which every user of the host may put things: whoever delivered there would follow them."""


def open_path(root: Path, parts: Sequence[str], opened: ExitStack, *, create: bool = False) -> list[int]:
    """Open a root and the folders below it; what is missing is made with `create`. `opened` closes them.

    Raises: OSError; FileNotFoundError where something is missing and not to be made.
    """
    if create and not root.exists():
        _make_root(root)
    descriptors = [_keep(open_directory(root), opened)]
    refuse_open_to_all(descriptors[0])
    for part in parts:
        try:
            step = open_step(descriptors[-1], part)
        except FileNotFoundError:
            if not create:
                raise
            if len(descriptors) > 1:
                os.fsync(descriptors[-2])
            else:
                flush_directory(root.parent)
            step = make_step(descriptors[-1], part)
        descriptors.append(_keep(step, opened))
        refuse_open_to_all(step)
    return descriptors


def open_step(parent: int, name: str) -> int:
    """Open a folder in an open one, no link to one; the caller closes. Raises: OSError."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def make_step(parent: int, name: str) -> int:
    """Make a folder in an open one, for its owner alone whatever the umask, unless somebody did; open it.

    Its name is not flushed; the caller closes. Raises: OSError.
    """
    try:
        os.mkdir(name, _MODE, dir_fd=parent)
    except FileExistsError:
        return open_step(parent, name)
    step = open_step(parent, name)
    try:
        os.fchmod(step, _MODE)
    except OSError:
        os.close(step)
        raise
    return step


def refuse_open_to_all(folder: int) -> None:
    """Raises: OpenToAllError, where every user of the host may write in an open folder."""
    if os.fstat(folder).st_mode & stat.S_IWOTH:
        raise OpenToAllError(errno.EPERM, "every user of the host may write there")


def _make_root(root: Path) -> None:
    """Make a folder and those above it, from the top, each flushed before the next."""
    missing = [level for level in (root, *root.parents) if not level.exists()]
    for level in reversed(missing):
        level.mkdir(mode=_MODE, exist_ok=True)
        flush_directory(level.parent)


def _keep(descriptor: int, opened: ExitStack) -> int:
    opened.callback(os.close, descriptor)
    return descriptor
