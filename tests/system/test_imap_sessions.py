"""What mail programs say, played to imapd: nothing is BAD, and the mailboxes are as they should be (K-30).

Those of mutt, mbsync and offlineimap were recorded as they worked with imapd, and shortened; those of
Thunderbird, Apple Mail and K-9 are reconstructed from what is known of them, for none of them runs here.

A file has what the client says: `C:` a command, which is answered before the next; `C+` one that is sent with
the next; `C>` octets without a line end. What stands in `<>` is filled in. `=`: a mailbox in the end, its
messages by X-Number, and the letters of Maildir for their flags. In the beginning INBOX has 1000 to 1002.
"""

import base64
import imaplib
import re
import shutil
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
_FACTS = re.compile(rb"\[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)\]")


@pytest.fixture(scope="module")
def imap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imap]:
    installation = Imap(tmp_path_factory.mktemp("sessions"))
    with installation.start("imapd"):
        wait_until(lambda: "listening" in installation.output(), "imapd to listen")
        yield installation


class Player:
    """Plays one file."""

    def __init__(self, imap: Imap) -> None:
        self._client = imaplib.IMAP4_SSL(
            "127.0.0.1", imap.imaps_port, ssl_context=make_client_context(), timeout=20
        )
        plain = base64.b64encode(f"\0{ACCOUNT}\0{PASSWORD}".encode())
        self._facts = {b"plain": plain, b"uidvalidity": b"0", b"modseq": b"1"}
        self._pending: list[bytes] = []
        self._continues = False

    def play(self, mark: str, text: str) -> None:
        """Say a line, and hear what there is to be heard."""
        octets = text.encode().decode("unicode_escape").encode("latin-1")
        octets = re.sub(rb"<(\w+)>", lambda match: self._facts[match[1]], octets)
        if not self._continues and mark != "C>" and octets not in {b"DONE", b""}:
            self._pending.append(octets.split()[0])
        self._client.send(octets + (b"" if mark == "C>" else b"\r\n"))
        waits = octets.endswith((b" IDLE", b" PLAIN")) or re.search(rb"\{\d+\}$", octets)
        if waits and mark != "C>":
            assert self._client.readline().startswith(b"+ "), text
        self._continues = bool(waits) and not octets.endswith(b" IDLE")
        if mark == "C:" and not waits and not octets.endswith(b"+}"):
            self._hear(text)

    def end(self) -> None:
        self._client.shutdown()

    def _hear(self, text: str) -> None:
        for tag in self._pending:
            lines = heard(self._client, tag)
            assert lines[-1].startswith(b"OK"), (text, lines)
            for name, number in _FACTS.findall(b"".join(lines)):
                self._facts[b"modseq" if name == b"HIGHESTMODSEQ" else b"uidvalidity"] = number
        self._pending.clear()


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
            if line[:1] == "C":
                player.play(line[:2], line[3:])
    finally:
        player.end()
    expected = [line.removeprefix("= ") for line in lines if line.startswith("= ")]
    assert expected
    for one in expected:
        mailbox = re.sub(r"( \d+:[A-Z]*)+$", "", one)
        assert f"{mailbox} {look(imap, mailbox)}".strip() == one
