"""The files of messages opened, and measured as they are served; what was found is kept in the index."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing

from paperpath.folders.names import is_verbatim
from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.content import ServedFile
from paperpath.folders.store.index import FileRow
from paperpath.folders.store.values import Measure

_KEPT_AT_ONCE = 500


def find_file(access: FolderAccess, uid: int) -> tuple[FileRow, int] | None:
    """Open a message's file, after another look where another program gave it another name.

    The caller closes it.
    """
    if (found := _open_known(access, uid)) is not None:
        return found
    with access.locked():
        access.doubt()
        return _open_known(access, uid)


def open_file(access: FolderAccess, row: FileRow) -> int | None:
    """Open a file where it was; `None` where it is no more."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(row.name, flags, dir_fd=access.files.parts[row.part])
    except FileNotFoundError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def measure_messages(access: FolderAccess, uids: Sequence[int]) -> Iterator[Measure]:
    """Give lengths and identities, by UID; of files that are gone there are none."""
    found: list[tuple[int, str, int]] = []
    for row in access.index.files(uids):
        if row.octets is not None and row.email_id is not None:
            yield Measure(row.uid, row.octets, row.email_id)
        elif (measure := _measure(access, row)) is not None:
            found.append((measure.octets, measure.email_id, measure.uid))
            if len(found) >= _KEPT_AT_ONCE:
                _keep(access, found)
            yield measure
    _keep(access, found)


def _open_known(access: FolderAccess, uid: int) -> tuple[FileRow, int] | None:
    """Open a message's file; `None` where it is not under the name we know."""
    row = next(access.index.files([uid]), None)
    descriptor = None if row is None else open_file(access, row)
    return None if row is None or descriptor is None else (row, descriptor)


def _measure(access: FolderAccess, row: FileRow) -> Measure | None:
    descriptor = open_file(access, row)
    if descriptor is None:
        found = find_file(access, row.uid)
        if found is None:
            return None
        row, descriptor = found
    with closing(ServedFile(descriptor, verbatim=is_verbatim(row.base))) as file:
        return Measure(row.uid, *file.measure())


def _keep(access: FolderAccess, found: list[tuple[int, str, int]]) -> None:
    if found:
        with access.files.locked(), access.index.changing(flushed=False):
            access.index.set_measures(found)
        found.clear()
