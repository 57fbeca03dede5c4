"""System calls of a living program, looked at and made to fail."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import PATIENCE_S
from tests.support.peers import find_peer
from tests.support.process import is_alive

_LAST_WORDS_S = 1.0


def find_strace() -> str:
    """Return the path of strace; skip the test where it is of no use."""
    if os.geteuid() != 0:
        pytest.skip("the programs let nobody but root trace them")
    return find_peer("strace")


@contextmanager
def traced(pid: int | None, output: Path, *options: str) -> Iterator[None]:
    """Look at a living program's system calls for the length of the block."""
    strace = find_strace()
    assert pid is not None
    command = [strace, "-f", "-y", "-s", "64", "-o", str(output), *options, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        first = tracer.stderr.readline()
        try:
            assert b"attached" in first, first
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            try:  # strace may wait for ever for a process killed under it
                tracer.wait(PATIENCE_S if is_alive(pid) else _LAST_WORDS_S)
            except subprocess.TimeoutExpired:
                tracer.kill()
