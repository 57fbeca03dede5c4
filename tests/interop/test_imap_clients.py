"""Mail programs of other projects work on mailboxes by imapd, in both directions (requirement K-30).

Each puts messages, flags, moves and removes some, and sees what others do meanwhile: a delivery, another
session, a program that writes into the Maildir. Its copies have the octets that the others have.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.imap.libraries import Curl, Imapclient, Imaplib
from tests.interop.imap.mutt import Mutt
from tests.interop.imap.peer import KEPT, Held, Mailbox, Peer, Place, write_maildir
from tests.interop.imap.synchronizers import Mbsync, Offlineimap
from tests.support.corpus import own_messages
from tests.support.imap import Imap
from tests.support.installation import wait_until
from tests.support.submission import ACCOUNT

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ODD = 40
FIRST = 1000  # no number is part of another
FLAGGED, MOVED, REMOVED, DELIVERED = range(2001, 2005)
PROPER = (
    b"X-Number: %d\r\nFrom: Ann <ann@else.example>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n.\r\nFrom there\r\n\xc3\xa4 \r\n--b--\r\n"
)


@pytest.fixture(scope="module")
def imap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imap]:
    installation = Imap(tmp_path_factory.mktemp("imap"))
    with installation.up():
        yield installation


def mark(number: int, message: bytes, *, whole: bool) -> bytes:
    """Give a message its number, and an end to its header: without one mutt and mbsync take none.

    `whole`: nothing else is in its header.
    """
    end = b"\r\n" if whole or b"\r\n\r\n" not in message else b""
    return b"X-Number: %d\r\n" % number + end + message


def fill(imap: Imap, *, whole: bool) -> Mailbox:
    """Empty the account but for odd messages, which another program put there."""
    client = imap.read()
    client.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
    client.expunge()
    client.delete(KEPT)
    client.create(KEPT)
    client.logout()
    messages = {number: mark(number, odd, whole=whole) for number, odd in enumerate(own_messages(ODD), FIRST)}
    write_maildir(imap.mailboxes / "here.example" / "joe", messages)
    return {number: Held(octets) for number, octets in messages.items()}


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """Log out whatever comes of the test."""
    with ExitStack() as ending:
        yield ending


@pytest.mark.parametrize("program", [Imaplib, Imapclient, Curl, Mutt, Mbsync, Offlineimap])
def test_K30_a_mail_program_and_others_work_on_one_account(
    imap: Imap, tmp_path: Path, program: Callable[[Place], Peer], ending: ExitStack
) -> None:
    peer, witness = program(Place(imap, tmp_path)), Imaplib(Place(imap, tmp_path))
    ending.callback(peer.end)
    ending.callback(witness.end)
    inbox: dict[int, Held] = dict(fill(imap, whole=program is Offlineimap))  # it writes odd headers anew
    kept: dict[int, Held] = {}

    def agree() -> None:
        for folder, expected in (("INBOX", inbox), (KEPT, kept)):
            assert witness.read(folder) == expected
            assert peer.read(folder) == expected

    agree()
    messages = {number: PROPER % number for number in (FLAGGED, MOVED, REMOVED)}
    peer.put(messages)
    inbox |= {number: Held(octets) for number, octets in messages.items()}
    agree()
    with imap.connect() as sender:
        sender.sendmail(ACCOUNT, [ACCOUNT], PROPER % DELIVERED)
    wait_until(lambda: imap.books().open == 0, "the message to be delivered")
    inbox[DELIVERED] = witness.read("INBOX")[DELIVERED]
    assert inbox[DELIVERED].octets.endswith((PROPER % DELIVERED).partition(b"\r\n\r\n")[2])
    witness.flag(FIRST + 3)
    witness.remove(FIRST + 5)
    inbox[FIRST + 3] = Held(inbox[FIRST + 3].octets, "F")
    del inbox[FIRST + 5]
    agree()
    peer.flag(FLAGGED)
    inbox[FLAGGED] = Held(inbox[FLAGGED].octets, "F")
    peer.move(MOVED)
    kept[MOVED] = inbox.pop(MOVED)
    peer.remove(REMOVED)
    del inbox[REMOVED]
    agree()
