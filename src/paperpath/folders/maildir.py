"""Maildirs: a message is written and flushed in tmp, renamed into new, and its directory is flushed.

Called by local delivery, in threads; everything here blocks. The name of a delivery is given by the caller,
who makes it so that the same delivery always has the same name: writing it again replaces, never doubles.
Stored with LF line ends, which is reversible as long as the content had no bare CR or LF (requirement F-9).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from paperpath.service.durable import flush_directory, open_directory

_PARTS = ("tmp", "new", "cur")
_INFO = ":2,"  # what a mail program puts between name and flags


def create_maildir(folder: Path) -> None:
    """Make a Maildir, flushed, where it is missing; only its owner may enter."""
    missing = [level for level in (folder, *folder.parents) if not level.exists()]
    for part in _PARTS:
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    for level in (folder, *(level.parent for level in missing)):
        flush_directory(level)


def is_maildir(folder: Path) -> bool:
    """Tell whether there is a Maildir."""
    return all((folder / part).is_dir() for part in _PARTS)


class Maildir:
    """A Maildir held open for a batch of deliveries: `with` it. Raises: OSError, from every method.

    Its directories are opened once; whatever is put in their place meanwhile, deliveries go where they were.
    """

    def __init__(self, folder: Path) -> None:
        """Open the Maildir, made where it is missing."""
        if not is_maildir(folder):
            create_maildir(folder)
        self._folder = folder
        with ExitStack() as opened:
            self._tmp = open_directory(folder / "tmp")
            opened.callback(os.close, self._tmp)
            self._new = open_directory(folder / "new")
            opened.callback(os.close, self._new)
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
        """
        descriptor = self._create(name)
        try:
            for chunk in chunks:
                _write_all(descriptor, chunk)
            os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=self._tmp)
            raise
        finally:
            os.close(descriptor)
        os.rename(name, name, src_dir_fd=self._tmp, dst_dir_fd=self._new)

    def flush(self) -> None:
        """Make what lies in new durable: one flush for all deliveries before it."""
        os.fsync(self._new)

    def find(self, name: str) -> Path | None:
        """Return where a delivery lies: in new or cur, of this Maildir or of a subfolder, flags or none."""
        return find_delivery(self._folder, name)

    def _create(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(name, flags, 0o600, dir_fd=self._tmp)
        except FileExistsError:
            os.unlink(name, dir_fd=self._tmp)
            return os.open(name, flags, 0o600, dir_fd=self._tmp)


def find_delivery(folder: Path, name: str) -> Path | None:
    """Return where a delivery lies: in new or cur, of this Maildir or of a subfolder, flags or none."""
    for maildir in (folder, *_subfolders(folder)):
        for part in ("new", "cur"):
            with suppress(FileNotFoundError), os.scandir(maildir / part) as entries:
                for entry in entries:
                    if entry.name == name or entry.name.startswith((name + _INFO, name + ",")):
                        return Path(entry.path)
    return None


def flush_file(file: Path) -> None:
    """Make a file's octets durable."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_stored_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Turn CRLF line ends into LF, whatever the cuts between chunks."""
    carry = b""
    for chunk in chunks:
        octets = carry + chunk if carry else chunk
        carry = b"\r" if octets.endswith(b"\r") else b""
        yield (octets[:-1] if carry else octets).replace(b"\r\n", b"\n")
    if carry:
        yield carry


def _subfolders(folder: Path) -> list[Path]:
    """List the Maildir++ folders inside a Maildir: those whose name begins with a dot."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.name.startswith(".") and entry.is_dir()]
    return []


def _write_all(descriptor: int, octets: bytes) -> None:
    written = os.write(descriptor, octets)
    while written < len(octets):  # a signal, or a disk that is nearly full
        written += os.write(descriptor, octets[written:])
