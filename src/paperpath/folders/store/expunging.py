"""EXPUNGE: files are removed, which is flushed, then their messages, which then have departed.

Called by open_folder.py with the folder's lock held. Where the process is killed in between, the next look
finds that the files are gone.
"""

import os
from collections.abc import Sequence

from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.allotment import open_allowance, stored_octets
from paperpath.folders.store.index import FileRow


def expunge_messages(access: FolderAccess, uids: Sequence[int] | None) -> list[int]:
    """Remove what is \\Deleted, of some messages or of all, and give the UIDs. Raises: OSError."""
    deleted = access.index.deleted()
    if uids is not None:
        named = frozenset(uids)
        deleted = [uid for uid in deleted if uid in named]
    removed = list[FileRow]()
    if not deleted:
        return []
    with open_allowance(access) as allowance:
        try:
            for row in access.index.files(deleted):
                if (octets := _remove(access, row)) is None:
                    continue
                removed.append(row)
                if allowance is not None:
                    allowance.release(octets)
        finally:
            _record(access, removed)
    if len(removed) < len(deleted):
        access.doubt()
    return [row.uid for row in removed]


def _remove(access: FolderAccess, row: FileRow) -> int | None:
    """Remove a file, and give how large it was; `None` if another program renamed or removed it."""
    directory = access.files.parts[row.part]
    try:
        octets = stored_octets(directory, row.name)
        os.unlink(row.name, dir_fd=directory)
    except FileNotFoundError:
        return None
    return octets


def _record(access: FolderAccess, removed: Sequence[FileRow]) -> None:
    if not removed:
        return
    parts = sorted({row.part for row in removed})
    for part in parts:
        os.fsync(access.files.parts[part])
    index = access.index
    with index.changing():
        index.remove_messages([row.uid for row in removed], index.raise_modseq())
        access.note_times(*parts)
