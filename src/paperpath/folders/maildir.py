"""Maildirs: a message is written and flushed in tmp, renamed into new, and its directory is flushed.

Called by local delivery, in threads; everything here blocks. The name of a delivery is given by the caller,
who makes it so that the same delivery always has the same name: writing it again replaces, never doubles.
Stored with LF line ends, which is reversible as long as the content had no bare CR or LF (requirement F-9).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

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


def write_delivery(folder: Path, name: str, chunks: Iterable[bytes]) -> None:
    """Write a delivery to tmp and flush it; nobody sees it there yet.

    What an earlier try left under the name is replaced. Raises: OSError; then nothing is left.
    """
    file = folder / "tmp" / name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(file, flags, 0o600)
    except FileExistsError:
        file.unlink()
        descriptor = os.open(file, flags, 0o600)
    try:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise
    finally:
        os.close(descriptor)


def publish_delivery(folder: Path, name: str) -> None:
    """Move a written delivery from tmp to new; `flush_directory` of new makes that durable."""
    os.rename(folder / "tmp" / name, folder / "new" / name)  # noqa: PTH104 - Path.rename costs twice as much


def find_delivery(folder: Path, name: str) -> Path | None:
    """Return where a delivery lies: in new or cur, of this Maildir or of a subfolder, flags or none."""
    for maildir in (folder, *_subfolders(folder)):
        for part in ("new", "cur"):
            with suppress(FileNotFoundError), os.scandir(maildir / part) as entries:
                for entry in entries:
                    if entry.name == name or entry.name.startswith((name + _INFO, name + ",")):
                        return Path(entry.path)
    return None


def flush_directory(folder: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
