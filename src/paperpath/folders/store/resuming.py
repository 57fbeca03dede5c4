"""Completing what a process began that was killed while messages came into a folder.

Called by access.py with the folder's lock held, so whoever began it is dead. Files that the index expects
(landing.py) lie in tmp, where they were written or linked, or in cur already; then their messages come now.
Those of a move that are in neither place never left the other folder, and do not come.
"""

import os

from paperpath.folders.store.files import FolderFiles
from paperpath.folders.store.flags import read_flags, split_entry
from paperpath.folders.store.index import CUR, FileRow, Index


def resume(index: Index, files: FolderFiles) -> None:
    """Let those messages come that can. Raises: OSError."""
    rows = index.coming()
    if not rows:
        return
    came = [row for row in rows if _bring(row, files)]
    os.fsync(files.cur)
    with index.changing():
        index.drop_files({row.uid for row in rows} - {row.uid for row in came})
        index.move_files((CUR, row.name, row.uid) for row in came)
        index.add_messages(
            ((row.uid, read_flags(split_entry(row.name)[1])) for row in came), index.raise_modseq()
        )
        index.set_state(cur_ns=-1)


def _bring(row: FileRow, files: FolderFiles) -> bool:
    """See to it that a file lies in cur, if there is one."""
    try:
        os.stat(row.name, dir_fd=files.cur, follow_symlinks=False)
    except FileNotFoundError:
        try:
            os.rename(row.base, row.name, src_dir_fd=files.tmp, dst_dir_fd=files.cur)
        except FileNotFoundError:
            return False
    return True
