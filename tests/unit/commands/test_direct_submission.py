"""Direct submission beside smtpsd: one canonical form, whichever way a message goes (B-26)."""

import os
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperpath.commands.direct_submission import Submission, submit_directly
from paperpath.commands.exits import ExitError
from paperpath.commands.handed_message import HandedMessage, read_message
from paperpath.commands.plain_configuration import load_plain
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient
from tests.support.drop import make_folders, read_drop
from tests.unit.submission.batch.setting import TEXT, Setting, octets_of
from tests.unit.submission.canonical.test_properties import BODIES, FIELDS

JOE, U = Mailbox("joe", "here.example"), Mailbox("u", "here.example")
RELAXED = "[canonical]\nstrict = false"  # who is known here only smtpsd can tell
_ENVELOPE = b"HELO x\r\nMAIL FROM:<joe@here.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\n"
_VARIABLE = re.compile(
    rb"^(?:Resent-)?(?:Date|Message-ID):.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE | re.IGNORECASE
)
_TRACE = re.compile(rb"\AReceived: .*\r\n(?: .*\r\n){2}")
Folder = Callable[[], Path]


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return lambda: tmp_path_factory.mktemp("site")


def drop(folder: Path, message: HandedMessage) -> bytes:
    """Leave a message in the drop directory; return what lies there, or why there is nothing."""
    (folder / "data").mkdir()
    make_folders(folder / "data")
    file = folder / "paperpath.toml"
    file.write_text(TEXT.format(data="data", more=RELAXED))
    configuration = load_plain(file)
    try:
        name = submit_directly(configuration, Submission(JOE, JOE, (Recipient(U),)), message)
    except ExitError as error:
        return str(error).split()[1].encode()
    return read_drop(configuration.drop_folder, name)[1]


def submit(folder: Path, message: HandedMessage) -> bytes:
    """Hand the same message to smtpsd; return what it takes, or the status of its refusal."""
    setting = Setting(folder, more=RELAXED)
    octets = b"".join(message.read())
    stuffed = re.sub(rb"^\.", b"..", octets, flags=re.MULTILINE)
    assert setting.run(_ENVELOPE + stuffed + b".\r\n") == 0, setting.trouble
    if not setting.taken:
        ((_, (failed,)),) = setting.reports
        return failed.split()[1].encode()
    (taken,) = setting.taken
    found, count = _TRACE.subn(b"", octets_of(taken))
    assert count == 1
    return found


def read(letter: bytes) -> HandedMessage:
    reading, writing = os.pipe()
    os.write(writing, letter)
    os.close(writing)
    try:
        return read_message(reading, ends_at_dot=False)
    finally:
        os.close(reading)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(FIELDS, max_size=8).map(b"".join), BODIES)
@example(b"", b"")
@example(b"To: u, Joe <joe>\r\nBcc: a@b.example\r\nDate: now\r\n", "ü".encode())
def test_B26_smtpsd_and_the_drop_directory_get_the_same_message(
    new_folder: Folder, header: bytes, body: bytes
) -> None:
    letter = (header + b"\r\n" + body).replace(b"\r\n", b"\n").replace(b"\r", b"")
    with closing(read(letter)) as message:
        dropped, submitted = drop(new_folder(), message), submit(new_folder(), message)
    assert _VARIABLE.sub(b"", dropped) == _VARIABLE.sub(b"", submitted)
