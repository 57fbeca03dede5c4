"""The kernel fails or interrupts calls of a living smtpld and smtppd: what they had to do is done later.

What is raised in Python (see `points.py`) says nothing of how the interpreter and SQLite take an EINTR.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import content_of, wait_until
from tests.support.relay import Relay, running_relay, send_one
from tests.support.strace import traced

pytestmark = [pytest.mark.slow, pytest.mark.interop]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with running_relay(tmp_path_factory.mktemp("interrupted")) as relay:
        yield relay


@pytest.mark.parametrize(
    ("program", "call", "error"),
    [
        ("smtpld", "openat", "EINTR"),
        ("smtpld", "write", "EINTR"),
        ("smtpld", "fsync", "EINTR"),
        ("smtpld", "fdatasync", "EINTR"),
        ("smtpld", "fdatasync", "EIO"),
        ("smtpld", "rename,renameat,renameat2", "EIO"),
        ("smtppd", "pwrite64", "EINTR"),
        ("smtppd", "pwrite64", "ENOSPC"),
        ("smtppd", "fdatasync", "EINTR"),
        ("smtppd", "fdatasync", "EIO"),
    ],
)
def test_D4_P4_a_call_that_fails_once_costs_nothing(
    relay: Relay, tmp_path: Path, program: str, call: str, error: str
) -> None:
    inject = f"inject={call}:error={error}:when=1"
    content = b"X-Number: i%d\r\n\r\nbody\r\n" % next(_numbers)
    trace = tmp_path / "trace"
    with traced(relay.pid(program), trace, "-e", f"trace={call}", "-e", inject):
        assert send_one(relay, content).startswith(b"250 ")
        wait_until(lambda: "INJECTED" in trace.read_text(), f"{call} of {program} to fail")
    wait_until(lambda: relay.books().open == 0, "all mail to be delivered")
    assert relay.books().balance
    came = Counter(content_of(file.read_bytes()) for file in relay.delivered())
    assert came[content] == 1
    assert relay.pid(program) is not None
