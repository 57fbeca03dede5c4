"""Making changes to files durable: whoever writes what must survive a power cut comes here."""

import os
import stat
import tempfile
from pathlib import Path


def open_directory(folder: Path) -> int:
    """Open a directory itself, no link to one; the caller closes. Raises: OSError."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def flush_directory(folder: Path) -> None:
    """Make the names in a directory durable. Raises: OSError."""
    descriptor = open_directory(folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, octets: bytes) -> None:
    """Write octets whole, in as many writes as that takes. Raises: OSError; then some may be written."""
    written = os.write(descriptor, octets)
    while written < len(octets):  # a signal, or a disk that is nearly full
        written += os.write(descriptor, octets[written:])


def replace_text(file: Path, text: str, like: os.stat_result | None = None) -> None:
    """Put a new file in the place of an old one, whole and flushed: readers see one or the other.

    It is our own and nobody else's to read, or has the owner, group and mode of `like`.

    Raises: OSError; then the old one is untouched.
    """
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            if like is not None:
                os.fchown(new.fileno(), like.st_uid, like.st_gid)
                os.fchmod(new.fileno(), stat.S_IMODE(like.st_mode))
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    flush_directory(file.parent)
