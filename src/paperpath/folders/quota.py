"""What a mailbox may still take: one look at its `maildirsize` for a batch of deliveries (requirement F-10).

Used by maildir.py. Others deliver and remove messages beside us, and add their lines to the file; nobody
locks anything, so a mailbox may come to hold a little more than it may. The sums are those of a count all
the same: who finds that the file he looked at is no longer the mailbox's has it counted anew.

The file is not flushed. What of it a power cut takes away is missing from the sums until the next count.
"""

import errno
import os
import stat
import time
from collections.abc import Callable

from paperpath.config.quota import Quota
from paperpath.folders.quota_count import FILE_NAME, count_anew, forget_count
from paperpath.folders.quota_text import FULL_FILE_OCTETS, Sums, Usage, format_line, read_sums

_OLD_S = 15 * 60  # after which the lines of others are not believed when they say that a mailbox is full


class OverQuotaError(OSError):
    """A mailbox has no room for a message now."""


class OverWholeQuotaError(OSError):
    """A message is larger than a mailbox may ever be."""


class Allowance:
    """How full an open mailbox is, by its file or by a count. Raises: OSError, from what looks there."""

    def __init__(self, mailbox: int, tmp: int, quota: Quota, clock: Callable[[], float] = time.time) -> None:
        """Look; the caller keeps the folders open, and closes this."""
        self._mailbox = mailbox
        self._tmp = tmp
        self._quota = quota
        self._clock = clock
        self._taken = Usage()
        self._file = _open_file(mailbox)
        sums = self._read()
        if sums is None:
            self._count()
        else:
            self._usage = sums.usage
            self._may_count = sums.lines > 1 or self._is_old()

    def admit(self, octets: int) -> None:
        """See to it that a message has room. Raises: OverQuotaError; OverWholeQuotaError."""
        message = Usage(octets, 1)
        if not message.is_within(self._quota):
            raise OverWholeQuotaError(errno.EDQUOT, "the message is larger than the mailbox may be")
        if self._may_count and not (self._usage + message).is_within(self._quota):
            self._count()
        if not (self._usage + message).is_within(self._quota):
            raise OverQuotaError(errno.EDQUOT, "the mailbox is full")

    def take(self, octets: int) -> None:
        """Take note of a message that lies in the mailbox now."""
        message = Usage(octets, 1)
        self._usage += message
        self._taken += message

    def release(self, octets: int) -> None:
        """Take note of a message that no longer lies there."""
        message = Usage(-octets, -1)
        self._usage += message
        self._taken += message

    @property
    def usage(self) -> Usage:
        """What lies in the mailbox."""
        return self._usage

    def record(self) -> None:
        """Write down what came and went, in one line; if that cannot be, the mailbox is counted next time.

        That is so, too, where we had no file, or it was replaced: whether another's count has what we took
        nobody knows.
        """
        taken, self._taken = self._taken, Usage()
        if taken != Usage() and not (self._append(format_line(taken)) and self._is_file_in_place):
            forget_count(self._mailbox)

    def doubt(self) -> None:
        """Have the mailbox counted next time: a message that lies there may have been written down or not."""
        forget_count(self._mailbox)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, line: bytes) -> bool:
        try:
            return self._file is not None and os.write(self._file, line) == len(line)
        except OSError:
            return False

    @property
    def _is_file_in_place(self) -> bool:
        return self._file is not None and _is_in_place(os.fstat(self._file))

    def _read(self) -> Sums | None:
        """Return what the file says, unless it is another quota's or to be begun anew."""
        if self._file is None or os.fstat(self._file).st_size >= FULL_FILE_OCTETS:
            return None
        sums = read_sums(os.pread(self._file, FULL_FILE_OCTETS, 0))
        return sums if sums is not None and sums.quota == self._quota else None

    def _is_old(self) -> bool:
        return self._file is not None and abs(self._clock() - os.fstat(self._file).st_mtime) >= _OLD_S

    def _count(self) -> None:
        """Count the mailbox, and go on with the new file, if it has one."""
        self.close()
        self._usage, self._taken = count_anew(self._mailbox, self._tmp, self._quota), Usage()
        self._file = _open_file(self._mailbox)
        self._may_count = False


def _open_file(mailbox: int) -> int | None:
    """Open a mailbox's file to read and append; what is something else, or has another name, is none."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(FILE_NAME, flags, dir_fd=mailbox)
    except OSError:
        return None
    if _is_in_place(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    return None


def _is_in_place(found: os.stat_result) -> bool:
    """Tell whether an open file is a file still, with one name."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1
