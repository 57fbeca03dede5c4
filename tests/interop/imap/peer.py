"""What the tests ask of every mail program: to put messages, to look, to flag, move and remove some.

Messages are told apart by their field X-Number. What a program changes by itself of what it puts, and of what
it is served, it says beforehand, so that octets can be compared.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.support.imap import Imap

INBOX, KEPT = "INBOX", "Kept"
FOLDERS = (INBOX, KEPT)
_NUMBER = re.compile(rb"(?m)^X-Number: (\d+)\r?$")
_MARK = re.compile(rb"X-TUID: [A-Za-z0-9+/]{12}\r\n\Z")
_PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Held:
    """A message as a program has it. `flags`: the letters of Maildir, of those that it has to tell."""

    octets: bytes
    flags: str = ""


Mailbox = Mapping[int, Held]
Account = Mapping[str, Mailbox]
"""The mailboxes by their names in `FOLDERS`."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is done to messages in INBOX: \\Flagged is set, they are moved to `KEPT`, or removed for good."""

    flagged: frozenset[int] = frozenset()
    moved: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()

    def apply(self, account: Account) -> Account:
        """Return what the account is afterwards."""
        inbox, kept = dict(account[INBOX]), dict(account[KEPT])
        for number in self.flagged:
            inbox[number] = Held(inbox[number].octets, "F")
        for number in self.moved:
            kept[number] = inbox.pop(number)
        for number in self.removed:
            del inbox[number]
        return {INBOX: inbox, KEPT: kept}


class Peer(Protocol):
    """A mail program at work on an account."""

    def put(self, messages: Mapping[int, bytes]) -> None:
        """Put messages into INBOX, which are files with these octets to the program."""

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Return what it sends where it puts messages; what it does not send is left out."""

    def show(self, account: Account) -> Account:
        """Return what it has, with CRLF, where that is what the server has."""

    def read(self) -> Account:
        """See what others did, and return all there is."""

    def change(self, changes: Changes) -> None:
        """Change messages, of those that were there when it looked last."""

    def end(self) -> None:
        """Log out, where the program stays connected."""


@dataclass(frozen=True, slots=True)
class Told:
    """What `paperpath account show` says that a mail program has to be told, but for the password."""

    imap: str
    smtp: str
    uses_starttls: bool
    user: str

    @classmethod
    def read(cls, lines: str) -> "Told":
        """Read the lines; both servers are `HOST:PORT`."""
        found = {
            name: re.search(rf"(?m)^{name} server \S+ (\S+) port (\d+) (SSL/TLS|STARTTLS)$", lines)
            for name in ("incoming", "outgoing")
        }
        user = re.search(r"(?m)^user name +(\S+)$", lines)
        assert "\nauthentication  password, over TLS" in lines
        incoming, outgoing = found["incoming"], found["outgoing"]
        assert incoming is not None
        assert outgoing is not None
        assert user is not None
        assert incoming[3] == outgoing[3]
        imap, smtp = (":".join(server.group(1, 2)) for server in (incoming, outgoing))
        return cls(imap, smtp, incoming[3] == "STARTTLS", user[1])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program finds the server, and where it may write."""

    imap: Imap
    home: Path
    told: Told

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
        held[number] = Held(_cut_mark(octets), "".join(sorted(set(flags) & set("FR"))))
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
        (folder / "cur" / f"{1_000_000 + number}.{number}.here:2,S").write_bytes(octets)


def find_files(folder: Path) -> dict[int, Path]:
    """Return the files of messages in a Maildir."""
    return {find_number(file.read_bytes()): file for file in list_files(folder)}


def flag_file(file: Path) -> None:
    """Set \\Flagged of a message in a Maildir."""
    name, _, letters = file.name.partition(":2,")
    file.rename(file.parent.with_name("cur") / f"{name}:2,{''.join(sorted({*letters, 'F'}))}")


def as_sent(octets: bytes) -> bytes:
    """Return what is stored with LF as it is sent."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def _cut_mark(octets: bytes) -> bytes:
    """Leave out the field by which mbsync finds what it put, at the end of the header."""
    header, end, body = octets.partition(b"\r\n\r\n")
    return _MARK.sub(b"", header + b"\r\n") + end[2:] + body if end else octets
