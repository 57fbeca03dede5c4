"""Programs that call sendmail, each as it does: their mail arrives (requirement J-8)."""

import os
import signal
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from tests.support.installation import program_path
from tests.support.peers import find_peer, skip_or_fail
from tests.support.submission import Submission

pytestmark = [pytest.mark.interop, pytest.mark.slow]
TO = "u@here.example"
BODY = "first\n.\n..\nFrom here\nlast ü\n"
PATCH = """\
From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: Joe <joe@here.example>
Date: Mon, 23 Nov 2026 06:00:00 +0000
Subject: [PATCH] a change

It changes.
---
 x | 1 +
"""
CRON = """
set -e
mount --bind {wrapper} /usr/sbin/sendmail
mount --bind {tabs} /var/spool/cron/crontabs
mount --bind {nothing} /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t tmpfs paperpath-test /run
exec {cron} -f
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submission]:
    installation = Submission(tmp_path_factory.mktemp("callers"))
    with installation.up():
        yield installation


@pytest.fixture
def sendmail(installation: Submission, tmp_path: Path) -> Path:
    """Return a sendmail that finds the configuration whatever its caller does to the environment."""
    wrapper = tmp_path / "sendmail"
    environment, program = f"PAPERPATH_CONFIG={installation.file}", program_path("sendmail")
    wrapper.write_text(f'#!/bin/sh\n{environment} exec {program} "$@" 2>>{tmp_path}/told\n')
    wrapper.chmod(0o755)
    return wrapper


def take(installation: Submission) -> EmailMessage:
    """Wait for a message, and read it as a mail reader does."""
    (octets,) = installation.take()
    return message_from_bytes(octets, policy=default)


def text_of(message: EmailMessage) -> str:
    text: str = message.get_content()
    return text


def call(folder: Path, *command: str | Path, text: str = BODY) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "MAILRC": f"{folder}/rc",
    }
    done = subprocess.run(
        command,
        input=text.encode(),
        capture_output=True,
        check=False,
        env=environment,
        cwd=folder,
        timeout=60,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_J8_git_send_email(installation: Submission, sendmail: Path, tmp_path: Path) -> None:
    git = find_peer("git")
    if subprocess.run([git, "send-email", "--dump-aliases"], capture_output=True, check=False).returncode:
        skip_or_fail("git send-email is not installed")
    patch = tmp_path / "0001-x.patch"
    patch.write_text(PATCH)
    identity = ("-c", "user.name=Joe", "-c", "user.email=joe@here.example")
    call(tmp_path, git, *identity, "send-email", f"--smtp-server={sendmail}", f"--to={TO}",
         "--from=joe@here.example", "--confirm=never", "--suppress-cc=all", patch)  # fmt: skip
    message = take(installation)
    assert message["Subject"] == "[PATCH] a change"
    assert text_of(message).endswith("\n---\n x | 1 +\n")


def test_J8_php(installation: Submission, sendmail: Path, tmp_path: Path) -> None:
    code = 'exit(mail($argv[1], "Grüße", stream_get_contents(STDIN), "From: web@here.example") ? 0 : 1);'
    call(tmp_path, find_peer("php"), "-d", f"sendmail_path={sendmail} -t -i", "-r", code, "--", TO)
    message = take(installation)
    assert (message["Subject"], message["From"]) == ("Grüße", "web@here.example")
    assert text_of(message) == f"{BODY}\n"


def test_J8_s_nail(installation: Submission, sendmail: Path, tmp_path: Path) -> None:
    call(tmp_path, find_peer("s-nail"), "-:/", "-Sv15-compat", f"-Smta={sendmail}", "-Ssendwait",
         "-Sttycharset=utf-8", "-rjoe@here.example", "-sGrüße", TO)  # fmt: skip
    message = take(installation)
    assert (message["Return-Path"], message["Subject"]) == ("<joe@here.example>", "Grüße")
    assert text_of(message) == BODY


def test_J8_mutt(installation: Submission, sendmail: Path, tmp_path: Path) -> None:
    settings = tmp_path / "muttrc"
    settings.write_text(
        f'set sendmail="{sendmail} -oem -oi"\nset use_envelope_from=yes\nset from="Joe <joe@here.example>"\n'
        "set copy=no\nset sendmail_wait=0\nset charset=utf-8\n"
    )
    call(tmp_path, find_peer("mutt"), "-n", "-F", settings, "-s", "Grüße", TO)
    message = take(installation)
    assert (message["Return-Path"], message["Subject"]) == ("<joe@here.example>", "Grüße")
    assert message["From"] == "Joe <joe@here.example>"
    assert text_of(message) == BODY


def test_J8_mail_of_debian(installation: Submission, sendmail: Path, tmp_path: Path) -> None:
    (tmp_path / "rc").write_text(f"set sendmail={sendmail}\nset sendwait\n")
    call(tmp_path, find_peer("bsd-mailx"), "-s", "Hello", "-a", "X-Own: yes", TO)
    message = take(installation)
    assert (message["Subject"], message["X-Own"]) == ("Hello", "yes")
    assert text_of(message) == BODY


def test_J8_a_monitor_that_writes_into_a_pipe(
    installation: Submission, sendmail: Path, tmp_path: Path
) -> None:
    """As mdadm and smartd do: a letter with a header into `sendmail -t`, from a shell."""
    letter = f"From: mdadm monitoring <root>\nTo: {TO}\nSubject: DegradedArray event on /dev/md0\n\nHelp\n"
    call(tmp_path, "/bin/sh", "-c", f"cat | {sendmail} -t", text=letter)
    message = take(installation)
    assert message["From"] == "mdadm monitoring <root@here.example>"
    assert text_of(message) == "Help\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_J8_cron(installation: Submission, sendmail: Path, tmp_path: Path) -> None:
    """In a mount namespace of its own, for cron calls /usr/sbin/sendmail and nothing else."""
    cron, unshare = find_peer("cron"), find_peer("unshare")
    tabs, nothing = tmp_path / "tabs", tmp_path / "nothing"
    for folder in (tabs, nothing):
        folder.mkdir()
    (tabs / "root").write_text(f"MAILTO={TO}\n@reboot printf 'told by cron\\n.\\nlast'\n")
    (tabs / "root").chmod(0o600)
    script = CRON.format(wrapper=sendmail, tabs=tabs, nothing=nothing, cron=cron)
    with subprocess.Popen([unshare, "--mount", "/bin/sh", "-c", script], start_new_session=True) as process:
        try:
            message = take(installation)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    assert message["From"].startswith("root@here.example")
    assert message["Subject"].startswith("Cron <root@")
    assert text_of(message) == "told by cron\n.\nlast\n"
