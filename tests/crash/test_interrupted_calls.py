"""The kernel fails or interrupts calls: what a program had to do is done later, or was refused.

What is raised in Python (see `points.py`) says nothing of how the interpreter and SQLite take an EINTR. First
some calls of a living smtpld and smtppd; then a sample of those that any program makes on files with mail.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.test_crash_points import run_crash
from tests.support.installation import content_of, wait_until
from tests.support.relay import Relay, running_relay, send_one
from tests.support.strace import find_strace, traced

pytestmark = [pytest.mark.slow, pytest.mark.interop]
SAMPLE = 40
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


@pytest.mark.timeout(600)
def test_P1_P2_P4_P8_D4_each_call_on_mail_fails_in_its_turn() -> None:
    find_strace()
    tries = json.loads(run_crash("--kernel", "--json", f"--sample={SAMPLE}", "--seed=1"))
    assert sum(found["met"] for found in tries) >= SAMPLE * 3 // 4  # threads share calls otherwise each time
    wrong = {found["case"]: found["wrong"] for found in tries if found["wrong"]}
    assert wrong == {}, "make crash ARGS=\"--kernel --every --only '...'\" repeats one"
