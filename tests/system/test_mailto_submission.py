"""mailto and the programs that take its messages: they arrive, and nobody gains by it (J-16, L-2)."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from paperpath.commands import mailto
from tests.support.drop import act_as
from tests.support.sendmail import run_as
from tests.support.submission import Submission

NOBODY, OTHER = 65534, 65505
TEXT = "Grüße\n".encode()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="takes root")]
_VARIABLE = re.compile(
    rb"^(?:Received:.*\n(?:[ \t].*\n)*|Message-ID:.*\n|Date:.*\n|From:.*\n|Delivered-To:.*\n)", re.M
)
# What mailto is told, and what somebody writes who does it all himself.
SAME = (
    (("-s", "x", "u"), "To: u\nSubject: x\n"),
    (
        ("-s", "Grüße", "-c", "joe@here.example, W <admin@here.example> (c)", "Jörg Ü <u@here.example>"),
        "To: Jörg Ü <u@here.example>\nCc: joe@here.example, W <admin@here.example> (c)\nSubject: Grüße\n",
    ),
    (
        ("-s", "as  it is", "-C", "X-Own: as  it is: ü", "-b", "u"),
        "Subject: as  it is\nX-Own: as  it is: ü\n",
    ),
)


@pytest.fixture(scope="module")
def installation() -> Iterator[Submission]:
    """Return an installation that every user can reach, which pytest's folders are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        installation = Submission(Path(name) / "site")
        installation.folder.chmod(0o711)
        installation.file.chmod(0o644)
        yield installation


class Person:
    """A user of this host, who has no home, and says that he is somebody else."""

    def __init__(self, installation: Submission, uid: int) -> None:
        self._uid = uid
        self._told = installation.folder.parent / "told"
        self._environment = {"PAPERPATH_CONFIG": str(installation.file), "HOME": "/nowhere", "USER": "root"}

    def send(self, *words: str) -> int:
        return run_as(self._uid, mailto.run, words, TEXT, self._environment, self._told)

    @property
    def told(self) -> str:
        return self._told.read_text()


def test_J16_B26_L2_what_anybody_leaves_arrives_when_the_programs_run(installation: Submission) -> None:
    drop = installation.folder / "data" / "drop"
    person = Person(installation, NOBODY)
    assert person.send("-s", "Early", "u") == 0, person.told
    assert person.send("-a", "/etc/shadow", "u") == 66
    (left,) = drop.iterdir()
    assert (left.stat().st_uid, left.stat().st_mode & 0o777) == (NOBODY, 0o640)
    act_as(OTHER, lambda: expect_refusals(drop, left))
    with installation.up():
        (message,) = installation.take()
        assert message.count(b"\nReceived: ") == 1
        assert f"(Paperpath, from user nobody, uid {NOBODY})".encode() in message
        assert message.endswith(b"\n\n" + TEXT)
        assert b"root" not in message
        for words, header in SAME:
            assert person.send(*words) == 0, person.told
            with installation.connect_local() as client:
                letter = f"{header}\n".encode() + TEXT
                client.sendmail("nobody", ["u@here.example"], letter.replace(b"\n", b"\r\n"))
            first, second = installation.take(2)
            assert strip(first) == strip(second)


def strip(message: bytes) -> bytes:
    """Take off what tells ways and moments apart."""
    return _VARIABLE.sub(b"", message).partition(b"\n")[2]  # and the Return-Path


def expect_refusals(drop: Path, left: Path) -> None:
    """Try what nobody but a file's owner may do."""
    attempts: Sequence[Callable[[], object]] = (
        lambda: list(drop.iterdir()),
        left.read_bytes,
        lambda: left.write_bytes(b""),
        left.unlink,
        lambda: left.rename(drop / "mine"),
        lambda: left.chmod(0o777),
    )
    for attempt in attempts:
        with pytest.raises(PermissionError):
            attempt()


def test_J12_who_may_not_leave_mail_is_told_who_may(installation: Submission) -> None:
    drop = installation.folder / "data" / "drop"
    drop.chmod(0o3730)
    person = Person(installation, OTHER)
    try:
        assert person.send("u") == 77
    finally:
        drop.chmod(0o3733)
    assert "/drop: Permission denied; members of the group root may\n" in person.told
    assert "the message is lost, for it could not be kept either" in person.told
