"""The queue's file: made by `paperpath init` and `up`, brought up to date by `upgrade` too, opened by all.

Opening refuses a SQLite library with the WAL-reset defect, a network file system, a maildrop that is not
there, and one of another version; the message names what to do.
"""

from pathlib import Path
from typing import Any

import apsw

from paperpath.maildrop.errors import SchemaError, StorageError
from paperpath.maildrop.sqlite.filesystem import refuse_network
from paperpath.maildrop.sqlite.locks import is_alive
from paperpath.maildrop.sqlite.migrations import MIGRATIONS
from paperpath.service.durable import flush_directory

SCHEMA_VERSION = 5
OLDEST_SQLITE = (3, 51, 3)  # earlier ones can corrupt a WAL that several processes write and checkpoint
_NO_MAILDROP = "there is no maildrop in {folder}; `paperpath init` makes one"
BUSY_TIMEOUT_MS = 10_000  # a safety net; waiting is done on the write lock
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "mmap_size=0",
    "cache_size=-16384",
    "wal_autocheckpoint=0",
    "journal_size_limit=67108864",
)


def fetch(
    source: apsw.Connection | apsw.Cursor, statement: str, bindings: dict[str, Any] | tuple[Any, ...] = ()
) -> list[Any]:
    """Run a statement to its end and return its rows; their types are the schema's."""
    return source.execute(statement, bindings).fetchall()


def create_database(folder: Path) -> None:
    """Make the maildrop's folder and database where they are missing; bring an older one up to this version.

    Raises: SchemaError for a place that is no good, for a database of a version that we do not know, and for
    an older one that somebody has open.
    """
    refuse_network(folder)
    for part in (folder, folder / "workers", folder / "content"):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Nothing that is flushed below is worth anything without the folder's own name.
    flush_directory(folder.parent)
    file = folder / "queue.db"
    if file.exists():
        upgrade_database(folder)
        return
    unfinished = folder / "queue.db.new"
    unfinished.unlink(missing_ok=True)
    connection = apsw.Connection(str(unfinished))
    unfinished.chmod(0o600)
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA synchronous=FULL")
    with connection:
        connection.execute(_schema())
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.close()
    unfinished.rename(file)  # so that there is a whole maildrop or none
    flush_directory(folder)


def open_database(folder: Path) -> apsw.Connection:
    """Open the queue for one thread's use. Raises: SchemaError; StorageError, where it cannot be read."""
    found = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if found < OLDEST_SQLITE:
        raise SchemaError(f"SQLite {apsw.sqlite_lib_version()} may corrupt the queue; install a newer apsw")
    refuse_network(folder)
    file = folder / "queue.db"
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX)
        return _prepare(connection, folder)
    except apsw.CantOpenError:
        raise SchemaError(_NO_MAILDROP.format(folder=folder)) from None
    except apsw.Error as error:
        raise StorageError(f"maildrop: {error}", no_space=isinstance(error, apsw.FullError)) from error


def _prepare(connection: apsw.Connection, folder: Path) -> apsw.Connection:
    """Make a new connection one of ours. Raises: SchemaError, apsw.Error."""
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    version = connection.pragma("user_version")
    if version != SCHEMA_VERSION:
        connection.close()
        raise SchemaError(_complain(folder, int(version)))
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def upgrade_database(folder: Path) -> int:
    """Bring a database up to date, whole or not at all; give the version that it had.

    Raises: SchemaError.
    """
    try:
        connection = apsw.Connection(str(folder / "queue.db"), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.CantOpenError:
        raise SchemaError(_NO_MAILDROP.format(folder=folder)) from None
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.execute("PRAGMA synchronous=FULL")
    try:
        with connection:
            found = version = int(connection.pragma("user_version"))
            if version in MIGRATIONS and _has_workers(folder):
                raise SchemaError(
                    f"programs still work on the maildrop in {folder}, an older one; end them first"
                )
            while version in MIGRATIONS:
                connection.execute(MIGRATIONS[version])
                version += 1
                connection.execute(f"PRAGMA user_version={version}")
    finally:
        connection.close()
    open_database(folder).close()
    return found


def _has_workers(folder: Path) -> bool:
    names = (file.name for file in (folder / "workers").iterdir())
    return any(is_alive(folder / "workers", int(name)) for name in names if name.isdecimal())


def _complain(folder: Path, version: int) -> str:
    has = f"the maildrop in {folder} has version {version}, this program {SCHEMA_VERSION}"
    if version in MIGRATIONS:
        return f"{has}; `paperpath upgrade` brings it up to date"
    return f"{has}; run the Paperpath that wrote it (`paperpath --version` tells which this one is)"


def _schema() -> str:
    return Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
