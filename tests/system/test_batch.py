"""`smtpsd --batch`, called as people call it, beside the running programs and without them (J-22 to J-25)."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.installation import program_path, wait_until
from tests.support.submission import Submission
from tests.unit.submission.batch.setting import message

HELLO = b"EHLO batch.example\r\n"
Called = subprocess.CompletedProcess[bytes]


def call(submission: Submission, *words: str, batch: bytes = b"") -> Called:
    """Process a batch."""
    return subprocess.run(
        [program_path("smtpsd"), "--config", str(submission.file), "--batch", *words],
        input=batch,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
def test_J22_J23_J24_J25_a_batch_goes_through_beside_the_programs(tmp_path: Path) -> None:
    submission = Submission(tmp_path)
    file = tmp_path / "batch"
    file.write_bytes(HELLO + message("1") + message("2", "nobody@here.example", "u@here.example"))
    early = call(submission, str(file))
    assert (early.returncode, early.stdout) == (0, b"2 accepted\n"), early.stderr
    with submission.up():
        # The daemon has the same name and its own socket: neither is in the other's way.
        wait_until(lambda: submission.socket.exists(), "smtpsd to listen")
        many = b"".join(message(str(number), body=(b"x" * 900,) * 100) for number in range(3, 6))
        lines = (HELLO + many).replace(b"\r\n", b"\n")
        cut = call(submission, batch=lines[:-5])
        assert (cut.returncode, cut.stdout) == (1, b"2 accepted\n"), cut.stderr
        assert b"smtpsd: line 317: the batch ends within a message or a line\n" in cut.stderr
        whole = call(submission, batch=lines + b"QUIT\n")
        assert (whole.returncode, whole.stdout) == (0, b"1 accepted, 2 in an earlier run\n"), whole.stderr
        mails = submission.take(5)
        subjects = sorted(line for mail in mails for line in mail.splitlines() if b"Subject" in line)
        assert subjects == [b"Subject: %d" % number for number in range(1, 6)]
        assert all(b"(Paperpath, from user " in mail for mail in mails)
        (report,) = submission.take(1, "joe@here.example")
        assert b"Final-Recipient: rfc822; nobody@here.example" in report
        (notice,) = submission.take(1, "admin@here.example")
        assert b"application/batch-SMTP" in notice
    assert list((tmp_path / "data" / "batches").iterdir()) == []


def test_J24_what_is_no_batch_ends_with_a_code(tmp_path: Path) -> None:
    submission = Submission(tmp_path)
    assert call(submission, str(tmp_path / "missing")).returncode == 2
    assert call(submission, str(tmp_path)).returncode == 2
    closed = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$0" "$@" <&- >&-',
            program_path("smtpsd"),
            "--config",
            submission.file,
            "--batch",
        ],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert closed.returncode == 2, closed.stderr
    assert b"standard input is closed" in closed.stderr
    submission.file.write_text(submission.file.read_text().partition("[submission]")[0])
    without = call(submission, batch=HELLO)
    assert without.returncode == os.EX_CONFIG
    assert b"[submission]" in without.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")
def test_J26_only_the_owner_of_the_data_gets_in(tmp_path: Path) -> None:
    submission = Submission(tmp_path)
    os.chown(tmp_path / "data", 1, 1)
    refused = call(submission, batch=HELLO + message("1"))
    assert refused.returncode == os.EX_NOPERM, refused
    assert submission.books().accepted == 0
