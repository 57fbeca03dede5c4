"""What mail programs say, played to imapd: nothing is BAD, and the mailboxes are as they should be (K-30).

Those of mutt, mbsync and offlineimap were recorded as they worked with imapd, and shortened; those of
Thunderbird, Apple Mail and K-9 are reconstructed from what is known of them, for none of them runs here.

A file has what the client says: `C:` a command, which is answered before the next; `C+` one that is sent with
the next; `C>` octets without a line end; `C2:` and so on over another connection. All is compressed behind
COMPRESS. What stands in `<>` is filled in. `=`: a mailbox in the end, its messages by X-Number, and the
letters of Maildir for their flags. In the beginning INBOX has 1000 to 1002.
"""

import base64
import imaplib
import re
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imap import Imap, heard
from tests.support.installation import wait_until
from tests.support.submission import ACCOUNT, PASSWORD
from tests.support.tls import make_client_context

pytestmark = pytest.mark.slow

FILES = sorted((Path(__file__).parent / "imap_sessions").glob("*.txt"))
LETTERS = {b"\\Draft": "D", b"\\Flagged": "F", b"\\Answered": "R", b"\\Seen": "S"}
_STEP = re.compile(r"C(\d?)([:+>]) ?(.*)")
_FACTS = re.compile(rb"\[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)\]")


@pytest.fixture(scope="module")
def imap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imap]:
    installation = Imap(tmp_path_factory.mktemp("sessions"))
    with installation.start("imapd"):
        wait_until(lambda: "listening" in installation.output(), "imapd to listen")
        yield installation


class Wire(imaplib.IMAP4_SSL):
    """The octets of a client, which may be compressed (RFC 4978)."""

    _packer: "zlib._Compress | None" = None

    def begin_to_compress(self) -> None:
        """Compress from now on, in both directions."""
        self._packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        self._unpacked = b""

    def say(self, octets: bytes) -> None:
        """Send octets."""
        if self._packer is not None:
            octets = self._packer.compress(octets) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        self.send(octets)

    def read(self, size: int) -> bytes:
        """Return so many octets that came."""
        if self._packer is None:
            return super().read(size)
        while len(self._unpacked) < size:
            self._unpack()
        octets, self._unpacked = self._unpacked[:size], self._unpacked[size:]
        return octets

    def readline(self) -> bytes:
        """Return a line that came."""
        if self._packer is None:
            return super().readline()
        while b"\n" not in self._unpacked:
            self._unpack()
        return self.read(self._unpacked.index(b"\n") + 1)

    def _unpack(self) -> None:
        octets = self.sock.recv(65536)
        assert octets, "the server has hung up"
        self._unpacked += self._unpacker.decompress(octets)


class Connection:
    """One connection of a client. `facts`: what is filled in, and learned."""

    def __init__(self, imap: Imap, facts: dict[bytes, bytes]) -> None:
        self._wire = Wire("127.0.0.1", imap.imaps_port, ssl_context=make_client_context(), timeout=20)
        self._facts = facts
        self._pending: list[bytes] = []
        self._continues = False

    def play(self, mark: str, text: str) -> None:
        """Say a line, and hear what there is to be heard."""
        octets = text.encode().decode("unicode_escape").encode("latin-1")
        octets = re.sub(rb"<(\w+)>", lambda match: self._facts[match[1]], octets)
        if not self._continues and mark != ">" and octets not in {b"DONE", b""}:
            self._pending.append(octets.split()[0])
        self._wire.say(octets + (b"" if mark == ">" else b"\r\n"))
        waits = octets.endswith((b" IDLE", b" PLAIN")) or re.search(rb"\{\d+\}$", octets)
        if waits and mark != ">":
            assert self._wire.readline().startswith(b"+ "), text
        self._continues = bool(waits) and not octets.endswith(b" IDLE")
        if mark == ":" and not waits and not octets.endswith(b"+}"):
            self._hear(text)
        if octets.upper().endswith(b" COMPRESS DEFLATE"):
            self._wire.begin_to_compress()

    def end(self) -> None:
        """Hang up."""
        self._wire.shutdown()

    def _hear(self, text: str) -> None:
        for tag in self._pending:
            lines = heard(self._wire, tag)
            assert lines[-1].startswith(b"OK"), (text, lines)
            for name, number in _FACTS.findall(b"".join(lines)):
                self._facts[b"modseq" if name == b"HIGHESTMODSEQ" else b"uidvalidity"] = number
        self._pending.clear()


class Player:
    """Plays one file."""

    def __init__(self, imap: Imap) -> None:
        self._imap = imap
        plain = base64.b64encode(f"\0{ACCOUNT}\0{PASSWORD}".encode())
        self._facts = {b"plain": plain, b"uidvalidity": b"0", b"modseq": b"1"}
        self._connections: dict[str, Connection] = {}

    def play(self, step: "re.Match[str]") -> None:
        """Say a line, over a connection that begins where it is named first."""
        who, mark, text = step.groups()
        if who not in self._connections:
            self._connections[who] = Connection(self._imap, self._facts)
        self._connections[who].play(mark, text)

    def end(self) -> None:
        """Hang up."""
        for connection in self._connections.values():
            connection.end()


def begin(imap: Imap) -> None:
    """Have nothing in the account but three messages in INBOX, and a folder."""
    home = imap.mailboxes / "here.example" / "joe"
    wait_until(lambda: not list(home.rglob("*-shm")), "those who were there to let go")
    for entry in [*home.glob(".*"), *home.glob("paperpath-*"), *home.glob("cur/*"), *home.glob("new/*")]:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    client = imap.read()
    for number in range(1000, 1003):
        client.append("INBOX", "", "", b"X-Number: %d\r\nSubject: one\r\n\r\nhello\r\n" % number)
    client.create("Kept")
    client.create("Entw&APw-rfe")
    client.logout()


def look(imap: Imap, mailbox: str) -> str:
    """Show a mailbox as the files here do."""
    client = imap.read(f'"{mailbox}"')
    found = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (X-NUMBER)])")[1]
    client.logout()
    shown = []
    for facts, octets in (one for one in found if isinstance(one, tuple)):
        flags = "".join(letter for flag, letter in LETTERS.items() if flag in facts)
        shown.append(f"{int(octets.split()[1])}:{flags}")
    return " ".join(shown)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_K30_what_a_mail_program_says_is_carried_out(imap: Imap, file: Path) -> None:
    begin(imap)
    player = Player(imap)
    lines = file.read_text(encoding="utf-8").splitlines()
    try:
        for line in lines:
            if (step := _STEP.fullmatch(line)) is not None:
                player.play(step)
    finally:
        player.end()
    expected = [line.removeprefix("= ") for line in lines if line.startswith("= ")]
    assert expected
    for one in expected:
        mailbox = re.sub(r"( \d+:[A-Z]*)+$", "", one)
        assert f"{mailbox} {look(imap, mailbox)}".strip() == one
