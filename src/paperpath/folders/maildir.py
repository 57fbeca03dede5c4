"""Maildirs: a message is written and flushed in tmp, renamed into new, and its directory is flushed.

Called by local delivery, in threads; everything here blocks. The name of a delivery is given by the caller,
who makes it so that the same delivery always has the same name: writing it again replaces, never doubles.
Stored with LF line ends, which is reversible as long as the content had no bare CR or LF (requirement F-9).
Everything happens relative to open directories; no link is followed, and files and folders are their owner's
alone (attack L-1).
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from paperpath.config.quota import NO_QUOTA, Quota
from paperpath.folders.names import add_size, is_delivery
from paperpath.folders.parts import open_parts
from paperpath.folders.quota import Allowance
from paperpath.folders.quota_count import TRASH
from paperpath.folders.steps import make_step, open_path, open_step, refuse_open_to_all
from paperpath.folders.upkeep import Upkeep
from paperpath.service.durable import write_all

_PARTS = ("tmp", "new", "cur")
_FILE_MODE = 0o600
_LONGEST_S = 24 * 3600  # what is older than 36 h in tmp is taken for left over


@dataclass(frozen=True, slots=True)
class Place:
    """Where mail goes: a mailbox's folder below the root, and a folder in it, such as "Work.Old", or none."""

    folder: PurePosixPath
    subfolder: str = ""


def create_maildir(root: Path, folder: PurePosixPath, subfolders: Iterable[str] = ()) -> None:
    """Make a mailbox and folders in it, flushed, where they are missing. Raises: OSError."""
    for subfolder in ("", *subfolders):
        with Maildir(root, Place(folder, subfolder), create=True):
            pass


class Maildir:
    """A Maildir held open for a batch of deliveries: `with` it. Raises: OSError, from every method.

    A folder in the mailbox that is missing is the mailbox itself, unless it is to be made.
    """

    def __init__(
        self,
        root: Path,
        place: Place,
        *,
        create: bool = False,
        upkeep: Upkeep | None = None,
        quota: Quota = NO_QUOTA,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the Maildir; where it is missing it is made with `create`, else there is FileNotFoundError."""
        self._clock = clock
        self._loses_mode: bool | None = None  # of its files: not known before the first
        with ExitStack() as opened:
            path = open_path(root, place.folder.parts, opened, create=create)
            self._home = path[-1]
            above, here = _open_subfolder(path, place.subfolder, opened, create=create)
            self._tmp, self._new, _ = (
                _open_part(above, here, part, opened, create=create) for part in _PARTS
            )
            (upkeep or Upkeep()).look_after(here, self._tmp, is_subfolder=here != self._home)
            counts = quota.is_limit and (here == self._home or place.subfolder != TRASH)
            self._allowance = self._look(quota, opened) if counts else None
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a delivery to tmp and flush it, then move it to new; `flush` makes that durable.

        What an earlier try left in tmp under the name is replaced; after an error nothing is left there.
        Raises besides: OverQuotaError; OverWholeQuotaError.
        """
        self._admit(1)  # where there is no room for anything, nothing need be written
        last_s = self._clock() + _LONGEST_S
        descriptor = self._create(name)
        octets = 0
        try:
            self._set_mode(descriptor)
            for chunk in chunks:
                write_all(descriptor, chunk)
                octets += len(chunk)
                self._give_up_after(last_s)
            self._admit(octets)
            os.fsync(descriptor)
            self._give_up_after(last_s)
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=self._tmp)
            raise
        finally:
            os.close(descriptor)
        os.rename(name, add_size(name, octets), src_dir_fd=self._tmp, dst_dir_fd=self._new)
        if self._allowance is not None:
            self._allowance.take(octets)

    def flush(self) -> None:
        """Make what lies in new durable, and write down how much that is: once for all deliveries before."""
        if self._allowance is not None:
            self._allowance.record()
        os.fsync(self._new)

    def keep(self, name: str) -> bool:
        """Tell whether a delivery lies in new or cur of the mailbox or a folder in it, and make it durable.

        A mail program may move the file while we look; then it is looked for again.
        """
        while True:
            try:
                is_there = self._keep(name)
            except FileNotFoundError:
                continue
            if is_there and self._allowance is not None:
                self._allowance.doubt()  # who wrote it may have died before he wrote that down
            return is_there

    def _keep(self, name: str) -> bool:
        for _, _, directory in open_parts(self._home):
            with os.scandir(directory) as entries:
                found = [entry.name for entry in entries if is_delivery(entry.name, name)]
            for there in found:
                if _flush_file(there, directory):
                    os.fsync(directory)
                    return True
        return False

    def _look(self, quota: Quota, opened: ExitStack) -> Allowance:
        allowance = Allowance(self._home, self._tmp, quota)
        opened.callback(allowance.close)
        return allowance

    def _admit(self, octets: int) -> None:
        if self._allowance is not None:
            self._allowance.admit(octets)

    def _create(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(name, flags, _FILE_MODE, dir_fd=self._tmp)
        except FileExistsError:
            os.unlink(name, dir_fd=self._tmp)
            return os.open(name, flags, _FILE_MODE, dir_fd=self._tmp)

    def _set_mode(self, descriptor: int) -> None:
        """Have a new file be its owner's alone to read and write.

        It was made as that, but the umask may have taken something from it, and then does so from every file:
        so the first one tells whether the others, too, need another call.
        """
        if self._loses_mode is None:
            self._loses_mode = stat.S_IMODE(os.fstat(descriptor).st_mode) != _FILE_MODE
        if self._loses_mode:
            os.fchmod(descriptor, _FILE_MODE)

    def _give_up_after(self, last_s: float) -> None:
        if self._clock() > last_s:
            raise TimeoutError(errno.ETIMEDOUT, "the delivery took more than a day")


def to_stored_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Turn CRLF line ends into LF, whatever the cuts between chunks."""
    carry = b""
    for chunk in chunks:
        octets = carry + chunk if carry else chunk
        carry = b"\r" if octets.endswith(b"\r") else b""
        yield (octets[:-1] if carry else octets).replace(b"\r\n", b"\n")
    if carry:
        yield carry


def _open_subfolder(path: list[int], subfolder: str, opened: ExitStack, *, create: bool) -> tuple[int, int]:
    """Open a folder in the mailbox that ends a path, or take the mailbox; give what it is in, and itself."""
    above, home = path[-2:]
    if not subfolder:
        return above, home
    name = f".{subfolder}"
    try:
        here = open_step(home, name)
    except FileNotFoundError:
        if not create:
            return above, home
        os.fsync(above)
        here = make_step(home, name)
    opened.callback(os.close, here)
    refuse_open_to_all(here)
    return home, here


def _open_part(above: int, here: int, part: str, opened: ExitStack, *, create: bool) -> int:
    """Open tmp, new or cur; its name is flushed by the upkeep, which finds those that others made, too."""
    try:
        directory = open_step(here, part)
    except FileNotFoundError:
        if not create:
            raise
        os.fsync(above)
        directory = make_step(here, part)
    opened.callback(os.close, directory)
    refuse_open_to_all(directory)
    return directory


def _flush_file(name: str, directory: int) -> bool:
    """Make a file's octets durable; only a file's: a link or a pipe of that name is no delivery."""
    if not stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        return False
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True
