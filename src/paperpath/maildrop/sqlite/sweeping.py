"""Files of large content that no message names: found and removed by the one sweeper, in a thread.

A way in that died before its commit leaves such a file, whole or not; so does a deletion that failed. Its
name ends with the number of the worker that wrote it. What a living worker writes is let alone, whatever the
clock says of its age: it may be about to be committed.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.queue_id import worker_of
from paperpath.maildrop.sqlite.locks import is_alive


def find_orphans(content: Path, workers: Path, before_us: int) -> list[Path]:
    """List files last written before a time by workers that are no more. Raises: StorageError."""
    try:
        return [
            file
            for file in content.glob("*/*")
            if _written_us(file) < before_us and not is_alive(workers, worker_of(file.stem))
        ]
    except OSError as error:
        raise StorageError(f"content: {error}", no_space=False) from error


def remove_orphans(files: Sequence[Path]) -> int:
    """Remove files; give how many. Raises: StorageError."""
    try:
        for file in files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"content: {error}", no_space=False) from error
    return len(files)


def _written_us(file: Path) -> float:
    try:
        return file.stat().st_mtime_ns / 1000
    except FileNotFoundError:  # it went with its message just now
        return math.inf
