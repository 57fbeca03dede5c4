"""mutt at a terminal of its own, which is told what to press."""

import os
import pty
import select
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress

from tests.interop.imap.peer import (
    FOLDERS,
    INBOX,
    KEPT,
    Account,
    Changes,
    Mailbox,
    Place,
    as_sent,
    find_number,
    gather,
    read_maildir,
    write_maildir,
)
from tests.support.peers import find_peer
from tests.support.submission import PASSWORD

_RC = """
set spoolfile="{url}/INBOX" folder="{url}/"
set imap_user="{user}" imap_pass="{password}"
set smtp_url="{smtp}" smtp_pass="{password}" from="{user}" copy=no
set certificate_file="{certificate}" ssl_verify_host=no ssl_starttls=yes ssl_force_tls=yes
set imap_deflate=yes imap_idle=yes imap_qresync=yes imap_condstore=yes
set mbox_type=Maildir sort=mailbox-order record="" tmpdir={home} header_cache={home}/headers
set message_cachedir={home}/messages message_cache_clean=yes
set sleep_time=0 confirmappend=no confirmcreate=no wait_key=no delete=yes move=no quit=yes mark_old=no
"""
_PATIENCE_S = 600


class Mutt:
    """mutt, which keeps the octets of messages in files of its own."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._mutt = find_peer("mutt")
        told = place.told
        secure = "" if told.uses_starttls else "s"
        self._url = f"imap{secure}://{told.imap}"
        self._rc = place.home / "muttrc"
        self._rc.write_text(
            _RC.format(
                url=self._url,
                smtp=f"smtp{secure}://{told.user.replace('@', '%40')}@{told.smtp}",
                user=told.user,
                password=PASSWORD,
                certificate=place.certificate,
                home=place.home,
            )
        )

    def put(self, messages: Mapping[int, bytes]) -> None:
        self._copy(messages, f"{self._url}/{INBOX}")

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Have them copied to a local folder of the kind MH, whose headers mutt writes as those it sends."""
        folder = self._place.home / "predicted"
        folder.mkdir()
        (folder / ".mh_sequences").touch()
        self._copy(messages, str(folder))
        predicted = [as_sent(file.read_bytes()) for file in folder.glob("[0-9]*")]
        return {find_number(octets): octets for octets in predicted}

    def show(self, account: Account) -> Account:
        return account

    def read(self) -> Account:
        return {folder: self._read(folder) for folder in FOLDERS}

    def change(self, changes: Changes) -> None:
        keys = [
            (changes.flagged, "<flag-message>"),
            (changes.moved, f"<save-message>{self._url}/{KEPT}<enter>"),
            (changes.removed, "<delete-message>"),
        ]
        pressed = [f"{_tag(numbers)}<tag-prefix>{key}" for numbers, key in keys if numbers]
        self._press(f"{self._url}/{INBOX}", f"{''.join(pressed)}<sync-mailbox>")

    def _copy(self, messages: Mapping[int, bytes], mailbox: str) -> None:
        outgoing = self._place.home / "outgoing"
        shutil.rmtree(outgoing, ignore_errors=True)
        write_maildir(outgoing, messages)
        self._press(str(outgoing), f"<tag-pattern>~A<enter><tag-prefix><copy-message>{mailbox}<enter>")

    def _read(self, folder: str) -> Mailbox:
        """Have all copied to a Maildir, which shows the flags; the octets are in the cache."""
        copies = self._place.home / "copies"
        shutil.rmtree(copies, ignore_errors=True)
        keys = f"<tag-pattern>~A<enter><tag-prefix><copy-message>{copies}<enter>"
        if not self._press(f"{self._url}/{folder}", keys):
            return {}
        flags = {number: held.flags for number, held in read_maildir(copies).items()}
        caches = (self._place.home / "messages").rglob(f"{folder}/*")
        octets = [file.read_bytes().replace(b"\n", b"\r\n") for file in caches]  # one CR was left out of each
        return gather((each, flags[find_number(each)]) for each in octets)

    def send(self, to: str, field: str) -> None:
        """Send a message with a field."""
        command = (self._mutt, "-F", self._rc, "-e", f"my_hdr {field}", "-s", "from mutt", to)
        self._place.run(*command, given=b"hello\n")

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


def _tag(numbers: Iterable[int]) -> str:
    """Press what tags messages, and no others."""
    patterns = "|".join(f'=h "X-Number: {number}"' for number in numbers)
    return f"<untag-pattern>~A<enter><tag-pattern>{patterns}<enter>"
