"""The calls that touch mail, interposed: those of `os` on files of the data folder, SQLite's on the queue.

Each goes through `Faults.meet` under its own name and that of the kind of file; what opens, reads or locks is
let through. Where the plan is a power cut, each call that was made is noted with how to undo it (power.py).
"""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import apsw

from tests.crash.points import Faults
from tests.crash.transitions import Transitions

_MAIL_FOLDERS = ("maildrop", "mailboxes", "drop", "drop-damaged", "batches")
_NO_MAIL = frozenset({"queue.lock", "queue.turn"})
_INDEX = "paperpath-index"  # of a folder, for the IMAP server
_MAILDIR_PARTS = frozenset({"tmp", "new", "cur"})
_NAMES = ("open", "write", "fsync", "fdatasync", "close", "rename", "replace", "link", "unlink", "remove")
_real = {name: getattr(os, name) for name in (*_NAMES, "mkdir", "rmdir")}
_AnyPath = Any  # str, bytes, or a path


class Files:
    """Interposes the calls of `os` on files below a folder."""

    def __init__(self, root: Path, faults: Faults) -> None:
        """Nothing is interposed before `install`."""
        self._root = str(root) + "/"
        self._mail = tuple(f"{root}/{folder}/" for folder in _MAIL_FOLDERS)
        self._faults = faults
        self._opened: dict[int, tuple[str, bool]] = {}  # descriptor: path, whether it may be written
        self._backups = root.parent / "undone"
        self._numbers = count()

    def install(self) -> None:
        """Put our functions in the place of those of `os`."""
        for name in _real:
            setattr(os, name, getattr(self, name))

    def open(self, path: _AnyPath, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        """See `os`."""
        file = self._where(path, dir_fd)

        def do() -> int:
            new = file is not None and self._power and not os.path.lexists(file)
            descriptor: int = _real["open"](path, flags, mode, dir_fd=dir_fd)
            if new and file is not None:
                self._note_name(file, lambda: _real["unlink"](file))
            return descriptor

        if file is None or not flags & os.O_CREAT or Path(file).name in _NO_MAIL:
            descriptor: int = _real["open"](path, flags, mode, dir_fd=dir_fd)
        else:
            descriptor = self._meet("open", file, do)
        if file is not None:
            self._opened[descriptor] = file, bool(flags & (os.O_WRONLY | os.O_RDWR))
        return descriptor

    def write(self, descriptor: int, octets: Any) -> int:
        """See `os`."""
        file, _ = self._opened.get(descriptor, (None, False))

        def do() -> int:
            if self._faults.power is not None:
                inode, content = os.fstat(descriptor).st_ino, Octets(descriptor, len(octets))
                self._faults.power.note(("octets", inode), content.undo, content.lose)
            written: int = _real["write"](descriptor, octets)
            return written

        written: int = self._meet("write", file, do)
        return written

    def fsync(self, descriptor: int) -> None:
        """See `os`."""
        self._flush("fsync", descriptor)

    def fdatasync(self, descriptor: int) -> None:
        """See `os`."""
        self._flush("fdatasync", descriptor)

    def close(self, descriptor: int) -> None:
        """See `os`; a descriptor is closed even where that fails."""
        file, is_written = self._opened.pop(descriptor, (None, False))
        if file is None or not is_written or Path(file).name in _NO_MAIL:
            _real["close"](descriptor)
            return
        try:
            self._meet("close", file, lambda: None)
        finally:
            _real["close"](descriptor)

    def rename(
        self,
        source: _AnyPath,
        target: _AnyPath,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
    ) -> None:
        """See `os`."""
        self._move("rename", source, target, src_dir_fd, dst_dir_fd)

    def replace(
        self,
        source: _AnyPath,
        target: _AnyPath,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
    ) -> None:
        """See `os`."""
        self._move("replace", source, target, src_dir_fd, dst_dir_fd)

    def link(
        self,
        source: _AnyPath,
        target: _AnyPath,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        """See `os`."""
        file = self._where(target, dst_dir_fd)

        def do() -> None:
            _real["link"](
                source,
                target,
                src_dir_fd=src_dir_fd,
                dst_dir_fd=dst_dir_fd,
                follow_symlinks=follow_symlinks,
            )
            if file is not None:
                self._note_name(file, lambda: _real["unlink"](file))

        self._meet("link", file, do)

    def unlink(self, path: _AnyPath, *, dir_fd: int | None = None) -> None:
        """See `os`."""
        self._remove("unlink", path, dir_fd)

    def remove(self, path: _AnyPath, *, dir_fd: int | None = None) -> None:
        """See `os`."""
        self._remove("remove", path, dir_fd)

    def mkdir(self, path: _AnyPath, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """See `os`."""
        folder = self._where(path, dir_fd)

        def do() -> None:
            _real["mkdir"](path, mode, dir_fd=dir_fd)
            if folder is not None:
                self._note_name(folder, lambda: _remove_tree(Path(folder)))

        self._meet("mkdir", None if folder is None or Path(folder).is_dir() else folder + "/", do)

    def rmdir(self, path: _AnyPath, *, dir_fd: int | None = None) -> None:
        """See `os`."""
        folder = self._where(path, dir_fd)

        def do() -> None:
            _real["rmdir"](path, dir_fd=dir_fd)
            if folder is not None:
                self._note_name(folder, lambda: _real["mkdir"](folder, 0o700))

        self._meet("rmdir", None if folder is None else folder + "/", do)

    def _flush(self, call: str, descriptor: int) -> None:
        file, _ = self._opened.get(descriptor, (None, False))

        def do() -> None:
            _real[call](descriptor)
            if self._faults.power is not None:
                inode = os.fstat(descriptor).st_ino
                self._faults.power.flushed(("octets", inode))
                self._faults.power.flushed(("names", inode))

        self._meet(call, None if file is None else file + "/" * Path(file).is_dir(), do)

    def _move(
        self, call: str, source: _AnyPath, target: _AnyPath, source_fd: int | None, target_fd: int | None
    ) -> None:
        old, new = self._where(source, source_fd), self._where(target, target_fd)

        def do() -> None:
            with self._at_once():
                backup = self._back_up(new)
                _real[call](source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd)
                if old is not None and new is not None:

                    def undo() -> None:
                        _real["rename"](new, old)
                        if backup is not None:
                            _real["rename"](backup, new)

                    self._note_name(new, undo)

        self._meet(call, new, do)

    def _remove(self, call: str, path: _AnyPath, dir_fd: int | None) -> None:
        file = self._where(path, dir_fd)

        def do() -> None:
            with self._at_once():
                backup = self._back_up(file)
                _real[call](path, dir_fd=dir_fd)
                if file is not None and backup is not None:
                    self._note_name(file, lambda: _real["rename"](backup, file))

        self._meet(call, file if file is not None and os.path.lexists(file) else None, do)

    def _meet(self, call: str, file: str | None, do: Callable[[], Any]) -> Any:
        """Make a call, unless the plan says otherwise; without a file it is none of ours."""
        if file is None:
            return do()
        return self._faults.meet(
            call, self.kind(file), do, lambda number: OSError(number, os.strerror(number))
        )

    def _where(self, path: _AnyPath, dir_fd: int | None) -> str | None:
        """Return the whole path, if it is below our folder."""
        whole = os.fsdecode(path)
        if not whole.startswith("/"):
            if dir_fd is None:
                whole = f"{Path.cwd()}/{whole}"
            else:
                opened = self._opened.get(dir_fd)
                base = Path(f"/proc/self/fd/{dir_fd}").readlink() if opened is None else opened[0]
                whole = f"{base}/{whole}"
        whole = os.path.normpath(whole)
        return whole if f"{whole}/".startswith(self._mail) else None

    def kind(self, file: str) -> str:
        """Name the kind of a file or, with a slash at its end, of a folder."""
        parts = file.removeprefix(self._root).rstrip("/").split("/")
        slash = "/" * file.endswith("/")
        match parts:
            case ["maildrop", "content", *below]:
                return f"content{slash}" if not slash or not below else "content/xx/"
            case ["maildrop", name]:
                return name + slash
            case ["maildrop", folder, *_]:
                return folder + slash
            case ["mailboxes", *_, part] if slash:
                return (part if part in _MAILDIR_PARTS else "mailbox") + slash
            case ["mailboxes", *_, part, _] if part in _MAILDIR_PARTS:
                return part
            case ["mailboxes", *_, name] if name.startswith(_INDEX):
                return name
        return parts[0] + slash

    # For the power cut

    @property
    def _power(self) -> bool:
        return self._faults.power is not None

    def _note(self, durable_with: tuple[str, int], undo: Callable[[], object]) -> None:
        if self._faults.power is not None:
            self._faults.power.note(durable_with, undo)

    def _note_name(self, file: str, undo: Callable[[], object]) -> None:
        if self._faults.power is not None:
            self._note(("names", Path(file).parent.stat().st_ino), undo)

    def _at_once(self) -> AbstractContextManager[None]:
        """Have no cut between keeping what loses its name and noting that: it would have two names then."""
        return nullcontext() if self._faults.power is None else self._faults.power.at_once()

    def _back_up(self, file: str | None) -> str | None:
        """Keep what is about to lose its name."""
        if self._faults.power is None or file is None or not os.path.lexists(file):
            return None
        _real["mkdir"](self._backups, 0o700) if not self._backups.is_dir() else None
        backup = str(self._backups / f"{os.getpid()} {next(self._numbers)}")
        _real["link"](file, backup, follow_symlinks=False)
        return backup


class Octets:
    """What stands, in a file that is written, where something else is going to."""

    def __init__(self, descriptor: int, length: int) -> None:
        """Remember it; the descriptor may be closed meanwhile."""
        self._kept = os.dup(descriptor)
        self._offset, self._length = os.lseek(descriptor, 0, os.SEEK_CUR), length
        self._size = os.fstat(descriptor).st_size
        readable = _real["open"](f"/proc/self/fd/{descriptor}", os.O_RDONLY)
        self._octets = os.pread(readable, length, self._offset)
        _real["close"](readable)

    def undo(self) -> None:
        """Put everything back."""
        os.pwrite(self._kept, self._octets, self._offset)
        os.ftruncate(self._kept, self._size)

    def lose(self) -> None:
        """Have the octets not written, but those behind them: where nothing was there are zeros."""
        os.pwrite(self._kept, self._octets.ljust(self._length, b"\0"), self._offset)


class QueueFiles(apsw.VFS):
    """The files of SQLite below a folder, interposed from when this is made."""

    def __init__(self, files: Files, faults: Faults, transitions: Transitions) -> None:
        """Become the default for all connections."""
        self.files = files
        self.faults = faults
        self._transitions = transitions
        self._changes: dict[int, int] = {}
        super().__init__("interposed", "unix", makedefault=True)
        apsw.connection_hooks.append(self._trace)

    def xOpen(self, name: Any, flags: list[int]) -> "_QueueFile":
        """See SQLite."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        new = path is not None and not Path(path).exists()
        file = _QueueFile(self, name, path, flags)
        if new:
            self.note_name(path, lambda: _real["unlink"](path))
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """See SQLite."""

        def do() -> None:
            backup = self.files._back_up(filename)
            super(QueueFiles, self).xDelete(filename, syncdir)
            if backup is not None:
                self.note_name(filename, lambda: _real["rename"](backup, filename))
                if syncdir:
                    self.flushed_folder(filename)

        self.meet("xDelete", filename, do)

    def meet(self, call: str, file: str | None, do: Callable[[], Any]) -> Any:
        """Make a call of SQLite's, unless the plan says otherwise."""
        kind = "temporary" if file is None else self.files.kind(file)
        return self.faults.meet(call, kind, do, _sqlite_error)

    def note_name(self, file: str, undo: Callable[[], object]) -> None:
        """Note how to undo a change of a name."""
        if self.faults.power is not None:
            self.files._note_name(file, undo)

    def flushed_folder(self, file: str) -> None:
        """Note that SQLite flushed the folder of a file."""
        if self.faults.power is not None:
            self.faults.power.flushed(("names", Path(file).parent.stat().st_ino))

    def _trace(self, connection: apsw.Connection) -> None:
        connection.exec_trace = self._see

    def _see(self, cursor: apsw.Cursor | apsw.Connection, sql: str, _: object) -> bool:
        """See each statement before it is run."""
        connection = cursor if isinstance(cursor, apsw.Connection) else cursor.connection
        if sql.startswith("BEGIN"):
            self._transitions.begin_group()
            self._changes[id(connection)] = connection.total_changes()
        elif sql.startswith("COMMIT") and connection.total_changes() != self._changes.get(id(connection)):
            self.faults.meet("COMMIT", "", lambda: None, _sqlite_error)
        return True


class _QueueFile(apsw.VFSFile):
    def __init__(self, owner: QueueFiles, name: Any, path: str | None, flags: list[int]) -> None:
        self._owner = owner
        self._path = path
        super().__init__("unix", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        """See SQLite."""

        def do() -> None:
            self._note(offset, len(data))
            super(_QueueFile, self).xWrite(data, offset)

        self._owner.meet("xWrite", self._path, do)

    def xTruncate(self, size: int) -> None:
        """See SQLite."""
        if super().xFileSize() == size:
            super().xTruncate(size)
            return

        def do() -> None:
            self._note(size, max(0, super(_QueueFile, self).xFileSize() - size))
            super(_QueueFile, self).xTruncate(size)

        self._owner.meet("xTruncate", self._path, do)

    def xSync(self, flags: int) -> None:
        """See SQLite."""

        def do() -> None:
            super(_QueueFile, self).xSync(flags)
            if self._owner.faults.power is not None and self._path is not None:
                self._owner.faults.power.flushed(self._path)
                if not self._path.endswith(("queue.db", _INDEX)):  # it does so for logs and journals
                    self._owner.flushed_folder(self._path)

        self._owner.meet("xSync", self._path, do)

    def _note(self, offset: int, length: int) -> None:
        """Note what stands where something else is going to."""
        power, path = self._owner.faults.power, self._path
        if power is None or path is None:
            return
        size, reach = super().xFileSize(), length
        length = max(0, min(length, size - offset))
        octets = super().xRead(length, offset) if length else b""

        # With no regard to locks, which closing drops: all is over anyway.
        def undo() -> None:
            descriptor = _real["open"](path, os.O_RDWR)
            os.pwrite(descriptor, octets, offset)
            os.ftruncate(descriptor, size)
            _real["close"](descriptor)

        def lose() -> None:
            descriptor = _real["open"](path, os.O_RDWR)
            os.pwrite(descriptor, octets + bytes(reach - length), offset)
            _real["close"](descriptor)

        power.note(path, undo, lose)


def _sqlite_error(number: int) -> Exception:
    if number == errno.ENOSPC:
        return apsw.FullError("database or disk is full")
    return apsw.IOError("disk I/O error")


def _remove_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
