"""The folders of a whole mailbox where its messages lie: walked by who looks for one, and who counts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from paperpath.folders.steps import open_step


def open_parts(mailbox: int) -> Iterator[tuple[str, str, int]]:
    """Give new and cur of an open mailbox and of the folders in it, each open while it is looked at.

    The folder's name comes before that, `.` for the mailbox itself. What is missing is passed over.
    """
    with os.scandir(mailbox) as entries:
        subfolders = [
            entry.name
            for entry in entries
            if entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]
    for subfolder in (".", *subfolders):
        for part in ("new", "cur"):
            with (
                suppress(FileNotFoundError, NotADirectoryError),
                _opened(mailbox, subfolder) as folder,
                _opened(folder, part) as directory,
            ):
                yield subfolder, part, directory


@contextmanager
def _opened(parent: int, name: str) -> Iterator[int]:
    descriptor = open_step(parent, name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
