"""Counting what lies in a mailbox, and a new `maildirsize` that says so (requirement F-10).

Called by quota.py, with open folders. The mailbox is counted while others put things there and take them
away. So the new file stays only if no folder changed from before the counting to after the renaming: what
changed later was written by somebody who found the new file, or who finds that the one he had open is gone.
Times are compared with that of the new file, which the same file system made, and however coarse they are:
a folder that changed in that very moment may change again in it, and nobody would see.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress

from paperpath.config.quota import Quota
from paperpath.folders.names import find_size
from paperpath.folders.parts import open_parts
from paperpath.folders.quota_text import Usage, format_sums

FILE_NAME = "maildirsize"
TRASH = "Trash"  # what lies there does not count

_MODE = 0o600

Changes = dict[tuple[str, str], int]  # when names last came or went, for each folder that counts


def count_anew(mailbox: int, tmp: int, quota: Quota) -> Usage:
    """Count an open mailbox, and write down what was found where that can be relied on. Raises: OSError."""
    name = f"{FILE_NAME}.{secrets.token_hex(8)}"
    try:
        descriptor = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE, dir_fd=tmp
        )
    except OSError:  # no room for it, perhaps: so it is counted again the next time
        return _survey(mailbox)[0]
    try:
        return _count_into(descriptor, name, mailbox, tmp, quota)
    finally:
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(name, dir_fd=tmp)


def forget_count(mailbox: int) -> None:
    """Have a mailbox counted by the next who asks how full it is."""
    with suppress(OSError):  # where it cannot be removed it cannot be written either
        os.unlink(FILE_NAME, dir_fd=mailbox)


def _count_into(descriptor: int, name: str, mailbox: int, tmp: int, quota: Quota) -> Usage:
    begun_ns = os.fstat(descriptor).st_mtime_ns
    usage, changes = _survey(mailbox)
    with suppress(OSError):
        os.fchmod(descriptor, _MODE)  # whatever the umask
        os.write(descriptor, format_sums(quota, usage))  # of half a file nobody takes anything
        os.rename(name, FILE_NAME, src_dir_fd=tmp, dst_dir_fd=mailbox)
        if max(changes.values(), default=0) >= begun_ns or _find_changes(mailbox) != changes:
            forget_count(mailbox)
    return usage


def _survey(mailbox: int) -> tuple[Usage, Changes]:
    """Count a mailbox; give when each of its folders had changed before that."""
    octets = messages = 0
    changes: Changes = {}
    for folder, part, directory in _open_counted(mailbox):
        changes[folder, part] = os.fstat(directory).st_mtime_ns
        with os.scandir(directory) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    with suppress(
                        FileNotFoundError
                    ):  # it was moved or removed, and so the folder has changed
                        octets += _size_of(entry)
                        messages += 1
    return Usage(octets, messages), changes


def _find_changes(mailbox: int) -> Changes:
    return {
        (folder, part): os.fstat(directory).st_mtime_ns for folder, part, directory in _open_counted(mailbox)
    }


def _open_counted(mailbox: int) -> Iterator[tuple[str, str, int]]:
    return (found for found in open_parts(mailbox) if found[0] != f".{TRASH}")


def _size_of(entry: "os.DirEntry[str]") -> int:
    size = find_size(entry.name)
    return entry.stat(follow_symlinks=False).st_size if size is None else size
