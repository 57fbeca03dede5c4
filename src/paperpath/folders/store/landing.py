"""Messages come into a folder: all or none, even if the process is killed at any point.

Used by appending.py and transfer.py, with the folder's lock held. First the index says, flushed, which files
with which UIDs are on their way: that decides. Then the files get their names in cur, which is flushed; then
they are messages. Who comes after a death completes it (resuming.py).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.errors import FolderLostError, IndexTroubleError
from paperpath.folders.store.flags import write_flags
from paperpath.folders.store.index import COMING, CUR, FileRow


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is to become a message: where it lies now, and what it will be; `flags` by number.

    A file in tmp lies there under its base.
    """

    directory: int
    name: str
    base: str
    flags: int
    internal_us: int
    octets: int | None = None
    email_id: str | None = None

    @property
    def new_name(self) -> str:
        """Its name in cur."""
        return self.base + write_flags("", self.flags)


def land(access: FolderAccess, candidates: Sequence[Candidate]) -> range:
    """Make files messages, and give their UIDs.

    Raises: OSError, IndexTroubleError; then they lie where they lay, and do not come.
    """
    index, now_us = access.index, access.home.clock_ns() // 1000
    if len(candidates) > 1 and candidates[0].directory == access.files.tmp:
        os.fsync(access.files.tmp)  # else a power cut may take some of the names, and the others would come
    with index.changing():
        uids = index.take_uids(len(candidates))
        index.add_files(
            FileRow(uid, COMING, one.base, one.new_name, one.internal_us, now_us, one.octets, one.email_id)
            for uid, one in zip(uids, candidates, strict=True)
        )
    _bring_all(access, candidates, uids)
    # They come all the same, by who resumes, so nobody may be told otherwise.
    with suppress(IndexTroubleError, FolderLostError, OSError):
        _record(access, candidates, uids)
    return uids


def _record(access: FolderAccess, candidates: Sequence[Candidate], uids: range) -> None:
    """Make them messages in the index; not flushed, for it is found out again by who resumes."""
    index = access.index
    with index.changing(flushed=False):
        index.move_files((CUR, one.new_name, uid) for uid, one in zip(uids, candidates, strict=True))
        flags = (one.flags for one in candidates)
        index.add_messages(zip(uids, flags, strict=True), index.raise_modseq())
        if any(one.directory in access.files.parts[: CUR + 1] for one in candidates):
            index.set_state(cur_ns=-1)  # what moved within the folder is gone from where it was
        else:
            access.note_times(CUR)


def _bring_all(access: FolderAccess, candidates: Sequence[Candidate], uids: range) -> None:
    cur, brought = access.files.cur, list[Candidate]()
    try:
        for one in candidates:
            os.rename(one.name, one.new_name, src_dir_fd=one.directory, dst_dir_fd=cur)
            brought.append(one)
        os.fsync(cur)
    except OSError:
        for one in reversed(brought):
            with suppress(OSError):
                os.rename(one.new_name, one.name, src_dir_fd=cur, dst_dir_fd=one.directory)
        with access.index.changing():
            access.index.drop_files(uids)
            access.index.set_state(new_ns=-1, cur_ns=-1)
        raise
