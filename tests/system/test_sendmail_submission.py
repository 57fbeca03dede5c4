"""sendmail and the real smtpsd: mail arrives, and who sends it gains nothing by it (J-1, J-9, B-26)."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from paperpath.commands import sendmail
from tests.support.installation import program_path, wait_until
from tests.support.sendmail import LETTER, Called, Caller, run_as
from tests.support.submission import Submission

SOMEBODY = 65504
pytestmark = pytest.mark.slow
_VARIABLE = re.compile(
    rb"^(Received:.*\n(?:[ \t].*\n)*|Message-ID:.*\n|Date:.*\n|From:.*\n|Delivered-To:.*\n)", re.M
)


class LocalCaller(Caller):
    """Somebody on the host of an installation."""

    def __init__(self, installation: Submission, home: Path) -> None:
        self.home = home
        self.file = installation.file


@pytest.fixture(scope="module")
def installation() -> Iterator[Submission]:
    """Return an installation that every user can reach, which pytest's folders are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        installation = Submission(Path(name) / "site", more='[sendmail]\nwhen_down = "drop"\n')
        installation.folder.chmod(0o711)
        installation.file.chmod(0o644)
        with installation.up():
            yield installation


@pytest.fixture
def caller(installation: Submission, tmp_path: Path) -> LocalCaller:
    return LocalCaller(installation, tmp_path)


def test_J1_what_is_handed_over_arrives(installation: Submission, caller: LocalCaller) -> None:
    assert caller.call("u") == Called(0, b"", "")
    (message,) = installation.take()
    assert message.endswith(b"\n\nHi\n")
    assert b"(Paperpath, from user " in message


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_J9_X12_a_dialogue_on_standard_input(
    installation: Submission, caller: LocalCaller, end: bytes
) -> None:
    lines = [b"EHLO me.example", b"MAIL FROM:<a@b.example>", b"RCPT TO:<u>", b"DATA", b"Subject: x", b"",
             b"..dot", b"RSET", b".", b"NOOP", b"QUIT", b""]  # fmt: skip
    called = caller.call("-bs", letter=end.join(lines))
    assert (called.code, called.errors) == (0, "")
    codes = [line[:3] for line in called.output.split(b"\r\n") if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"250", b"221"]
    (message,) = installation.take()
    assert message.endswith(b"\n\n.dot\nRSET\n")


def test_J9_the_end_of_the_input_is_quit(installation: Submission, caller: LocalCaller) -> None:
    called = caller.call("-bs", letter=b"HELO x\nMAIL FROM:<>\nRCPT TO:<u>\nDATA\nS: x\n\n.\n")
    assert (called.code, called.errors) == (0, "")
    installation.take()
    assert caller.call("-bs", letter=b"").code == 0


@pytest.mark.parametrize("rest", [b"", b"Subject: x\n\nHalf of it\n", b"Subject: x\n\nHalf of it\n."])
def test_J13_a_dialogue_that_ends_within_a_message_sends_nothing(
    installation: Submission, caller: LocalCaller, rest: bytes
) -> None:
    called = caller.call("-bs", letter=b"HELO x\nMAIL FROM:<>\nRCPT TO:<u>\nDATA\n" + rest)
    assert called.code == 74
    assert "not sent" in called.errors
    assert installation.books().accepted == installation.books().delivered


def test_S8_a_lone_lf_ends_nothing_for_who_writes_crlf(installation: Submission, caller: LocalCaller) -> None:
    hidden = b"\n.\nMAIL FROM:<evil@x.example>\nRCPT TO:<u>\nDATA\nS: evil\n\n.\n"
    letter = b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<u>\r\nDATA\r\nS: x\r\n\r\na" + hidden + b"\r\n.\r\nQUIT\r\n"
    called = caller.call("-bs", letter=letter)
    assert b"holds a bare CR or LF" in called.output
    assert called.output.count(b"354") == 1


@pytest.mark.parametrize("verb", ["BDAT", "bdat", " BDAT "])
def test_J9_chunks_pass_as_they_are(installation: Submission, caller: LocalCaller, verb: str) -> None:
    content = b"S: x\r\n\r\nHi\r\n"
    command = f"EHLO x\nMAIL FROM:<>\nRCPT TO:<u>\n{verb} {len(content)} LAST\n".encode()
    called = caller.call("-bs", letter=command + content + b"QUIT\n")
    assert called.code == 0, called
    (message,) = installation.take()
    assert message.endswith(b"\n\nHi\n")


@pytest.mark.parametrize("command", [b"BDAT", b"BDAT x", b"BDAT 5 FIRST"])
def test_J9_a_chunk_of_unknown_length_ends_it(caller: LocalCaller, command: bytes) -> None:
    called = caller.call("-bs", letter=b"EHLO x\n" + command + b"\nQUIT\n")
    assert called.code == 75
    assert b"\r\n501 " in called.output


def test_J9_a_line_of_any_length_passes(installation: Submission, caller: LocalCaller) -> None:
    begin = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<u>\r\nDATA\r\nS: x\r\n\r\n"
    called = caller.call("-bs", letter=begin + (b"x" * 1000 + b" ") * 200 + b"\r\n.\r\nQUIT\r\n")
    assert called.code == 0, called
    (message,) = installation.take()
    assert b"quoted-printable" in message


