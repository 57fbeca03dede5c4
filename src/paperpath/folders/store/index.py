"""What stands in a folder's index: read and changed, row by row.

Used by the modules beside this one. Who changes something holds the folder's lock, and does it inside
`changing`; what is there is told by schema.sql. Raises, from every method: IndexTroubleError;
FolderLostError, where the index is damaged.
"""

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any, NamedTuple

import apsw

from paperpath.folders.store.flags import DELETED_BIT, SEEN_BIT, FlagNames
from paperpath.folders.store.index_file import index_errors
from paperpath.folders.store.values import Uids

NEW, CUR, COMING = 0, 1, 2  # parts
PART_NAMES = ("new", "cur", "tmp")

_FEW = "AND part <> 1"  # names the index that has all parts but cur
_UNSEEN = f"message INDEXED BY message_unseen WHERE flags & {SEEN_BIT} = 0"
_DELETED = f"message INDEXED BY message_deleted WHERE flags & {DELETED_BIT} <> 0"
_AT_ONCE = 5000
_MOST_DEPARTED = 50_000
_DENSE = 4  # where at least one UID in so many is asked for, all between are read


class FolderState(NamedTuple):
    """The one row of the table `folder`, which schema.sql explains."""

    uid_validity: int
    uid_next: int
    modseq: int
    folder_id: str
    first_unclaimed: int
    forgotten: int
    new_ns: int
    new_read_ns: int
    cur_ns: int
    cur_read_ns: int


class FileRow(NamedTuple):
    """A message's file."""

    uid: int
    part: int
    base: str
    name: str
    internal_us: int
    saved_us: int
    octets: int | None = None
    email_id: str | None = None


class Listed(NamedTuple):
    """The UIDs of all messages as they were: what there was before `uid_next`, and up to a mod-sequence."""

    uid_next: int
    modseq: int
    uids: Uids


