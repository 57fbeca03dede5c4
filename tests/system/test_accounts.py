"""Passwords at a real terminal: not echoed, and in no core dump (L-5)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from paperpath.accounts.passwords import is_password
from paperpath.accounts.secrets import load_secrets
from paperpath.mail.address import Mailbox
from tests.support.installation import make_installation, program_path

AT_A_TERMINAL = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
JOE = "joe@here.example"
pytestmark = pytest.mark.slow


def read_until(terminal: subprocess.Popen[bytes], prompt: bytes) -> bytes:
    shown = b""
    assert terminal.stdout is not None
    while not shown.endswith(prompt):
        octet = terminal.stdout.read(1)
        assert octet, shown
        shown += octet
    return shown


def type_in(terminal: subprocess.Popen[bytes], line: bytes) -> None:
    assert terminal.stdin is not None
    terminal.stdin.write(line)
    terminal.stdin.flush()


def limits_of_child(pid: int) -> str:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return Path(f"/proc/{child}/limits").read_text()


def test_L5_a_password_is_asked_for_twice_and_shown_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    make_installation(folder, [JOE])
    command = [
        program_path("paperpath"),
        "account",
        "password",
        "--config",
        str(folder / "paperpath.toml"),
        JOE,
    ]
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as terminal:
        shown = read_until(terminal, b"Password: ")
        assert re.search(r"^Max core file size +0 +0 ", limits_of_child(terminal.pid), re.MULTILINE)
        type_in(terminal, b"open sesame\n")
        shown += read_until(terminal, b"Once more: ")
        type_in(terminal, b"open sesame\n")
        shown += read_until(terminal, b"has a new password\r\n")
    assert terminal.returncode == 0
    assert b"sesame" not in shown
    secret = load_secrets(folder / "data" / "secrets").find(Mailbox("joe", "here.example"))
    assert secret is not None
    assert is_password("open sesame", secret.password_hash)


def test_the_first_account_has_the_password_that_init_told(tmp_path: Path) -> None:
    told = subprocess.run(
        [program_path("paperpath"), "init", str(tmp_path / "here")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    match = re.search(r"^me@example\.test logs in with the password (\S+),", told, re.MULTILINE)
    assert match is not None
    secret = load_secrets(tmp_path / "here" / "data" / "secrets").find(Mailbox("me", "example.test"))
    assert secret is not None
    assert is_password(match[1], secret.password_hash)
