"""mutt at a terminal of its own, which is told what to press."""

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from tests.interop.imap.peer import (
    KEPT,
    Mailbox,
    Place,
    as_sent,
    find_number,
    gather,
    read_maildir,
    write_maildir,
)
from tests.support.peers import find_peer
from tests.support.submission import ACCOUNT, PASSWORD

_RC = """
set spoolfile="{url}/INBOX" folder="{url}/"
set imap_user="{user}" imap_pass="{password}"
set certificate_file="{certificate}" ssl_verify_host=no
set imap_idle=yes imap_qresync=yes imap_condstore=yes
set mbox_type=Maildir sort=mailbox-order record="" tmpdir={home} header_cache={home}/headers
set message_cachedir={home}/messages message_cache_clean=yes
set sleep_time=0 confirmappend=no confirmcreate=no wait_key=no delete=yes move=no quit=yes mark_old=no
"""
_PATIENCE_S = 60


class Mutt:
    """mutt, which keeps the octets of messages in files of its own."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._mutt = find_peer("mutt")
        self._url = f"imaps://127.0.0.1:{place.imap.imaps_port}"
        self._rc = place.home / "muttrc"
        self._rc.write_text(
            _RC.format(
                url=self._url,
                user=ACCOUNT,
                password=PASSWORD,
                certificate=place.certificate,
                home=place.home,
            )
        )

    def put(self, messages: Mapping[int, bytes]) -> None:
        outgoing = self._place.home / "outgoing"
        write_maildir(outgoing, messages)
        self._press(
            str(outgoing), f"<tag-pattern>~A<enter><tag-prefix><copy-message>{self._url}/INBOX<enter>"
        )

    def read(self, folder: str) -> Mailbox:
        """Have all copied to a Maildir, which shows the flags; the octets are in the cache."""
        copies = self._place.home / "copies"
        shutil.rmtree(copies, ignore_errors=True)
        keys = f"<tag-pattern>~A<enter><tag-prefix><copy-message>{copies}<enter>"
        if not self._press(f"{self._url}/{folder}", keys):
            return {}
        flags = {number: held.flags for number, held in read_maildir(copies).items()}
        caches = (self._place.home / "messages").rglob(f"{folder}/*")
        octets = [as_sent(file.read_bytes()) for file in caches]
        return gather((each, flags[find_number(each)]) for each in octets)

    def flag(self, number: int) -> None:
        self._press(f"{self._url}/INBOX", f"{_find(number)}<flag-message><sync-mailbox>")

    def move(self, number: int) -> None:
        self._press(
            f"{self._url}/INBOX", f"{_find(number)}<save-message>{self._url}/{KEPT}<enter><sync-mailbox>"
        )

    def remove(self, number: int) -> None:
        self._press(f"{self._url}/INBOX", f"{_find(number)}<delete-message><sync-mailbox>")

    def end(self) -> None:
        pass

    def _press(self, mailbox: str, keys: str) -> bool:
        """Press keys in a mailbox; tell whether there was something in it."""
        command = [self._mutt, "-F", str(self._rc), "-z", "-f", mailbox, "-e", f"push '{keys}<quit>'"]
        environment = {"HOME": str(self._place.home), "PATH": os.environ["PATH"], "TERM": "vt100"}
        terminal, theirs = pty.openpty()
        shown = b""
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as mutt:
            os.close(theirs)
            with suppress(OSError):  # the other end is closed
                while select.select([terminal], [], [], _PATIENCE_S)[0]:
                    shown += os.read(terminal, 65536)
                mutt.kill()
            os.close(terminal)
        assert mutt.returncode == 0 or b"Mailbox is empty" in shown, (mutt.returncode, shown[-2000:])
        return mutt.returncode == 0


def _find(number: int) -> str:
    """Press what goes to a message: in a view of its own."""
    return f'<limit>=h "X-Number: {number}"<enter>'
