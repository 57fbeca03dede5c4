"""Mail programs of other projects work on mailboxes by imapd, in both directions (requirement K-30).

Each puts messages, flags, moves and removes some, and sees what others do meanwhile: a delivery, another
session, a program that works in the Maildir. Its copies have the octets that the others have.

`PAPERPATH_CORPORA` names a folder of real messages, of which some are given to the programs that keep files;
all of them with `PAPERPATH_CORPORA_WHOLE=yes`.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from paperpath.commands.mail_program import describe_mail_program
from paperpath.config.loader import load_configuration
from paperpath.mail.address import parse_mailbox
from tests.interop.imap.libraries import Curl, Imapclient, Imaplib
from tests.interop.imap.mutt import Mutt
from tests.interop.imap.peer import (
    INBOX,
    KEPT,
    Account,
    Changes,
    Held,
    Peer,
    Place,
    Told,
    as_sent,
    find_files,
    flag_file,
    write_maildir,
)
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
    b"X-Number: %d\nFrom: Ann <ann@else.example>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n"
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    b"--b\nContent-Type: text/plain; charset=utf-8\n\n"
    b"Hello,\n.\nFrom there\n\xc3\xa4 \n--b--\n"
)
SAMPLE = 100
AT_ONCE = 8  # messages that are changed in one way by one side
GIVEN, PLACED, ADDED = 710_000_000, 720_000_000, 730_000_000  # the first of each; they occur in no real mail
STRAY = [
    b"Subject: CR\n\none\rtwo\r\r\nthree\n",
    b"Subject: NUL\n\na\0b\0\n",
    b"Subject: 8-bit \xe9\xff\n\n\xfe\xff",
    b"Subject: no end\n",
    b"No field\n",
]


@pytest.fixture(scope="module")
def imap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imap]:
    installation = Imap(tmp_path_factory.mktemp("imap"))
    with installation.up():
        yield installation


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """Log out whatever comes of the test."""
    with ExitStack() as ending:
        yield ending


def empty(imap: Imap) -> None:
    """Leave nothing in the account but an empty folder."""
    client = imap.read()
    client.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
    client.expunge()
    client.delete(KEPT)
    client.create(KEPT)
    client.logout()


def find_home(imap: Imap) -> Path:
    return imap.mailboxes / "here.example" / "joe"


def make_place(imap: Imap, home: Path) -> Place:
    """Have a program find the server by what is said to people."""
    lines = describe_mail_program(load_configuration(imap.file), parse_mailbox(ACCOUNT))
    return Place(imap, home, Told.read("\n".join(lines)))


def mark(number: int, message: bytes, *, whole: bool) -> bytes:
    """Give a message its number, and an end to its header: without one mutt and mbsync take none.

    `whole`: nothing else is in its header.
    """
    end = b"\n" if whole or b"\n\n" not in message else b""
    return b"X-Number: %d\n" % number + end + message


def hold(messages: Mapping[int, bytes]) -> Mapping[int, Held]:
    return {number: Held(octets) for number, octets in messages.items()}


def show_bodies(account: Account) -> Account:
    """Show messages without their headers, which offlineimap writes anew."""
    return {
        folder: {
            number: Held(held.octets.partition(b"\r\n\r\n")[2], held.flags)
            for number, held in mailbox.items()
        }
        for folder, mailbox in account.items()
    }


@pytest.mark.parametrize("program", [Imaplib, Imapclient, Curl, Mutt, Mbsync, Offlineimap])
def test_K30_a_mail_program_and_others_work_on_one_account(
    imap: Imap, tmp_path: Path, program: Callable[[Place], Peer], ending: ExitStack
) -> None:
    place = make_place(imap, tmp_path)
    peer, witness = program(place), Imaplib(place)
    ending.callback(peer.end)
    ending.callback(witness.end)
    empty(imap)
    odd = {
        number: mark(number, message.replace(b"\r\n", b"\n"), whole=program is Offlineimap)
        for number, message in enumerate(own_messages(ODD), FIRST)
    }
    write_maildir(find_home(imap), odd)
    account: Account = {INBOX: hold({number: as_sent(octets) for number, octets in odd.items()}), KEPT: {}}
    show: Callable[[Account], Account] = show_bodies if program is Offlineimap else dict

    def agree() -> None:
        assert witness.read() == account
        assert show(peer.read()) == show(account)

    agree()
    messages = {number: PROPER % number for number in (FLAGGED, MOVED, REMOVED)}
    peer.put(messages)
    account = {**account, INBOX: {**account[INBOX], **hold(peer.predict(messages))}}
    agree()
    proper = as_sent(PROPER % DELIVERED)
    with imap.connect() as sender:
        sender.sendmail(ACCOUNT, [ACCOUNT], proper)
    wait_until(lambda: imap.books().open == 0, "the message to be delivered")
    delivered = witness.read()[INBOX][DELIVERED]
    assert delivered.octets.endswith(proper.partition(b"\r\n\r\n")[2])
    changes = Changes(frozenset({FIRST + 3}), removed=frozenset({FIRST + 5}))
    witness.change(changes)
    account = changes.apply({**account, INBOX: {**account[INBOX], DELIVERED: delivered}})
    agree()
    changes = Changes(frozenset({FLAGGED}), frozenset({MOVED}), frozenset({REMOVED}))
    peer.change(changes)
    account = changes.apply(account)
    agree()


@pytest.mark.parametrize("offers_starttls_alone", [False, True])
def test_K30_mutt_and_mbsync_need_no_more_than_the_lines_of_account_show(
    imap: Imap, tmp_path: Path, offers_starttls_alone: bool
) -> None:
    file = imap.file
    if offers_starttls_alone:
        file = imap.folder / "starttls.toml"
        file.write_text(re.sub(r"(?m)^listen_tls = .*\n", "", imap.file.read_text()))
    told = Told.read(imap.run("account", "show", "--config", str(file), ACCOUNT))
    assert told.uses_starttls is offers_starttls_alone
    empty(imap)
    place = Place(imap, tmp_path, told)
    mutt, mbsync = Mutt(place), Mbsync(place)
    mutt.send(ACCOUNT, f"X-Number: {FIRST}")
    wait_until(lambda: imap.books().open == 0, "the message to be delivered")
    seen = mutt.read()
    assert seen == mbsync.read()
    assert [list(mailbox) for mailbox in seen.values()] == [[FIRST], []]


def read_corpora() -> list[bytes]:
    """Return some real messages, the same ones each time, and some with stray octets."""
    folder = os.environ.get("PAPERPATH_CORPORA")
    if not folder:
        pytest.skip("PAPERPATH_CORPORA names no folder of messages")
    files = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
    if os.environ.get("PAPERPATH_CORPORA_WHOLE") != "yes":
        files = files[:: max(1, len(files) // SAMPLE)]
    return STRAY + [file.read_bytes() for file in files]


def number_all(messages: list[bytes], first: int) -> dict[int, bytes]:
    """Give messages their numbers, in a line that ends as their first one does, and change nothing else."""
    return {
        number: b"X-Number: %d" % number + (b"\r\n" if b"\r\n" in message[:998] else b"\n") + message
        for number, message in enumerate(messages, first)
    }


@pytest.mark.timeout(3600)  # where all of it is sent
@pytest.mark.parametrize("program", [Curl, Mutt, Mbsync])
def test_K30_real_mail_is_the_same_to_a_mail_program_and_to_others(
    imap: Imap, tmp_path: Path, program: Callable[[Place], Peer], ending: ExitStack
) -> None:
    messages = read_corpora()
    place = make_place(imap, tmp_path)
    peer, witness = program(place), Imaplib(place)
    ending.callback(witness.end)
    empty(imap)
    home = find_home(imap)
    placed = number_all(messages, PLACED)
    write_maildir(home / f".{KEPT}", placed)
    given = number_all(messages, GIVEN)
    peer.put(given)
    sent = peer.predict(given)
    account: Account = {
        INBOX: hold(sent),
        KEPT: hold({number: as_sent(octets) for number, octets in placed.items()}),
    }

    def agree() -> None:
        compare(witness.read(), account)
        compare(peer.read(), peer.show(account))

    agree()
    ours, theirs, by_hand = choose(list(sent))
    added = number_all(messages[:AT_ONCE], ADDED)
    witness.change(theirs)
    files = find_files(home)
    for number in by_hand.flagged:
        flag_file(files[number])
    for number in by_hand.removed:
        files[number].unlink()
    write_maildir(home, added)
    account = by_hand.apply(theirs.apply(account))
    arrived = hold({number: as_sent(octets) for number, octets in added.items()})
    account = {**account, INBOX: {**account[INBOX], **arrived}}
    agree()
    peer.change(ours)
    account = ours.apply(account)
    agree()


def compare(seen: Account, expected: Account) -> None:
    """Compare two accounts, and show few messages where they are not the same."""
    for folder, mailbox in expected.items():
        assert sorted(seen[folder]) == sorted(mailbox), folder
        differing = [
            (held, seen[folder][number]) for number, held in mailbox.items() if held != seen[folder][number]
        ]
        assert differing[:1] == [], folder


def choose(numbers: list[int]) -> tuple[Changes, Changes, Changes]:
    """Return what a program is to change, what others by IMAP, and what others in the Maildir."""
    step = len(numbers) // AT_ONCE
    parts = [frozenset(numbers[first::step]) for first in range(8)]
    return Changes(*parts[0:3]), Changes(*parts[3:6]), Changes(parts[6], removed=parts[7])
