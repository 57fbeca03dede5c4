"""The file of a folder's index: opened, made where it is missing, made anew where it is worthless.

One that an older version made gets what came later, and keeps its UIDs.

Called by access.py with the folder's lock held. Every commit is flushed, unless it is of what can be found
out again.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw

from paperpath.folders.store.errors import FolderLostError, IndexTroubleError

INDEX_NAME = "paperpath-index"

_SCHEMA = ("schema.sql", "schema-2.sql")  # what each version brought
_BUSY_TIMEOUT_MS = 10_000  # a safety net; waiting is done on the folder's lock
_PRAGMAS = "PRAGMA synchronous=FULL; PRAGMA cache_size=-4096; PRAGMA journal_size_limit=4194304"
_BESIDE = ("", "-wal", "-shm", "-journal")
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX | apsw.SQLITE_OPEN_NOFOLLOW
_WORTHLESS = (apsw.CorruptError, apsw.NotADBError)


@contextmanager
def index_errors() -> Iterator[None]:
    """Turn the library's errors into ours: a damaged index is lost, with its UIDs."""
    try:
        yield
    except _WORTHLESS as error:
        raise FolderLostError(f"the index is damaged: {error}") from error
    except apsw.Error as error:
        raise IndexTroubleError(f"the index: {error}") from error


def open_index(path: Path, folder: int, make_validity: Callable[[], int]) -> apsw.Connection:
    """Open the index of an open folder, whose path is said too. Raises: OSError; IndexTroubleError."""
    try:
        with index_errors():
            return _open(path, folder, make_validity)
    except FolderLostError as error:
        if not isinstance(error.__cause__, apsw.Error) or is_damaged(path):
            discard_index(folder)
    with index_errors():
        return _open(path, folder, make_validity)


def is_damaged(path: Path) -> bool:
    """Tell whether the index of a folder is damaged, by looking at all of it.

    A disk that fails to read, be it once, is damage to SQLite (its SQLITE_IOERR_CORRUPTFS); a second look
    tells, before all UIDs become new ones for it.
    """
    try:
        with closing(apsw.Connection(str(path / INDEX_NAME), flags=_FLAGS)) as connection:
            return bool(connection.pragma("integrity_check") != "ok")
    except _WORTHLESS:
        return True
    except apsw.Error:
        return False


def discard_index(folder: int) -> None:
    """Remove an index, which is made anew by the next who opens it."""
    for end in _BESIDE:
        with suppress(FileNotFoundError):
            os.unlink(INDEX_NAME + end, dir_fd=folder)


def identify_index(home: int, step: str) -> tuple[int, int] | None:
    """Return which file the index of a folder in an open mailbox is now; `None` for none."""
    try:
        found = os.stat(f"{step}/{INDEX_NAME}", dir_fd=home, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _open(path: Path, folder: int, make_validity: Callable[[], int]) -> apsw.Connection:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(INDEX_NAME, flags, 0o600, dir_fd=folder))  # what SQLite makes beside it has its mode
    connection = apsw.Connection(str(path / INDEX_NAME), flags=_FLAGS)
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        connection.execute(_PRAGMAS)
        version = connection.pragma("user_version")
        if not version:
            _fill(connection, make_validity())
            os.fsync(folder)
        elif version < len(_SCHEMA):
            with connection:
                _bring(connection, version)
        elif version > len(_SCHEMA):
            raise FolderLostError(f"the index has version {version}")
    except BaseException:
        connection.close()
        raise
    return connection


def _fill(connection: apsw.Connection, validity: int) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # it stays so
    with connection:
        _bring(connection, 0)
        connection.execute(
            "INSERT INTO folder (one, uid_validity, folder_id) VALUES (1, ?, ?)",
            (validity, f"F{secrets.token_hex(12)}"),
        )


def _bring(connection: apsw.Connection, version: int) -> None:
    """Add what an index of a version does not have yet."""
    for name in _SCHEMA[version:]:
        connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    connection.execute(f"PRAGMA user_version={len(_SCHEMA)}")
