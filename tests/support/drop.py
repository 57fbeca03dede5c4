"""The drop directory in a test's folder, and other users of this host who write there."""

import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.maildrop.drop.format import DEFAULT_MOST_OCTETS, parse_envelope
from paperpath.maildrop.drop.reader import open_drop
from paperpath.service.durable import open_directory

CLIENT = Client("", 0, "somebody", "local")
ENVELOPE = Envelope(Mailbox("me", "here.example"), (Recipient(Mailbox("u", "here.example")),), CLIENT)


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    output: str
    errors: str


CONTENT = b"Subject: dropped\r\n\r\nbody\r\n"


def make_folders(parent: Path) -> tuple[Path, Path]:
    """Make the directory and the one for what is put aside; return both."""
    drop, damaged = parent / "drop", parent / "drop-damaged"
    damaged.mkdir(mode=0o700)
    drop.mkdir()
    drop.chmod(0o3733)
    return drop, damaged


def read_drop(folder: Path, name: str, most_octets: int = DEFAULT_MOST_OCTETS) -> tuple[Envelope, bytes]:
    """Read a whole file as the import does. Raises: DropError, OSError."""
    directory = open_directory(folder)
    chunks: list[bytes] = []
    try:
        with closing(open_drop(directory, name, most_octets)) as file:
            envelope = parse_envelope(file.envelope, CLIENT)
            file.copy_content(chunks.append)
            return envelope, b"".join(chunks)
    finally:
        os.close(directory)


def act_as(uid: int, action: Callable[[], object], *, gid: int | None = None) -> None:
    """Do something as another user, in a process of its own that has no other groups; fail if it fails."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            group = uid if gid is None else gid
            os.setresgid(group, group, group)
            os.setresuid(uid, uid, uid)
            action()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it was, this process ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"what was done as user {uid} failed"


def run_as(uid: int, command: Callable[[Sequence[str]], int], *arguments: str) -> Ran:
    """Run a command of ours as another user, who need not be able to read its code."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        report, told = os.pipe()

        def run() -> None:
            with redirect_stdout(output), redirect_stderr(errors):
                code = command(arguments)
            output.flush()
            errors.flush()
            os.write(told, bytes([code]))

        act_as(uid, run)
        code = os.read(report, 1)[0]
        os.close(report)
        os.close(told)
        output.seek(0)
        errors.seek(0)
        return Ran(code, output.read(), errors.read())
