"""mutt and s-nail read an mbox and take messages out of it while we append to it: none is lost, none is hurt.

Both lock with fcntl and, by a program of theirs, with a lock file; both write the file anew where it is, and
s-nail removes it when it has become empty.
"""

import os
import pty
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest

from paperpath.local.agents.mbox import MboxAgent
from paperpath.mail.outcome import Delivered
from tests.support.peers import find_peer
from tests.unit.local.agents.example import DESK, make_claim, make_content

pytestmark = [pytest.mark.interop, pytest.mark.slow]

ENOUGH = 300  # messages taken, most often in some rounds
PAUSE_S = 0.02  # between deliveries, or there is nothing but those
BODY = b"From here\r\n>From there\r\n\r\n" + b"a line of some length, of which there are many\r\n" * 10
STORED_BODY = BODY.replace(b"\r\n", b"\n").replace(b"From ", b">From ")
MUTTRC = """
set mbox_type=mbox folder={folder} spoolfile={folder}/mbox record="" move=no delete=yes
set confirmappend=no confirmcreate=no wait_key=no tmpdir={folder} header_cache="" quit=yes
"""
TAKE_BY_MUTT = (
    "<tag-pattern>~A<enter><tag-prefix-cond><save-message>{out}<enter><end-cond><sync-mailbox><quit>"
)


class Mailbox:
    """An mbox that is delivered to all the time, and a file that readers move messages to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "mbox"
        self.environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "TERM": "vt100"}
        self.delivered = 0
        self.outcomes: set[type] = set()
        self._agent = MboxAgent("mbox x", self.file)

    def deliver(self, count: int = 3) -> None:
        numbers = range(self.delivered + 1, self.delivered + count + 1)
        claims = [
            make_claim(n, held=make_content(b"Subject: number %d\r\n\r\n%b%d\r\n" % (n, BODY, n)))
            for n in numbers
        ]
        self.outcomes |= {type(outcome) for outcome in self._agent.deliver(claims, DESK)}
        self.delivered += count


def find_messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Give number and body of each message in an mbox, or in what s-nail prints."""
    for entry in re.split(rb"(?m)^From a@b\.example .*\n", octets)[1:]:
        header, _, rest = entry.partition(b"\n\n")
        number = re.search(rb"(?m)^Subject: number (\d+)$", header)
        assert number is not None, header
        yield int(number[1]), rest.partition(b"\n[-- Message ")[0].rstrip(b"\n")


def take_by_s_nail(mailbox: Mailbox) -> bytes:
    """As it reads the mailbox of the system: of other files it asks the size before it locks them."""
    done = subprocess.run(
        [find_peer("s-nail"), "-n", "-Snoheader", "-Shold"],
        input=b"type *\ndelete *\nquit\n",
        capture_output=True,
        check=False,
        timeout=60,
        env={**mailbox.environment, "MAIL": str(mailbox.file)},
    )
    return done.stdout.partition(b"\nNew mail has arrived.")[0]


def take_by_mutt(mailbox: Mailbox) -> bytes:
    rc, out = mailbox.folder / "muttrc", mailbox.folder / "out"
    rc.write_text(MUTTRC.format(folder=mailbox.folder))
    keys = TAKE_BY_MUTT.format(out=out)
    command = [find_peer("mutt"), "-F", str(rc), "-f", str(mailbox.file), "-e", f"push '{keys}'"]
    terminal, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=mailbox.environment):
        os.close(theirs)
        with suppress(OSError):  # the other end is closed
            while shown := os.read(terminal, 65536):
                if b"New mail" in shown:  # then it forgets what it was to do next
                    os.write(terminal, b"q")
        os.close(terminal)
    taken = out.read_bytes() if out.exists() else b""
    out.unlink(missing_ok=True)
    return taken


@pytest.mark.parametrize(
    ("peer", "take"), [("mutt", take_by_mutt), ("s-nail", take_by_s_nail)], ids=["mutt", "s-nail"]
)
def test_F12_F13_a_reader_takes_messages_out_while_we_append(
    tmp_path: Path, peer: str, take: Callable[[Mailbox], bytes]
) -> None:
    find_peer(peer)
    mailbox = Mailbox(tmp_path)
    mailbox.deliver()
    done = threading.Event()

    def keep_delivering() -> None:
        while not done.wait(PAUSE_S):
            mailbox.deliver()

    delivering = threading.Thread(target=keep_delivering)
    delivering.start()
    taken: list[list[tuple[int, bytes]]] = []
    try:
        while sum(map(len, taken)) < ENOUGH:
            taken.append(list(find_messages(take(mailbox))))
    finally:
        done.set()
        delivering.join()
    left = mailbox.file.read_bytes() if mailbox.file.exists() else b""
    found = sorted([*chain.from_iterable(taken), *find_messages(left)])
    assert mailbox.outcomes == {Delivered}
    assert [number for number, _ in found] == list(range(1, mailbox.delivered + 1))
    for number, body in found:
        assert body == STORED_BODY + b"%d" % number
    assert not (tmp_path / "mbox.lock").exists()