class Index:
    """An open index."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Take over a connection; `close` closes it."""
        self._connection = connection

    def close(self) -> None:
        """Let go; what was committed is so, though the log could not be moved into the file now."""
        with suppress(apsw.Error):
            self._connection.close()

    @contextmanager
    def changing(self, *, flushed: bool = True) -> Iterator[None]:
        """Change what is in the block whole or not at all; not `flushed`, a power cut may take it back."""
        with index_errors():
            self._connection.execute(f"PRAGMA synchronous={'FULL' if flushed else 'NORMAL'}")
            with self._connection:
                yield

    # The folder

    def state(self) -> FolderState:
        """Return what is known of the folder."""
        return FolderState(*self._fetch(f"SELECT {', '.join(FolderState._fields)} FROM folder")[0])  # noqa: S608 - of our own pieces

    def set_state(self, **values: int) -> None:
        """Change some of that."""
        names = ", ".join(f"{name} = :{name}" for name in values)
        self._run(f"UPDATE folder SET {names}", values)  # noqa: S608 - of our own pieces

    def raise_modseq(self) -> int:
        """Begin a new mod-sequence, and give it."""
        return int(self._fetch("UPDATE folder SET modseq = modseq + 1 RETURNING modseq")[0][0])

    def take_uids(self, count: int) -> range:
        """Take UIDs that were never given."""
        last = int(
            self._fetch("UPDATE folder SET uid_next = uid_next + ? RETURNING uid_next", (count,))[0][0]
        )
        return range(last - count, last)

    def flag_names(self) -> FlagNames:
        """Return the flags that the folder has; a number whose keyword is not known is without a name."""
        found = dict(self._fetch("SELECT number, name FROM keyword"))
        return FlagNames([found.get(number, "") for number in range(max(found, default=-1) + 1)])

    def add_keywords(self, keywords: Mapping[int, str]) -> None:
        """Give numbers names where they have none."""
        self._run_many("INSERT OR IGNORE INTO keyword (number, name) VALUES (?, ?)", keywords.items())

    # Messages

    def uids(self) -> Uids:
        """Return the UIDs of all messages, ascending."""
        each = ("count(*)", "min(uid)", "max(uid)")  # by itself none of them makes all rows
        columns = ", ".join(f"(SELECT {one} FROM message)" for one in each)  # noqa: S608 - of our own pieces
        messages, first, last = self._fetch(f"SELECT {columns}")[0]
        if messages and last - first == messages - 1:  # there are no gaps
            return range(first, last + 1)
        return array("I", self.uids_from(0))

    def uids_from(self, uid: int) -> list[int]:
        """Return the UIDs of messages from one on, ascending."""
        return self._fetch_column("SELECT uid FROM message WHERE uid >= ? ORDER BY uid", (uid,))

    def listed(self) -> Listed | None:
        """Return the list of UIDs that was kept last, if one was, and was kept by such a machine."""
        statement = "SELECT uid_next, modseq, first, last, octets FROM listed WHERE byte_order = ?"
        for uid_next, modseq, first, last, octets in self._fetch(statement, (sys.byteorder,)):
            uids = range(first, last + 1) if octets is None else array("I", octets)
            return Listed(uid_next, modseq, uids)
        return None

    def keep_listed(self, listed: Listed) -> None:
        """Keep a list of UIDs, which has some."""
        uid_next, modseq, uids = listed
        octets = None if isinstance(uids, range) else uids.tobytes()
        self._run(
            "REPLACE INTO listed (one, uid_next, modseq, first, last, byte_order, octets)"
            " VALUES (1, ?, ?, ?, ?, ?, ?)",
            (uid_next, modseq, uids[0], uids[-1], sys.byteorder, octets),
        )

    def count_from(self, uid: int) -> int:
        """Return how many messages there are from a UID on."""
        return self._fetch_number("SELECT count(*) FROM message WHERE uid >= ?", (uid,))

    def count_unseen(self) -> int:
        """Return how many messages are not \\Seen."""
        return self._fetch_number(f"SELECT count(*) FROM {_UNSEEN}")  # noqa: S608 - of our own pieces

    def count_deleted(self) -> int:
        """Return how many messages are \\Deleted."""
        return self._fetch_number(f"SELECT count(*) FROM {_DELETED}")  # noqa: S608 - of our own pieces

    def first_unseen(self) -> int | None:
        """Return the first message that is not \\Seen."""
        found = self._fetch_column(f"SELECT uid FROM {_UNSEEN} ORDER BY uid LIMIT 1")  # noqa: S608 - likewise
        return found[0] if found else None

    def deleted(self) -> list[int]:
        """Return the messages that are \\Deleted, ascending."""
        return self._fetch_column(f"SELECT uid FROM {_DELETED} ORDER BY uid")  # noqa: S608 - likewise

    def flags(self, uids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """Give UID, flags and mod-sequence of messages, by UID."""
        return chain.from_iterable(self._select("uid, flags, modseq", "message", uids))

    def changed(self, since: int) -> list[tuple[int, int, int]]:
        """Return the same of messages that changed or came after a mod-sequence, by UID."""
        return self._fetch("SELECT uid, flags, modseq FROM message WHERE modseq > ? ORDER BY uid", (since,))

    def set_flags(self, changed: Iterable[tuple[int, int]], modseq: int) -> None:
        """Give messages other flags: pairs of UID and flags."""
        rows = ((flags, modseq, uid) for uid, flags in changed)
        self._run_many("UPDATE message SET flags = ?, modseq = ? WHERE uid = ?", rows)

    def add_messages(self, messages: Iterable[tuple[int, int]], modseq: int) -> None:
        """Add messages whose files are known: pairs of UID and flags."""
        rows = ((uid, flags, modseq) for uid, flags in messages)
        self._run_many("INSERT INTO message (uid, flags, modseq) VALUES (?, ?, ?)", rows)

    def remove_messages(self, uids: Sequence[int], modseq: int) -> None:
        """Take messages away; that they departed is remembered, of the last 50,000."""
        self._run_many("INSERT INTO departed (uid, modseq) VALUES (?, ?)", ((uid, modseq) for uid in uids))
        for table in ("message", "file", "cached"):
            self._run_many(f"DELETE FROM {table} WHERE uid = ?", ((uid,) for uid in uids))  # noqa: S608 - of our own pieces
        self._forget_departed()

    def departed(self, since: int) -> list[int]:
        """Return the UIDs that went after a mod-sequence, ascending, as far as that is remembered."""
        return self._fetch_column("SELECT uid FROM departed WHERE modseq > ? ORDER BY uid", (since,))

    def _forget_departed(self) -> None:
        statement = "SELECT modseq FROM departed ORDER BY modseq DESC LIMIT 1 OFFSET ?"
        if rows := self._fetch(statement, (_MOST_DEPARTED,)):
            self.set_state(forgotten=rows[0][0])
            self._run("DELETE FROM departed WHERE modseq <= ?", rows[0])

    # Files

    def names(self, part: int) -> dict[str, int]:
        """Return the UIDs of the files in a part, by name."""
        few = "" if part == CUR else _FEW
        return dict(self._fetch(f"SELECT name, uid FROM file WHERE part = ? {few}", (part,)))  # noqa: S608

    def files(self, uids: Sequence[int]) -> Iterator[FileRow]:
        """Give the files of messages, by UID."""
        return map(FileRow._make, chain.from_iterable(self._select(", ".join(FileRow._fields), "file", uids)))

    def files_from(self, uid: int, count: int) -> list[FileRow]:
        """Return the files of so many messages, from a UID on."""
        statement = f"SELECT {', '.join(FileRow._fields)} FROM file WHERE uid >= ? ORDER BY uid LIMIT ?"  # noqa: S608 - of our own pieces
        return [FileRow(*row) for row in self._fetch(statement, (uid, count))]

    def coming(self) -> list[FileRow]:
        """Return the files that were on their way in, by UID."""
        statement = f"SELECT {', '.join(FileRow._fields)} FROM file WHERE part = ? {_FEW} ORDER BY uid"  # noqa: S608 - of our own pieces
        return [FileRow(*row) for row in self._fetch(statement, (COMING,))]

    def find_bases(self, bases: Iterable[str]) -> dict[str, FileRow]:
        """Return the files that have these bases."""
        statement = (
            f"SELECT {', '.join(FileRow._fields)} FROM file WHERE base IN (SELECT value FROM json_each(?))"  # noqa: S608 - of our own pieces
        )
        rows = (FileRow(*row) for row in self._fetch(statement, (json.dumps(list(bases)),)))
        return {row.base: row for row in rows}

    def add_files(self, rows: Iterable[FileRow]) -> None:
        """Add files; of those that are on their way in there are no messages yet."""
        marks = ", ".join("?" * len(FileRow._fields))
        self._run_many(f"INSERT INTO file ({', '.join(FileRow._fields)}) VALUES ({marks})", rows)  # noqa: S608 - of our own pieces

    def move_files(self, moved: Iterable[tuple[int, str, int]]) -> None:
        """Note that files lie elsewhere now: part, name and UID of each."""
        self._run_many("UPDATE file SET part = ?, name = ? WHERE uid = ?", moved)

    def drop_files(self, uids: Iterable[int]) -> None:
        """Take away files that never came in."""
        self._run_many("DELETE FROM file WHERE uid = ?", ((uid,) for uid in uids))

    def set_measures(self, rows: Iterable[tuple[int, str, int]]) -> None:
        """Note lengths and identities: octets, identity and UID of each."""
        self._run_many("UPDATE file SET octets = ?, email_id = ? WHERE uid = ?", rows)

    # What is kept beside

    def cached(self, kind: int, uids: Sequence[int]) -> dict[int, bytes]:
        """Return what was kept of messages."""
        found = self._select("uid, octets", "cached", uids, f" AND kind = {int(kind)}")
        return dict(chain.from_iterable(found))

    def keep_cached(self, kind: int, octets: Mapping[int, bytes]) -> None:
        """Keep something of messages that are there still."""
        self._run_many(
            "INSERT OR REPLACE INTO cached (uid, kind, octets) SELECT uid, ?, ? FROM message WHERE uid = ?",
            ((kind, kept, uid) for uid, kept in octets.items()),
        )

    # SQL

    def _select(self, columns: str, table: str, uids: Sequence[int], also: str = "") -> Iterator[list[Any]]:
        """Give rows of certain UIDs, by UID, in lists, so that no statement stays open in between."""
        ordered = uids if isinstance(uids, array | range) else sorted(set(uids))
        for begin in range(0, len(ordered), _AT_ONCE):
            part = ordered[begin : begin + _AT_ONCE]
            if (part[-1] - part[0]) < _DENSE * len(part):
                where, named = "BETWEEN ?1 AND ?2", (part[0], part[-1])
            else:
                where, named = "IN (SELECT value FROM json_each(?1)) AND ?2", (json.dumps(list(part)), 1)
            rows = self._fetch(f"SELECT {columns} FROM {table} WHERE uid {where}{also} ORDER BY uid", named)  # noqa: S608
            wanted = None if part[-1] - part[0] == len(part) - 1 else set(part)
            yield rows if wanted is None else [row for row in rows if row[0] in wanted]

    def _fetch(self, statement: str, bindings: tuple[Any, ...] = ()) -> list[Any]:
        with index_errors():
            return self._connection.execute(statement, bindings).fetchall()

    def _fetch_column(self, statement: str, bindings: tuple[Any, ...] = ()) -> list[int]:
        return [row[0] for row in self._fetch(statement, bindings)]

    def _fetch_number(self, statement: str, bindings: tuple[Any, ...] = ()) -> int:
        return int(self._fetch(statement, bindings)[0][0])

    def _run(self, statement: str, bindings: Mapping[str, Any] | tuple[Any, ...]) -> None:
        with index_errors():
            self._connection.execute(statement, bindings)

    def _run_many(self, statement: str, rows: Iterable[Any]) -> None:
        with index_errors():
            self._connection.executemany(statement, rows)
