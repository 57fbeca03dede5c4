"""A program that is stopped while it has the maildrop's write lock, and how the others fare (P8)."""

import re
from pathlib import Path

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.strace import traced
from tests.support.wire import Wire, stuffed

pytestmark = [pytest.mark.slow, pytest.mark.interop]
LOCK_S = 2


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation whose watchdog waits for longer than any test."""
    installation = Installation(tmp_path)
    table = f"\n[service]\nwatchdog_s = 600\nlock_s = {LOCK_S}\n"
    installation.file.write_text(installation.file.read_text() + table)
    return installation


# The signal comes with the program's next such call: with the flush of its commit, which is then not over
# and has the lock; or with the first step to the lock, which is to take the turn.
@pytest.mark.parametrize(
    ("program", "call", "lock"),
    [
        ("smtprd", "fdatasync", "queue.lock"),
        ("smtppd", "fdatasync", "queue.lock"),
        ("smtpld", "fdatasync", "queue.lock"),
        ("smtprd", "flock", "queue.turn"),
    ],
)
def test_P8_a_program_stopped_with_the_lock_is_killed_and_mail_goes_on(
    installation: Installation, tmp_path: Path, program: str, call: str, lock: str
) -> None:
    with installation.up(), Wire(installation.port) as first:
        stopped = installation.pid(program)
        trace = tmp_path / "trace"
        first.open_transaction()
        with traced(stopped, trace, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGSTOP:when=1"):
            first.send(stuffed(b"Subject: first\r\n"))
            wait_until(lambda: "stopped by SIGSTOP" in trace.read_text(), f"{program} to stop")
        file = "queue.db-wal" if call == "fdatasync" else lock
        assert re.search(rf"/{file}>.* = 0\n\d+ +--- SIGSTOP ", trace.read_text()), trace.read_text()
        with Wire(installation.port) as second:
            second.open_transaction()
            second.send(stuffed(b"Subject: second\r\n"))
            assert second.reply().startswith(b"250 ")
        taken = 1 + (program != "smtprd" and first.reply().startswith(b"250 "))
        wait_until(lambda: installation.books().open == 0, "all to be delivered")
        books, delivered = installation.books(), installation.delivered()
        assert books.balance
        assert taken <= len(delivered) == books.delivered == books.accepted <= 2
        told = installation.output()
        assert told.count(" error gets nothing done with a lock, and killed ") == 1
        assert f" child={program} lock={lock} after_s={LOCK_S}.0" in told
        assert "silent for too long" not in told
        assert stopped not in installation.pids(program)
