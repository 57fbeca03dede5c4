"""System calls of a program on files that hold mail: which there are, and having one of them fail, by strace.

A call is known as in points.py, with the program in the place of the transition, since of those the kernel
knows nothing; the `hit`-th is so in its thread, for that is how strace counts. So a call of another thread
may fail with it, once, too.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash.points import How, Point

_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)")
_UNFINISHED = "<unfinished ...>"
_FOLDER = re.compile(r"/data/(maildrop|mailboxes|drop|drop-damaged|batches)(/[^>\"]*)?[>\"]")
_LOCKS = ("queue.lock", "queue.turn")
# What no call is: it takes no error that a file could give, or is not made on a file. A `close`, or an
# unlocking by `fcntl` or `flock`, that strace has fail is not made at all, which no kernel does.
_NEVER_FAIL = frozenset(
    {
        "mmap",
        "poll",
        "epoll_ctl",
        "sendmsg",
        "recvmsg",
        "ioctl",
        "getdents64",
        "lseek",
        "close",
        "fcntl",
        "flock",
    }
)
_GROWING = re.compile(r"p?write|openat|mkdir|rename|link|fsync|fdatasync|ftruncate|fallocate")
_INTERRUPTED = re.compile(r"p?write|p?read|openat|f(data)?sync|ftruncate|flock")


@dataclass(frozen=True, slots=True)
class Trace:
    """How strace is to look at a program."""

    output: Path
    options: tuple[str, ...]

    def attach(self, pid: int) -> subprocess.Popen[bytes]:
        """Begin with a living process; return strace, which ends with it."""
        command = ["strace", "-f", "-y", "-o", str(self.output), *self.options, "-p", str(pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert tracer.stderr is not None
        first = tracer.stderr.readline()
        assert b"attached" in first, first
        return tracer


@dataclass(frozen=True, slots=True)
class Call:
    """A call as strace tells it: the `hit`-th of its name in its thread, and what file of mail it is on."""

    name: str
    hit: int
    kind: str
    """Empty where it is on no file that holds mail."""
    is_injected: bool


def look_at_all(output: Path) -> Trace:
    """Look at all calls, and leave them alone."""
    return Trace(output, ("-s", "256"))


def fail_one(output: Path, point: Point, how: How) -> Trace:
    """Have a call fail."""
    name = point.call.partition(" ")[0]
    return Trace(output, ("-e", f"trace={name}", "-e", f"inject={name}:error={how.value}:when={point.hit}"))


def read_calls(output: Path) -> Iterator[Call]:
    """Give the calls of a trace, in the order in which they ended."""
    counts: Counter[tuple[str, str]] = Counter()
    begun: dict[str, str] = {}
    for line in output.read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, name, rest = match.groups()
        if rest.endswith(_UNFINISHED):
            begun[thread] = rest
            continue
        whole = begun.pop(thread, "") + rest
        counts[thread, name] += 1
        yield Call(name, counts[thread, name], _name_kind(whole), "(INJECTED)" in whole)


def find_points(program: str, calls: Iterator[Call]) -> tuple[Point, ...]:
    """List the calls on mail that can be made to fail."""
    found = {
        Point(program, f"{call.name} {call.kind}", call.hit): None
        for call in calls
        if call.kind and call.name not in _NEVER_FAIL
    }
    return tuple(found)


def can_fail(point: Point, how: How) -> bool:
    """Tell whether a call may fail so."""
    if how is How.ENOSPC:
        return _GROWING.match(point.call) is not None
    if how is How.EINTR:
        return _INTERRUPTED.match(point.call) is not None
    return how is How.EIO


def _name_kind(arguments: str) -> str:
    """Name what file or folder of mail a call is on, if it is."""
    match = _FOLDER.search(arguments)
    if match is None:
        return ""
    folder, below = match[1], (match[2] or "").strip("/").split("/")
    if folder == "maildrop":
        name = below[0] or "maildrop"
        return "" if name in _LOCKS else "draft" if name.startswith("#") else name
    if folder == "mailboxes":
        return next((part for part in below if part in ("tmp", "new", "cur")), "mailbox")
    return folder
