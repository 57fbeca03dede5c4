"""The work folder of a run: on one file system for all sides, made fresh, and removed at the end.

Postfix's unprivileged processes must be able to walk to it, so a folder below a closed one will not
do for them; then another place on the same file system is looked for. It knows nothing else of the
sides.
"""

import contextlib
import dataclasses
import fcntl
import os
import shutil
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.failure import BenchError

# linux/fs.h
_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_TOP_DIRECTORY = 0x00020000

USUAL = Path(__file__).resolve().parent.parent / "var" / "bench"


@dataclasses.dataclass(frozen=True)
class Workplace:
    """The fresh folder of this run, whether every user can walk to it, and a remark for the report."""

    path: Path
    public: bool
    remark: str | None = None


def closed_parent(path: Path) -> Path | None:
    """The topmost folder on the way to `path` that not every user may pass; None if all may."""
    way = [*reversed(path.parents), path]
    return next((each for each in way if not each.stat().st_mode & stat.S_IXOTH), None)


@contextlib.contextmanager
def workplace(chosen: Path | None, must_be_public: bool) -> Iterator[Workplace]:
    """A fresh folder in `chosen` or in the usual place, or near it if that is closed; removed after."""
    wanted = (chosen or USUAL).resolve()
    with contextlib.ExitStack() as stack:
        made = _make_missing(wanted)
        stack.callback(_remove_empty, made)
        place, remark = wanted, None
        closed = closed_parent(wanted)
        if closed is not None and must_be_public:
            other = _open_place_beside(wanted)
            where = f"{closed} is closed to other users, so Postfix cannot work below it"
            remark = f"{where}; the run is in {other} on the same file system." if other else f"{where}."
            place, closed = (other, None) if other else (place, closed)
        fresh = Path(tempfile.mkdtemp(prefix="run-", dir=place))
        stack.callback(shutil.rmtree, fresh, ignore_errors=True)
        fresh.chmod(0o755)
        _spread(fresh)
        yield Workplace(fresh, closed is None, remark)


def _spread(folder: Path) -> None:
    """Have the file system lay the folders in this one far apart, as chattr +T does, where it can.

    So the inodes that one side deletes, which ext4 has to pass over for a minute, are not in the way of
    another side.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flags = bytearray(8)
        fcntl.ioctl(descriptor, _GET_FLAGS, flags)
        wanted = struct.unpack("l", flags)[0] | _TOP_DIRECTORY
        fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", wanted))
    except OSError:
        pass  # another kind of file system, with other ways
    finally:
        os.close(descriptor)


def _make_missing(path: Path) -> list[Path]:
    missing = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"The work folder {path} cannot be made: {error.strerror}.") from error
    return missing  # the innermost first


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _open_place_beside(path: Path) -> Path | None:
    device = path.stat().st_dev
    for candidate in (Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/srv"), Path("/opt")):
        if candidate.is_dir() and candidate.stat().st_dev == device and closed_parent(candidate) is None:
            return candidate
    return None
