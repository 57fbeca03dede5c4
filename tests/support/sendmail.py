"""sendmail and mailto called as programs call them, and servers for it that say what a test wants."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedRWPair
from pathlib import Path
from types import MappingProxyType

from tests.support.drop import act_as
from tests.support.installation import program_path

LETTER = b"Subject: x\n\nHi\n"
PATIENCE_S = 60
FORBIDDEN = {"asyncio", "pydantic", "rich", "click", "uvloop", "apsw"}
Command = Callable[[Sequence[str], Mapping[str, str]], int]
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Called:
    """What became of a call."""

    code: int
    output: bytes
    errors: str


class Caller:
    """Somebody with a home and a configuration; `port`: where smtpsd would be, else it has a local socket."""

    program = "sendmail"

    def __init__(self, folder: Path, port: int | None = None, *, more: str = "") -> None:
        self.home = folder
        self.file = folder / "paperpath.toml"
        listen = "" if port is None else f'listen = ["127.0.0.1:{port}"]\nlisten_local = false'
        self.file.write_text(f"""
hostname = "mx.here.example"
[post_office]
postmaster = "admin@here.example"
[submission]
{listen}
{more}
""")

    @property
    def dead_letter(self) -> Path:
        return self.home / "dead.letter"

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "PAPERPATH_CONFIG": str(self.file)}

    def call(self, *words: str | bytes, letter: bytes = LETTER, more: Mapping[str, str] = NOTHING) -> Called:
        """Call it with a letter on standard input, and with more in its environment."""
        done = subprocess.run(
            [program_path(self.program), *words],
            input=letter,
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
            env={**self.environment, **more},
        )
        return Called(done.returncode, done.stdout, done.stderr.decode())

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start it, to be fed and ended by the test.

        Signals have their defaults: whoever runs the tests in the background may ignore some.
        """
        return subprocess.Popen(
            ["env", "--default-signal", program_path(self.program), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )


def catches(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal, and waits for something."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1) and "\nState:\tS" in status


def run_as(
    uid: int,
    command: Command,
    words: Sequence[str],
    letter: bytes,
    environment: Mapping[str, str],
    told: Path,
) -> int:
    """Run a command as another user, with a letter as its standard input; return its exit code."""
    reading, writing = os.pipe()
    os.write(writing, letter)
    os.close(writing)
    result, report = os.pipe()

    def run() -> None:
        os.dup2(reading, 0)
        os.dup2(os.open(told, os.O_WRONLY), 2)
        os.write(report, bytes([command(words, environment)]))

    told.write_bytes(b"")
    told.chmod(0o666)
    act_as(uid, run)
    code = os.read(result, 1)[0]
    for descriptor in (reading, result, report):
        os.close(descriptor)
    return code


@dataclass
class Script:
    """A server that answers each verb with a line; an empty one closes the connection."""

    replies: Mapping[str, str]
    port: int = 0
    lines: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)


_USUAL = {
    "": "220 mx.here.example",
    "EHLO": "250-mx.here.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN",
    "DATA": "354 Go on",
    ".": "250 2.0.0 Taken",
    "QUIT": "221 2.0.0 Bye",
}


@contextmanager
def scripted(replies: Mapping[str, str]) -> Iterator[Script]:
    """Run such a server for the length of the block; what is in no script is answered by 250."""
    script = Script({**_USUAL, **replies})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script.port = listener.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(listener, script))
        thread.start()
        try:
            yield script
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, script: Script) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as wire:
                _talk(wire, script)


def _talk(wire: BufferedRWPair, script: Script) -> None:
    def answer(verb: str) -> bool:
        reply = script.replies.get(verb, "250 2.0.0 OK")
        wire.write(f"{reply}\r\n".encode() if reply else b"")
        wire.flush()
        return bool(reply)

    is_open = answer("")
    while is_open and (line := wire.readline()):
        script.lines.append(line.decode().rstrip("\r\n"))
        verb = line[:4].decode().strip().upper()
        is_open = answer(verb)
        if verb == "DATA" and script.replies["DATA"].startswith("354"):
            if "content" in script.replies:  # it gives up when some of that has come
                wire.readline()
                answer("content")
                return
            lines = list(_read_content(wire))
            is_open = lines[-1:] == [b".\r\n"]
            if is_open:
                script.contents.append(b"".join(lines[:-1]))
                is_open = answer(".")


def _read_content(wire: BufferedRWPair) -> Iterator[bytes]:
    while line := wire.readline():
        yield line
        if line == b".\r\n":
            return
