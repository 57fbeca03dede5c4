"""Who holds which file locked, and whether it waits for a disk: read from /proc, at no cost to the holders.

Called where the maildrop's locks are looked at for the supervisor. Only Linux has it; elsewhere nobody is
seen to hold anything.
"""

from pathlib import Path

LOCKS = Path("/proc/locks")
_PROCESSES = Path("/proc")
_IN_DISK_SLEEP = "D"


def read_holders() -> dict[int, int]:
    """Return which process has which file for itself by flock."""
    try:
        return parse_holders(LOCKS.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return {}


def parse_holders(table: str) -> dict[int, int]:
    """Return the process for each inode number, from a table of the form of proc_locks(5).

    The device is not looked at: some file systems tell another one there than stat(2) does.
    """
    holders = {}
    for line in table.splitlines():
        match line.split():  # of who waits the second word is an arrow
            case [_, "FLOCK", _, "WRITE", pid, file, *_] if pid.isdecimal():
                inode = file.rpartition(":")[2]
                if inode.isdecimal():
                    holders[int(inode)] = int(pid)
    return holders


def waits_for_disk(pid: int) -> bool:
    """Tell whether one of a process's threads is in a wait for a disk that no signal ends."""
    try:
        states = [_parse_state(file.read_text()) for file in (_PROCESSES / str(pid)).glob("task/*/stat")]
    except OSError:  # it is gone, or not ours to look at
        return False
    return _IN_DISK_SLEEP in states


def _parse_state(stat: str) -> str:
    """Find the state in a text of the form of proc_pid_stat(5); the name before it may be anything."""
    return stat.rpartition(") ")[2][:1]
