"""Leaving a message in the drop directory: the library call of mailto, for anybody who may write there (D-1).

When it returns, the message and its name are on the disk; when it raises, nothing of it is left. It knows
neither configuration nor daemon, waits for none, and imports nothing heavy: mailto has to answer at once.
"""

import ctypes
import hashlib
import os
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from paperpath.mail.envelope import Envelope
from paperpath.maildrop.drop.format import (
    DEFAULT_MOST_OCTETS,
    FILE_MODE,
    HEAD_OCTETS,
    NAME_DIGITS,
    PARTIAL_PREFIX,
    WHOLE_PREFIX,
    ContentCheck,
    DropError,
    Head,
    format_envelope,
    format_head,
)

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# The directory may be written and not listed; to be flushed it would have to be opened for reading.
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def drop_message(
    folder: Path, envelope: Envelope, chunks: Iterable[bytes], *, most_octets: int = DEFAULT_MOST_OCTETS
) -> str:
    """Leave a message, whose content comes in chunks, its lines ended by CRLF; return the file's name.

    The envelope's client is not kept: for the import that is the owner of the file.

    Raises: DropError, for a message that no import would take; OSError, for a folder that cannot be written.
    """
    octets = format_envelope(envelope)
    directory = os.open(folder, _DIRECTORY)
    try:
        file = _NewFile(directory)
        file.write(octets, chunks, most_octets)
        return file.name
    finally:
        with suppress(OSError):  # of a folder that was only gone through; the message is there, or is not
            os.close(directory)


class _NewFile:
    """One file on its way into the directory."""

    def __init__(self, directory: int) -> None:
        digits = os.urandom(NAME_DIGITS // 2).hex()
        self.name = WHOLE_PREFIX + digits
        self._partial = PARTIAL_PREFIX + digits
        self._directory = directory
        self._descriptor = -1
        self._is_whole = False

    def write(self, envelope: bytes, chunks: Iterable[bytes], most_octets: int) -> None:
        """Write everything and give it its name, or leave nothing behind.

        What the import has taken by then is on the disk, so whatever goes wrong behind that is no failure.
        """
        try:
            self._descriptor = os.open(self._partial, _NEW, 0o600, dir_fd=self._directory)
            with closing(self):
                self._fill(envelope, chunks, most_octets)
        except FileExistsError:  # no file of ours
            raise
        except BaseException:  # a signal may raise one as soon as the file is there
            if self._take_back():
                raise

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _fill(self, envelope: bytes, chunks: Iterable[bytes], most_octets: int) -> None:
        self._check_group()
        self._write_all(bytes(HEAD_OCTETS) + envelope)  # the head comes last: without it there is no message
        content = ContentCheck(most_octets)
        for chunk in chunks:
            content.add(chunk)
            self._write_all(chunk)
        digest = content.finish()
        head = Head(len(envelope), content.octets, hashlib.sha256(envelope).digest(), digest)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._write_all(format_head(head))
        os.fchmod(self._descriptor, FILE_MODE)  # whatever the umask; only now may the group look at it
        os.fsync(self._descriptor)
        os.rename(self._partial, self.name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        self._is_whole = True
        self._flush_name()

    def _check_group(self) -> None:
        """See that the import will be able to read it: a set-group-id directory passes its group on."""
        if os.fstat(self._descriptor).st_gid != os.fstat(self._directory).st_gid:
            raise DropError("the folder is no drop directory: what is made there does not get its group")

    def _write_all(self, octets: bytes) -> None:
        view = memoryview(octets)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _flush_name(self) -> None:
        try:
            directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._directory)
        except PermissionError:
            _flush_file_system(self._descriptor)
            return
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _take_back(self) -> bool:
        """Remove what was made; tell whether it was ours still, and not with the import already."""
        with suppress(OSError):  # not there
            os.unlink(self._partial, dir_fd=self._directory)
        try:
            os.unlink(self.name, dir_fd=self._directory)
        except FileNotFoundError:
            return not self._is_whole
        except OSError:  # it stays, and what becomes of it nobody knows
            return True
        return True


def _flush_file_system(descriptor: int) -> None:
    """Flush all of the file system, and with it a directory that we may not open. Raises: OSError."""
    if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
