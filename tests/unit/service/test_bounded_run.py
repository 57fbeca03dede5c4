"""Programs run to their end (F-16, L-6): with nothing of ours, killed wholly, whatever they do to us."""

import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from paperpath.service.bounded_run import Ended, Order, run_bounded

pytestmark = pytest.mark.slow
LONG_S = 60.0  # nobody waits for it: these programs end by themselves


def run(
    code: str,
    *,
    source: bytes = b"message\n",
    clock: Callable[[], float] = time.monotonic,
    most_output: int = 100,
    folder: str = "/",
) -> Ended:
    """Run a line of Python."""
    return run_command([sys.executable, "-I", "-S", "-c", code], source, clock, most_output, folder)


def run_command(
    command: list[str],
    source: bytes = b"",
    clock: Callable[[], float] = time.monotonic,
    most_output: int = 100,
    folder: str = "/",
) -> Ended:
    with tempfile.TemporaryFile() as file:
        file.write(source)
        file.seek(0)
        arguments = [argument.encode() for argument in command]
        order = Order(arguments, {b"A": b"\xff"}, Path(folder), LONG_S, most_output)
        return run_bounded(order, file.fileno(), clock)


def wait_for_death(pid: int) -> None:
    """Wait until a process is gone, or dead and not asked after, for a time that fails the test."""
    last_s = time.monotonic() + 30
    while time.monotonic() < last_s:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        os.sched_yield()
    pytest.fail(f"{pid} is still there")


def test_F16_a_program_has_the_message_and_says_how_it_ended() -> None:
    code = (
        "import sys\n"
        "print(sys.stdin.read()[::-1], end='', flush=True)\n"
        "print('also', file=sys.stderr)\n"
        "sys.exit(3)"
    )
    assert run(code) == Ended(3, b"\negassemalso\n")


def test_P8_a_program_ends_when_nobody_waits_for_it_any_longer() -> None:
    end = os.eventfd(1)
    try:
        with tempfile.TemporaryFile() as file:
            order = Order([b"/bin/sh", b"-c", b"kill -STOP $$"], {}, Path("/"), LONG_S, 100, end)
            assert run_bounded(order, file.fileno()) == Ended(None, b"", is_broken_off=True)
    finally:
        os.close(end)


LOOKS_AROUND = """
import json, os, sys
print(json.dumps({
    "environment": open("/proc/self/environ", encoding="latin-1").read(),
    "descriptors": [number for number in range(64) if os.path.exists(f"/proc/self/fd/{number}")],
    "folder": os.getcwd(),
    "is_leader": os.getsid(0) == os.getpgid(0) == os.getpid(),
    "umask": os.umask(0),
    "arguments": sys.argv[1:],
}))
"""


def test_F16_L6_it_has_nothing_of_ours(tmp_path: Path) -> None:
    """Not our environment, descriptors, session, terminal or umask; no shell has read its arguments."""
    arguments = ["$(id)", "`id`;rm", "a b\n", "", "../../x"]
    read, write = os.pipe()
    os.set_inheritable(read, True)
    try:
        command = [sys.executable, "-I", "-S", "-c", LOOKS_AROUND, *arguments]
        ended = run_command(command, most_output=1000, folder=str(tmp_path))
    finally:
        os.close(read)
        os.close(write)
    assert json.loads(ended.output) == {
        "environment": "A=\xff\0",
        "descriptors": [0, 1, 2],
        "folder": str(tmp_path),
        "is_leader": True,
        "umask": 0o077,
        "arguments": arguments,
    }


@pytest.mark.parametrize("number", [9, 11, 15])
def test_F15_a_signal_is_told(number: int) -> None:
    assert run(f"import os; os.kill(os.getpid(), {number})").code == -number


def test_F16_what_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    """Both ignore what can be ignored, and one of them is not even its child any more."""
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork() or os.fork() and os._exit(0)\n"
        "print(os.getpid(), flush=True)\n"
        f"open({str(tmp_path)!r} + '/%d' % os.getpid(), 'w').close()\n"
        "print(flush=True)\n"
        "time.sleep(1000)"
    )
    ended = run(code, clock=lambda: 2 * LONG_S * (len(list(tmp_path.iterdir())) == 2))
    assert ended.code is None
    pids = [int(line) for line in ended.output.split()]
    assert len(pids) == 2
    for pid in pids:
        wait_for_death(pid)


def test_F16_what_it_left_behind_does_not_hold_us_up_and_is_killed() -> None:
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "if child:\n"
        "    print(child, flush=True)\n"
        "else:\n"
        "    time.sleep(1000)"
    )
    began_s = time.monotonic()
    ended = run(code)
    assert ended.code == 0
    assert time.monotonic() - began_s < LONG_S
    wait_for_death(int(ended.output))


def test_F16_who_leaves_the_group_may_stay_and_holds_up_nobody() -> None:
    code = (
        "import os, time\n"
        "read, write = os.pipe()\n"
        "child = os.fork()\n"
        "if child:\n"
        "    os.close(write)\n"
        "    os.read(read, 1)\n"
        "    print(child, flush=True)\n"
        "else:\n"
        "    os.setsid()\n"
        "    os.close(read)\n"
        "    os.close(write)\n"
        "    time.sleep(1000)"
    )
    ended = run(code)
    pid = int(ended.output)
    try:
        assert ended.code == 0
        os.kill(pid, 0)
    finally:
        os.kill(pid, 9)


def test_F16_a_flood_is_taken_and_its_begin_kept() -> None:
    ended = run("import os\nfor _ in range(1000): os.write(1, b'0123456789' * 1000)")
    assert ended == Ended(0, b"0123456789" * 10)


def test_F16_a_flood_without_an_end_is_killed() -> None:
    passing = itertools.count()
    ended = run("import os\nwhile True: os.write(2, b'x' * 65536)", clock=lambda: next(passing))
    assert ended == Ended(None, b"x" * 100)


@pytest.mark.parametrize(
    "code", ["import os; os.close(0)", "import os; os.close(0); os.close(1); os.close(2)", "pass"]
)
def test_F16_who_does_not_read_the_message_has_not_failed_by_that(code: str) -> None:
    assert run(code, source=b"x" * 1_000_000) == Ended(0, b"")


def test_F16_all_output_is_there_that_was_written_before_the_end() -> None:
    for _ in range(5):
        assert (
            run("import os; os.write(1, b'x' * 60_000); os._exit(0)", most_output=60_000).output
            == b"x" * 60_000
        )


@pytest.mark.parametrize("command", [["/nonexistent/program"], ["/etc/hostname"], ["/"]])
def test_L6_what_cannot_be_run_is_an_error(command: list[str]) -> None:
    with pytest.raises(OSError, match=r"No such file|Permission denied|Exec format"):
        run_command(command)


def test_L6_a_folder_that_is_missing_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        run_command(["/bin/true"], folder="/nonexistent")


def test_L6_no_descriptor_is_left_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    run_command(["/bin/true"])
    before = count()
    for _ in range(3):
        run_command(["/bin/true"])
        with pytest.raises(FileNotFoundError):
            run_command(["/nonexistent/program"])
    assert count() == before
