"""The journal's files: `DATA/journal/DAY.PROGRAM.PART`, days in UTC, parts of 16 MiB.

The processes of a program append to one file, each batch by one write, which the kernel keeps whole. A batch
begins with an empty line: whatever a crash or a full disk tore off before it ends there, and costs no other
line. Nothing is flushed: a crash of the machine takes the journal's tail, never mail.
"""

import os
import re
import time
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

PART_OCTETS = 16 * 2**20
DAY_US = 86_400 * 1_000_000
_LOOK_EVERY_US = 1_000_000
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.([a-z]+)\.([1-9]\d{0,8})")


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One file: its day as `format_day` writes it, the program that writes there, which part it is."""

    path: Path
    day: str
    program: str
    part: int


def format_day(time_us: int) -> str:
    """Write the day of a moment; days compare as their texts do."""
    return time.strftime("%Y-%m-%d", time.gmtime(time_us // 1_000_000))


def list_files(folder: Path) -> list[JournalFile]:
    """List the journal's files, the oldest first. Raises: OSError, but not where there is no journal yet."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    matches = [match for match in map(_NAME.fullmatch, names) if match is not None]
    files = [JournalFile(folder / match[0], match[1], match[2], int(match[3])) for match in matches]
    return sorted(files, key=attrgetter("day", "part", "program"))


class Appender:
    """Appends batches to the file of the day for one program."""

    def __init__(self, folder: Path, program: str) -> None:
        """Open nothing yet."""
        self._folder = folder
        self._program = program
        self._descriptor: int | None = None
        self._day = -1
        self._looked_us = 0

    def append(self, lines: bytes, now_us: int) -> int:
        """Append whole lines; return how many of them are there, all but where the disk is full.

        Raises: OSError, and then none is.
        """
        descriptor = self._open(now_us)
        written = os.write(descriptor, b"\n" + lines)
        return lines[: max(written - 1, 0)].count(b"\n")

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, now_us: int) -> int:
        """Return the descriptor of the file to write to now."""
        day = now_us // DAY_US
        if self._descriptor is not None and (day != self._day or self._is_over(self._descriptor, now_us)):
            self.close()
        if self._descriptor is None:
            self._descriptor = self._open_part(format_day(now_us))
            self._day, self._looked_us = day, now_us
        return self._descriptor

    def _is_over(self, descriptor: int, now_us: int) -> bool:
        """Look, once a second, whether the file is full or was removed."""
        if 0 <= now_us - self._looked_us < _LOOK_EVERY_US:
            return False
        self._looked_us = now_us
        return not _has_room(descriptor)

    def _open_part(self, day: str) -> int:
        """Open the last part there is, or the next if it is full."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        files = list_files(self._folder)
        parts = [file.part for file in files if file.day == day and file.program == self._program]
        last = max(parts, default=1)
        descriptor = self._open_file(f"{day}.{self._program}.{last}")
        if _has_room(descriptor):
            return descriptor
        os.close(descriptor)
        return self._open_file(f"{day}.{self._program}.{last + 1}")

    def _open_file(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._folder / name, flags, 0o600)


def _has_room(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    return found.st_nlink > 0 and found.st_size < PART_OCTETS
