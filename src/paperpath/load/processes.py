"""Processes as /proc shows them: who they are, whose they are, what they spent and hold. Linux only.

Called by `paperpath bench` for the programs of an installation, and by the developers' measurements.
"""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_SCHEDULED = 2  # of the clocks of a process: what it ran, to the nanosecond
_RESIDENT = re.compile(r"^VmRSS:\s+([0-9]+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One line of the process table: who it is, whose it is, and the CPU ticks it has used."""

    pid: int
    parent: int
    session: int
    ticks: int
    started: int


def read_entry(pid: int) -> Entry | None:
    """The process table's line for `pid`, or None when there is no such process (any more)."""
    try:
        text = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # fields[0] is the third of proc(5), the state
    return Entry(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        ticks=sum(int(value) for value in fields[11:15]),  # own and reaped children's, user and system
        started=int(fields[19]),
    )


def program_name(pid: int) -> str:
    """What a process runs: a Python module's last name, or a program's; empty where it has gone."""
    try:
        words = Path("/proc", str(pid), "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if not Path(words[0]).name.startswith("python"):
        return Path(words[0]).name
    if "-m" in words[1:-1]:
        return words[words.index("-m") + 1].rpartition(".")[2]
    return Path(next((word for word in words[1:] if not word.startswith("-")), "")).name


def tree(root: int) -> list[Entry]:
    """The process `root`, its descendants and its session's members, in order of pid; [] if none live."""
    found = [read_entry(int(name.name)) for name in Path("/proc").iterdir() if name.name.isdigit()]
    everyone = sorted((entry for entry in found if entry is not None), key=lambda entry: entry.pid)
    family = {entry.pid for entry in everyone if entry.pid == root or entry.session == root}
    size = 0
    while size != len(family):
        size = len(family)
        family.update(entry.pid for entry in everyone if entry.parent in family)
    return [entry for entry in everyone if entry.pid in family]


def families(roots: Iterable[int]) -> dict[int, str]:
    """The names of the processes `roots` and all their descendants, by pid."""
    found = {entry.pid for root in roots for entry in tree(root)}
    return {pid: name for pid in sorted(found) if (name := program_name(pid))}


def cpu_us(pid: int) -> int | None:
    """Microseconds of CPU that a process has used so far, by its clock; None where it has gone."""
    try:
        return time.clock_gettime_ns(~pid << 3 | _SCHEDULED) // 1000  # clock_getcpuclockid(3)
    except OSError:
        return None


def resident_octets(pid: int) -> int:
    """The memory that a process has in use; 0 where it has gone."""
    try:
        found = _RESIDENT.search(Path("/proc", str(pid), "status").read_text(encoding="utf-8"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0
