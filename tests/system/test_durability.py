"""System calls looked at and made to fail: what is durable when (D-1, D-4, F-6)."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installation import PROGRAMS, Installation, wait_until
from tests.support.strace import traced
from tests.support.wire import Wire, stuffed

pytestmark = [pytest.mark.slow, pytest.mark.interop]


def send(installation: Installation, subject: bytes) -> bytes:
    with Wire(installation.port) as wire:
        wire.open_transaction()
        wire.send(stuffed(b"Subject: " + subject + b"\r\n"))
        return wire.reply()


def positions(lines: list[str], pattern: str) -> list[int]:
    return [number for number, line in enumerate(lines) if re.search(pattern, line)]


def test_D1_M4_the_commit_is_flushed_before_the_250(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation")
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,fsync,fdatasync,sendto,write"
    with installation.up(), traced(installation.pid("smtprd"), trace, "-e", calls):
        assert send(installation, b"durable").startswith(b"250 ")
    lines = trace.read_text().splitlines()
    (answered,) = positions(lines, "250 2.0.0 Taken")
    written = max(number for number in positions(lines, "pwrite64.*-wal") if number < answered)
    flushed = [number for number in positions(lines, r"(fsync|fdatasync)\(.*-wal.* = 0") if number > written]
    assert flushed, "\n".join(lines)
    assert flushed[0] < answered, "\n".join(lines)


def test_D6_nothing_slow_happens_between_the_dot_and_the_250(tmp_path: Path) -> None:
    """Nobody is asked over the network; and 99 of 100 wait hardly longer than for a bare flush."""
    installation = Installation(tmp_path / "installation")
    trace = tmp_path / "trace"
    with installation.up():
        with traced(installation.pid("smtprd"), trace, "-e", "trace=socket,connect"):
            assert send(installation, b"asks nobody").startswith(b"250 ")
        assert not positions(trace.read_text().splitlines(), r"AF_INET|AF_UNIX.*SOCK_STREAM")
        waits, flushes = [], []
        with (tmp_path / "flushed").open("ab", buffering=0) as file, Wire(installation.port) as wire:
            wire.reply()
            wire.ask(b"EHLO client.example")
            for _ in range(200):
                file.write(b"x" * 4096)
                flushes.append(duration(lambda: os.fsync(file.fileno())))
                for line in (b"MAIL FROM:<a@b.example>", b"RCPT TO:<u@here.example>", b"DATA"):
                    assert wire.ask(line)[:1] in b"23"
                waits.append(duration(lambda: wire.ask(b"Subject: timed\r\n.")))
    assert sorted(waits)[197] < sorted(flushes)[197] + 0.1


def duration(act: Callable[[], object]) -> float:
    """Tell how many seconds something takes."""
    began_s = time.monotonic()
    act()
    return time.monotonic() - began_s


def test_D1_M4_large_content_is_flushed_with_its_name_before_the_commit(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation")
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,write,fsync,fdatasync,sendto"
    with installation.up(), traced(installation.pid("smtprd"), trace, "-e", calls):
        assert send(installation, b"x\r\n" * 30_000).startswith(b"250 ")
    lines = trace.read_text().splitlines()
    steps = [
        positions(lines, r" write\(\d+<.*/content/../")[-1],
        positions(lines, r"fsync\(\d+<.*/content/../")[0],
        positions(lines, r"fsync\(\d+<.*/content/..>")[0],
        positions(lines, "pwrite64.*-wal")[0],
        positions(lines, r"(fsync|fdatasync)\(.*-wal")[-1],
        positions(lines, "250 2.0.0 Taken")[0],
    ]
    assert steps == sorted(steps), "\n".join(lines)


def test_F6_a_delivery_is_flushed_in_tmp_renamed_and_its_directory_flushed(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation")
    trace = tmp_path / "trace"
    calls = "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,openat"
    with installation.up(), traced(installation.pid("smtpld"), trace, "-e", calls):
        assert send(installation, b"filed").startswith(b"250 ")
        installation.wait_for_deliveries(1)
        wait_until(lambda: installation.books().open == 0, "the delivery to be settled")
    lines = trace.read_text().splitlines()
    steps = [
        positions(lines, r"openat\(\d+<.*/u/tmp>.*O_EXCL")[0],
        positions(lines, r" write\(\d+<.*/u/tmp/")[-1],
        positions(lines, r"fsync\(\d+<.*/u/tmp/")[0],
        positions(lines, r"rename.*/u/tmp>.*/u/new>")[0],
        positions(lines, r"fsync\(\d+<.*/u/new>")[0],
        positions(lines, r"(fsync|fdatasync)\(.*-wal")[-1],
    ]
    assert steps == sorted(steps), "\n".join(lines)
    assert not positions(lines, r"openat\(.*/u/(new|cur).*O_CREAT")


def test_A41_D4_what_a_failed_flush_refused_never_comes_back(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation")
    fail_once = "inject=fsync,fdatasync:error=EIO:when=1"
    with installation.up() as process:
        smtprd = installation.pid("smtprd")
        with traced(smtprd, tmp_path / "trace", "-e", "trace=fsync,fdatasync", "-e", fail_once):
            assert send(installation, b"refused").startswith(b"451 4.3.0 ")
            pids = [pid for pid in map(installation.pid, PROGRAMS) if pid is not None]
            for pid in (process.pid, *pids):  # a crash before anything else is written
                os.kill(pid, signal.SIGKILL)
            process.wait()
        assert "EIO" in (tmp_path / "trace").read_text()
    with installation.up():
        assert send(installation, b"taken").startswith(b"250 ")
        (file,) = installation.wait_for_deliveries(1)
        assert b"Subject: taken" in file.read_bytes()
    assert installation.books().accepted == 1


def test_D4_the_relay_recovers_by_itself_from_failing_flushes(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation")
    with installation.up():
        fail = "inject=fsync,fdatasync:error=EIO"
        with traced(
            installation.pid("smtprd"), tmp_path / "trace", "-e", "trace=fsync,fdatasync", "-e", fail
        ):
            for number in range(3):
                assert send(installation, b"refused %d" % number).startswith(b"451 4.3.0 ")
        assert send(installation, b"taken").startswith(b"250 ")
        (file,) = installation.wait_for_deliveries(1)
        assert b"Subject: taken" in file.read_bytes()
    assert (installation.books().accepted, installation.books().open) == (1, 0)


def test_F5_a_mailbox_that_cannot_be_written_defers_until_it_can(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "installation")
    with installation.up():
        fail = "inject=fsync:error=ENOSPC"
        with traced(installation.pid("smtpld"), tmp_path / "trace", "-e", "trace=fsync", "-e", fail):
            assert send(installation, b"later").startswith(b"250 ")
            wait_until(lambda: "deferred" in installation.output(), "the delivery to be deferred")
        assert "No space left on device" in installation.output()
        installation.wait_for_deliveries(1)
        wait_until(lambda: installation.books().open == 0, "the delivery to be settled")
    assert installation.books().balance
