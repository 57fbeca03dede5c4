"""One session on standard input and output: what is said where, who the client is, and every way to end."""

import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperpath.maildrop.sqlite.database import fetch, open_database
from tests.support.installation import PATIENCE_S, Installation, program_path, wait_until
from tests.support.submission import Submission

pytestmark = pytest.mark.slow

LETTER = b"DATA\r\nSubject: hello\r\n\r\nhello\r\n.\r\n"
BEGINNING = b"EHLO client.example\r\nMAIL FROM:<joe@else.example>\r\n"
ELSEWHERE = b"RCPT TO:<u@else.example>\r\n"
HERE = b"RCPT TO:<u@here.example>\r\n"
Process = subprocess.Popen[bytes]


@dataclass
class Said:
    """What a program said and how it ended."""

    code: int
    output: bytes
    errors: str

    @property
    def codes(self) -> list[str]:
        """The codes of the replies; the lines between are left out."""
        return [line[:3].decode() for line in self.output.splitlines() if line[3:4] == b" "]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Submission:
    """Return an installation where nothing runs: a session needs nobody else."""
    return Submission(tmp_path_factory.mktemp("site"))


def environment(more: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", **more}


def command(site: Installation, program: str, *arguments: str) -> list[str]:
    return [program_path(program), "--stdio", *arguments, "--config", str(site.file)]


def talk(site: Installation, octets: bytes, *arguments: str, program: str = "smtprd", **more: str) -> Said:
    """Say everything at once, as a script does, and hear what comes of it."""
    done = subprocess.run(
        command(site, program, *arguments),
        input=octets,
        capture_output=True,
        check=False,
        env=environment(more),
        timeout=PATIENCE_S,
    )
    return Said(done.returncode, done.stdout, done.stderr.decode())


@contextmanager
def connected(site: Installation, *arguments: str, **more: str) -> Iterator[tuple[socket.socket, Process]]:
    """Have smtprd started as inetd does it: the connection is all three streams."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), PATIENCE_S)
        connection, _ = listener.accept()
    with connection:
        process = subprocess.Popen(
            command(site, "smtprd", *arguments),
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=connection.fileno(),
            env=environment(more),
        )
    with client:
        yield client, process
    process.wait(PATIENCE_S)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """Read until something was said, or nothing more comes."""
    said = b""
    while wanted not in said:
        assert select.select([descriptor], [], [], PATIENCE_S)[0], said
        octets = os.read(descriptor, 65536)
        if not octets:
            break
        said += octets
    return said


def last_content(site: Installation) -> bytes:
    """Return the message that was taken last."""
    connection = open_database(site.folder / "data" / "maildrop")
    rows = fetch(connection, "SELECT octets FROM content ORDER BY message_id DESC LIMIT 1")
    connection.close()
    content: bytes = rows[0][0]
    return content


def test_C9_mail_is_taken_and_flushed_and_the_post_office_woken(site: Submission) -> None:
    """The log goes to standard error alone; the access level of the configured rules is in force."""
    wakeups = site.folder / "data" / "run" / "wake"
    wakeups.mkdir(parents=True, exist_ok=True)
    before = site.books().accepted
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as post_office:
        post_office.bind(str(wakeups / "smtppd.wake"))
        said = talk(site, BEGINNING + ELSEWHERE + HERE + LETTER + b"QUIT\r\n")
        post_office.settimeout(PATIENCE_S)
        assert post_office.recv(1) == b""
    assert said.code == 0
    assert said.codes == ["220", "250", "250", "550", "250", "354", "250", "221"]
    assert b" smtprd info " not in said.output
    assert " smtprd info accepted " in said.errors
    assert "Traceback" not in said.errors
    assert site.books().accepted == before + 1


@pytest.mark.parametrize("program", ["smtprd", "smtpsd"])
def test_J21_the_replies_are_those_of_a_connection(site: Submission, program: str) -> None:
    """But for the words after the queue id; nothing is taken, so there is none."""
    script = BEGINNING + ELSEWHERE + b"DATA\r\nRSET\r\nVRFY u\r\nMAIL\r\nFOO\r\nSTARTTLS x\r\nQUIT\r\n"
    port = site.port if program == "smtprd" else site.submission_port
    with site.start(program):
        wait_until(lambda: "ready" in site.output() or "Traceback" in site.output(), f"{program} to serve")
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
            client.sendall(script)
            connected = b"".join(iter(lambda: client.recv(65536), b""))
    assert talk(site, script, program=program).output == connected
    assert connected.count(b"\r\n") > 10


@pytest.mark.parametrize(
    ("arguments", "more", "reply"),
    [
        (["--access", "normal"], {"ACCESSLEVEL": "2", "RELAYCLIENT": ""}, "550"),
        (["--access", "2"], {"ACCESSLEVEL": "1"}, "250"),
        ([], {"ACCESSLEVEL": "1", "RELAYCLIENT": ""}, "550"),
        ([], {"RELAYCLIENT": ""}, "250"),
    ],
)
def test_C9_L14_the_access_level_comes_from_the_argument_or_the_environment(
    site: Submission, arguments: list[str], more: dict[str, str], reply: str
) -> None:
    said = talk(site, BEGINNING + ELSEWHERE + b"QUIT\r\n", *arguments, **more)
    assert said.codes == ["220", "250", "250", reply, "221"]


def test_L17_S6_who_the_client_is_says_the_environment_and_nothing_else(site: Submission) -> None:
    hostile = {"TCPREMOTEHOST": "a (b)\r\nX-Injected: 1", "TCPREMOTEINFO": "\udcff\r\nX-Injected: 2"}
    known = {"PROTO": "TCP6", "TCPREMOTEIP": "2001:DB8::1", "TCPREMOTEPORT": "4711", **hostile}
    assert talk(site, BEGINNING + HERE + LETTER + b"QUIT\r\n", **known).code == 0
    assert b"from client.example ([IPv6:2001:db8::1])" in last_content(site)
    unknown = {"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.1\r\nX-Injected: 3 (", **hostile}
    assert talk(site, BEGINNING + HERE + LETTER + b"QUIT\r\n", **unknown).code == 0
    content = last_content(site)
    assert b"192.0.2.1" not in content
    assert b"X-Injected" not in content


def test_L17_the_socket_goes_before_the_environment_and_the_log_never_to_the_client(site: Submission) -> None:
    with connected(site, PROTO="TCP", TCPREMOTEIP="192.0.2.1") as (client, process):
        client.sendall(BEGINNING + HERE + LETTER + b"NOOP\r\n")
        client.shutdown(socket.SHUT_WR)  # a client that says no more still reads
        with client.makefile("rb") as stream:
            said = Said(process.wait(PATIENCE_S), stream.read(), "")
    assert (said.code, said.codes) == (0, ["220", "250", "250", "250", "354", "250", "250"])
    assert b"smtprd" not in said.output
    assert b"([127.0.0.1])" in last_content(site)


def test_S6_a_message_that_was_cut_is_no_message(site: Submission) -> None:
    before = site.books().accepted
    said = talk(site, BEGINNING + HERE + LETTER[:-5])
    assert (said.code, said.codes) == (0, ["220", "250", "250", "250", "354"])
    assert site.books().accepted == before


def test_an_end_by_a_signal_is_told(site: Submission) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        process = subprocess.Popen(
            command(site, "smtprd"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(BEGINNING + HERE + b"DATA\r\nSubject: half")
        process.stdin.flush()
        assert b"354 " in read_until(process.stdout.fileno(), b"354 ")
        process.send_signal(number)
        assert b"421 " in read_until(process.stdout.fileno(), b"421 ")
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert b"Traceback" not in errors


def test_whoever_reads_no_more_ends_it(site: Submission) -> None:
    process = subprocess.Popen(
        command(site, "smtprd"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    read_until(process.stdout.fileno(), b"220 ")
    process.stdout.close()
    process.stdin.write(b"NOOP\r\n" * 2)  # the pipe breaks; the input stays open
    process.stdin.flush()
    assert process.wait(PATIENCE_S) == 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.stdin.close()


def run_in_shell(site: Submission, words: str, **more: str) -> Said:
    """Run a shell's line, for what only a shell can do to streams."""
    line = " ".join(command(site, "smtprd")) + f" {words}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=False, env=environment(more))
    return Said(done.returncode, done.stdout, done.stderr.decode())


@pytest.mark.parametrize("words", ["<&-", ">&- </dev/null", "<&- >&-"])
def test_closed_streams_are_refused(site: Submission, words: str) -> None:
    said = run_in_shell(site, words)
    assert said.code == 74
    assert said.errors == "smtprd: standard input or output is closed\n"
    assert said.output == b""


def test_C9_a_level_that_is_none_is_refused(site: Submission) -> None:
    said = run_in_shell(site, "</dev/null", ACCESSLEVEL="3", RELAYCLIENT="")
    assert said.code == 78
    assert "ACCESSLEVEL: expected deny, null, normal or privileged" in said.errors
    assert said.output == b""


def test_a_listening_socket_is_refused(site: Submission) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = subprocess.run(
            command(site, "smtprd"),
            stdin=listener.fileno(),
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )
    assert done.returncode == 78
    assert b"Accept=yes" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("words", ["", "2>&-", "2>&1"])
def test_input_from_a_file_is_taken_wherever_the_log_goes(
    site: Submission, tmp_path: Path, words: str
) -> None:
    script = tmp_path / "script"
    script.write_bytes(BEGINNING + HERE + b"QUIT\r\n")
    said = run_in_shell(site, f"<{script} {words}")
    assert (said.code, b"smtprd" in said.output, bool(said.errors)) == (0, False, not words)
    assert said.codes == ["220", "250", "250", "250", "221"]


def test_nobody_submits_without_a_login_for_being_on_a_pipe(site: Submission) -> None:
    """Whoever is privileged and has no address is the user that runs the program; else it is the address."""
    mail = BEGINNING + ELSEWHERE + LETTER + b"QUIT\r\n"
    said = talk(site, BEGINNING + b"QUIT\r\n", program="smtpsd")
    assert said.codes == ["220", "250", "530", "221"]
    said = talk(site, mail, "--access", "privileged", program="smtpsd")
    assert said.codes == ["220", "250", "250", "250", "354", "250", "221"]
    assert f"uid {os.getuid()})".encode() in last_content(site)
    said = talk(site, mail, program="smtpsd", RELAYCLIENT="", REMOTE_ADDR="192.0.2.1", REMOTE_PORT="25")
    assert said.codes == ["220", "250", "250", "250", "354", "250", "221"]
    content = last_content(site)
    assert b"([192.0.2.1])" in content
    assert b"uid " not in content