@pytest.mark.parametrize(
    ("begin", "end", "code"), [(b"", b"\n", 0), (b"AUTH LOGIN\n", b"\n", 0), (b"", b"", 74)]
)
def test_J9_a_command_of_any_length_has_one_reply(
    caller: LocalCaller, begin: bytes, end: bytes, code: int
) -> None:
    called = caller.call("-bs", letter=b"EHLO x\n" + begin + b"A" * 200_000 + end + b"QUIT\n" * bool(end))
    assert called.code == code, called
    assert called.output.count(b"\r\n500 ") == bool(end)


def test_J9_nobody_who_reads_the_replies_ends_it(caller: LocalCaller) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [program_path("sendmail"), "-bs"],
        input=b"HELO x\nMAIL FROM:<>\nRCPT TO:<u>\nDATA\nS: x\n\n.\n",
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        env=caller.environment,
    )
    os.close(writing)
    assert done.returncode == 74, done.stderr


HEADERS = (
    b"Subject: x\nTo: u\n",
    "Subject: Grüße\nTo: Jörg Ü <u@here.example>\nCc: v@x.example, (c) <w@x.example>\n".encode(),
    b"To: Joe . Smith @ here . example (c)\nDate: Fri, 21 Nov 97 09:55 EST\nX-Own:   as  it is\nSubject: x\n",
    b"subject: " + b"long " * 300 + b"\nBcc: blind@x.example\n",
)


@pytest.mark.parametrize("header", HEADERS)
def test_B26_the_same_message_gets_the_same_header_by_every_way(
    installation: Submission, caller: LocalCaller, header: bytes
) -> None:
    letter = header + b"\nHi\n"
    with installation.connect_local() as client:
        client.sendmail("joe@here.example", ["u@here.example"], letter.replace(b"\n", b"\r\n"))
    (submitted,) = installation.take()
    assert caller.call("-f", "joe@here.example", "u@here.example", letter=letter).code == 0
    (sent,) = installation.take()
    away = installation.socket.rename(installation.socket.with_suffix(".away"))
    try:
        assert caller.call("-f", "joe@here.example", "u@here.example", letter=letter).code == 0
    finally:
        away.rename(installation.socket)
    (dropped,) = installation.take()
    assert strip(submitted) == strip(sent) == strip(dropped)


def strip(message: bytes) -> bytes:
    """Take off what tells ways and moments apart."""
    return _VARIABLE.sub(b"", message)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
@pytest.mark.parametrize("words", [("u",), ("-f", "<>", "u")])
@pytest.mark.parametrize("is_away", [False, True])
def test_L3_B12_any_user_may_call_it_and_is_known_by_who_he_is(
    installation: Submission, is_away: bool, words: tuple[str, ...]
) -> None:
    told = installation.folder.parent / "told"
    environment = {
        "PAPERPATH_CONFIG": str(installation.file),
        "HOME": "/nowhere",
        "USER": "root",
        "LOGNAME": "root",
    }
    away = installation.socket.with_suffix(".away")
    if is_away:
        installation.socket.rename(away)
    try:
        assert run_as(SOMEBODY, sendmail.run, words, LETTER, environment, told) == 0, told.read_text()
    finally:
        if is_away:
            away.rename(installation.socket)
    (message,) = installation.take()
    assert f"uid {SOMEBODY}".encode() in message
    assert f"\nFrom: uid{SOMEBODY}@here.example\n".encode() in message
    assert b"root" not in message


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_J1_who_has_no_home_is_told_that_the_message_is_lost(installation: Submission) -> None:
    told = installation.folder.parent / "told"
    environment = {"PAPERPATH_CONFIG": str(installation.file), "HOME": "/nowhere"}
    assert run_as(SOMEBODY, sendmail.run, ["nobody@here.example"], LETTER, environment, told) == 67
    assert "No such mailbox" in told.read_text()
    assert "the message is lost" in told.read_text()


def test_J10_J15_the_queue_by_either_name(caller: LocalCaller, tmp_path: Path) -> None:
    assert caller.call("-bp").output == b"Mail queue is empty\n"
    link = tmp_path / "mailq"
    link.symlink_to(program_path("sendmail"))
    done = subprocess.run([link], capture_output=True, check=True, env=caller.environment)
    assert done.stdout == b"Mail queue is empty\n"
    assert caller.call("-bi").code == 78  # no aliases file is named
    assert caller.call("-I").errors.startswith("newaliases: ")


def test_J1_a_server_that_dies_leaves_the_message_with_its_author(
    installation: Submission, tmp_path: Path
) -> None:
    text = installation.file.read_text().replace('when_down = "drop"', 'when_down = "fail"')
    file = installation.folder / "other.toml"
    file.write_text(text)
    caller = LocalCaller(installation, tmp_path)
    caller.file = file
    away = installation.socket.rename(installation.socket.with_suffix(".away"))
    try:
        called = caller.call("u")
    finally:
        away.rename(installation.socket)
    assert called.code == 75
    assert LETTER in caller.dead_letter.read_bytes()
    wait_until(lambda: installation.books().open == 0, "nothing to be left")
