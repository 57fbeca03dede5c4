"""A living process looked at from outside."""

import re
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Tell whether a process is there, and not only what is left of it until its parent looks."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def count_descriptors(pid: int) -> int:
    """Tell how many files and connections a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident_kib(pid: int) -> int:
    """Tell how much memory a process has in use."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def peak_kib(pid: int) -> int:
    """Tell how much memory a process had in use at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])
