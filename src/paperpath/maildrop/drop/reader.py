"""Reading a file that somebody of this host left in the drop directory, and who may be hostile (attack L-2).

Called by folder.py. The owner may keep the file open and write it while it is read, so whatever is handed on
is digested and checked in the same reading, whatever stands in the file afterwards. A content that is read
twice must have the same digest twice.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass

from paperpath.maildrop.drop.format import (
    HEAD_OCTETS,
    MOST_ENVELOPE_OCTETS,
    ContentCheck,
    DropError,
    Head,
    UnreadableError,
    parse_head,
)

# O_NONBLOCK: a FIFO, a device or somebody's lease on the file makes nobody wait.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KEY = re.compile(r"drop:(.+):\d+:\d+:-?\d+")
_CHUNK_OCTETS = 256 * 1024
# What may be otherwise a moment later; any other error of a file is a reason to put it aside.
_PASSING = frozenset({errno.ENOENT, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class DropFile:
    """An open file: whose it is, its envelope's octets, and the key under which it may be taken once only.

    The key holds as long as the file does: a crash behind its acceptance brings the same key again. Time and
    inode are in it so that a name that a writer of somebody's own gives again is another message.
    """

    name: str
    uid: int
    unique: str
    envelope: bytes
    identity: tuple[int, int]
    _head: Head
    _begin: int
    _descriptor: int

    @property
    def content_octets(self) -> int:
        """How long the content should be."""
        return self._head.content_octets

    def copy_content(self, write: Callable[[bytes], None]) -> None:
        """Hand all of the content on, from its beginning; what was handed on counts only if this returns.

        Called twice it gives the same octets twice: each time they must have the digest that was read once.

        Raises: DropError, if it is not what its writer made; OSError; whatever `write` raises.
        """
        content = ContentCheck(self._head.content_octets)
        os.lseek(self._descriptor, self._begin, os.SEEK_SET)
        while content.octets < self._head.content_octets:
            chunk = _read(self._descriptor, min(_CHUNK_OCTETS, self._head.content_octets - content.octets))
            if not chunk:
                raise DropError("the content is incomplete")
            content.add(chunk)
            write(chunk)
        if content.finish() != self._head.content_digest:
            raise DropError("the content's digest differs")
        if _read(self._descriptor, 1):
            raise DropError("something follows the content")

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def open_drop(directory: int, name: str, most_octets: int) -> DropFile:
    """Open a file of the directory, and read all but its content; the caller closes.

    Raises: DropError, for what is no message; UnreadableError; OSError, for what may be one a moment later,
    or is gone.
    """
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=directory)
    except OSError as error:
        if error.errno in _PASSING:
            raise
        raise _fault(f"the file cannot be opened: {error.strerror}", error) from error
    try:
        return _read_head(descriptor, name, most_octets)
    except BaseException:
        os.close(descriptor)
        raise


def name_of_key(key: str) -> str | None:
    """Return the name of the file that had a key; `None` for a key of something else."""
    match = _KEY.fullmatch(key)
    return match and match[1]


def _read_head(descriptor: int, name: str, most_octets: int) -> DropFile:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise DropError("this is no regular file")
    if found.st_nlink == 0:
        raise FileNotFoundError(errno.ENOENT, "its owner took it back")
    if found.st_nlink > 1:
        raise DropError("the file has other names too")
    if found.st_size > HEAD_OCTETS + MOST_ENVELOPE_OCTETS + most_octets:
        raise DropError(f"the content has more than {most_octets} octets")
    head = parse_head(_read_all(descriptor, HEAD_OCTETS))
    if head.content_octets > most_octets:
        raise DropError(f"the content has more than {most_octets} octets")
    if head.file_octets != found.st_size:
        raise DropError("the file is not as long as it says")
    envelope = _read_all(descriptor, head.envelope_octets)
    if hashlib.sha256(envelope).digest() != head.envelope_digest:
        raise DropError("the envelope's digest differs")
    unique = f"drop:{name}:{found.st_uid}:{found.st_ino}:{found.st_mtime_ns}"
    begin, identity = HEAD_OCTETS + head.envelope_octets, (found.st_dev, found.st_ino)
    return DropFile(name, found.st_uid, unique, envelope, identity, head, begin, descriptor)


def _read_all(descriptor: int, octets: int) -> bytes:
    """Read so many octets; fewer at the end of the file."""
    pieces = []
    while octets and (piece := _read(descriptor, octets)):
        pieces.append(piece)
        octets -= len(piece)
    return b"".join(pieces)


def _read(descriptor: int, octets: int) -> bytes:
    try:
        return os.read(descriptor, octets)
    except OSError as error:
        if error.errno in _PASSING:
            raise
        raise _fault(f"the file cannot be read: {error.strerror}", error) from error


def _fault(reason: str, error: OSError) -> DropError:
    return (UnreadableError if error.errno == errno.EIO else DropError)(reason)
