"""What an account's quota says of changes in a folder; that for trash does not count (requirement F-10)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from paperpath.folders.names import find_size
from paperpath.folders.quota import Allowance
from paperpath.folders.quota_count import TRASH
from paperpath.folders.store.access import FolderAccess


@contextmanager
def open_allowance(access: FolderAccess) -> Iterator[Allowance | None]:
    """Look at what the account may hold; `None` where nothing limits it, or the folder does not count.

    What is taken and released there is written down at the end, unless an error comes.
    """
    if not access.home.quota.is_limit or access.files.step == f".{TRASH}":
        yield None
        return
    allowance = Allowance(access.files.home, access.files.tmp, access.home.quota)
    try:
        yield allowance
        allowance.record()
    finally:
        allowance.close()


def admit(allowance: Allowance | None, octets: int) -> None:
    """Count a message in. Raises: OverQuotaError; OverWholeQuotaError."""
    if allowance is not None:
        allowance.admit(octets)
        allowance.take(octets)


def stored_octets(directory: int, name: str) -> int:
    """Return how large a file is, as it counts. Raises: OSError."""
    told = find_size(name)
    return os.stat(name, dir_fd=directory, follow_symlinks=False).st_size if told is None else told
