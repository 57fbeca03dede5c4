"""What the tests ask of every mail program: to put messages, to look, to flag, to move and to remove them.

Messages are told apart by their field X-Number. What a program adds of its own to what it puts is left out
before anything is compared.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.support.imap import Imap

KEPT = "Kept"
_NUMBER = re.compile(rb"(?m)^X-Number: (\d+)\r?$")
_OWN_FIELDS = re.compile(rb"(?m)^(?:X-TUID|X-OfflineIMAP|Status|Content-Length|Lines): .*\r\n")
_PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Held:
    """A message as a program has it. `flags`: the letters of Maildir, of those that it has to tell."""

    octets: bytes
    flags: str = ""


Mailbox = Mapping[int, Held]


class Peer(Protocol):
    """A mail program at work on an account."""

    def put(self, messages: Mapping[int, bytes]) -> None:
        """Put messages into INBOX."""

    def read(self, folder: str) -> Mailbox:
        """See what others did, and return all that is in a folder."""

    def flag(self, number: int) -> None:
        """Set \\Flagged of a message in INBOX."""

    def move(self, number: int) -> None:
        """Move a message from INBOX to the folder `KEPT`."""

    def remove(self, number: int) -> None:
        """Remove a message from INBOX for good."""

    def end(self) -> None:
        """Log out, where the program stays connected."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program finds the server, and where it may write."""

    imap: Imap
    home: Path

    @property
    def certificate(self) -> Path:
        """The server's."""
        return self.imap.folder / "data" / "tls" / "self-signed.pem"

    def run(self, *command: str | Path, given: bytes | None = None) -> bytes:
        """Run a program to its end, and return what it printed."""
        done = subprocess.run(
            [*map(str, command)],
            input=given,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout


def find_number(octets: bytes) -> int:
    """Return the number of a message."""
    match = _NUMBER.search(octets)
    assert match is not None, octets[:200]
    return int(match[1])


def gather(found: Iterable[tuple[bytes, str]]) -> Mailbox:
    """Put messages and their flags together by number; no number may come twice."""
    held: dict[int, Held] = {}
    for octets, flags in found:
        number = find_number(octets)
        assert number not in held, number
        held[number] = Held(_OWN_FIELDS.sub(b"", octets), "".join(sorted(set(flags) & set("FR"))))
    return held


def read_maildir(folder: Path) -> Mailbox:
    """Return what is in a Maildir."""
    return gather((as_sent(file.read_bytes()), file.name.partition(":2,")[2]) for file in list_files(folder))


def list_files(folder: Path) -> list[Path]:
    """Return the files of a Maildir."""
    return [file for part in ("cur", "new") for file in sorted((folder / part).glob("*"))]


def write_maildir(folder: Path, messages: Mapping[int, bytes]) -> None:
    """Put messages into a Maildir, made if there is none."""
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, octets in messages.items():
        (folder / "cur" / f"{1_000_000 + number}.{number}.here:2,S").write_bytes(
            octets.replace(b"\r\n", b"\n")
        )


def find_file(folder: Path, number: int) -> Path:
    """Return the file of a message in a Maildir."""
    (file,) = [file for file in list_files(folder) if find_number(file.read_bytes()) == number]
    return file


def as_sent(octets: bytes) -> bytes:
    """Return what is stored with LF as it is sent."""
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
