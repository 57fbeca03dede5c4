"""What the figures were measured on: processor, memory, kernel, Python, and how fast the disk flushes.

Nothing in it names the machine or its owner, so a report can be shown to anybody.
"""

import dataclasses
import os
import platform
import statistics
import time
from pathlib import Path

BLOCK = b"x" * 4096
FLUSHES = 200
FLUSHES_WITHIN = 5.0  # seconds


@dataclasses.dataclass(frozen=True)
class Flush:
    """How long appending 4 KiB and fdatasync took, in milliseconds, over `count` times."""

    count: int
    median_ms: float
    p95_ms: float
    p99_ms: float


@dataclasses.dataclass(frozen=True)
class Machine:
    """The machine as far as it bears on the figures."""

    cores: int
    processor: str
    memory_gib: float
    kernel: str
    python: str
    file_system: str
    load_average: float  # over the last minute, before the run
    flush: Flush


def look(folder: Path) -> Machine:
    """Describe this machine, and the file system of `folder`."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_first_value(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        file_system=file_system(folder),
        load_average=os.getloadavg()[0],
        flush=time_flushes(folder),
    )


def time_flushes(folder: Path) -> Flush:
    """Time append 4 KiB + fdatasync in `folder`, in a file that is removed again."""
    path = folder / "flush-probe"
    taken: list[float] = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        deadline = time.perf_counter() + FLUSHES_WITHIN
        while len(taken) < FLUSHES and (time.perf_counter() < deadline or len(taken) < 2):
            began = time.perf_counter()
            os.write(descriptor, BLOCK)
            os.fdatasync(descriptor)
            taken.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    hundredths = statistics.quantiles(taken, n=100)
    return Flush(len(taken), statistics.median(taken), hundredths[94], hundredths[98])


def busy_seconds() -> float:
    """CPU seconds that all processes, the kernel and the host's other guests have used since the boot."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def file_system(folder: Path) -> str:
    """The type of the file system that `folder` is on, and its mount options; "unknown" if unseen."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == number:
            return f"{source.split()[0]} ({source.split()[2]})"
    return "unknown"


def _first_value(path: Path, key: str) -> str | None:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
