"""Programs that keep a Maildir equal to an account: mbsync, offlineimap."""

import hashlib
import ssl
from collections.abc import Mapping

from tests.interop.imap.peer import KEPT, Mailbox, Place, find_file, read_maildir, write_maildir
from tests.support.peers import find_peer
from tests.support.submission import ACCOUNT, PASSWORD

_MBSYNC = """\
IMAPStore far
Host 127.0.0.1
Port {port}
User {user}
Pass "{password}"
SSLType IMAPS
CertificateFile {certificate}

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel both
Far :far:
Near :near:
Patterns INBOX {kept}
Create Both
Expunge Both
SyncState *
"""
_OFFLINEIMAP = """\
[general]
accounts = both

[Account both]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {home}/mail

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = yes
cert_fingerprint = {fingerprint}
folderfilter = lambda name: name in ("INBOX", "{kept}")
"""


class Mbsync:
    """mbsync, of isync: it looks, and carries changes over, whenever it is run."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._mail = place.home / "mail"
        self._mail.mkdir()
        file = place.home / "rc"
        file.write_text(self._configure())
        self._sync = self._command(str(file))

    def _configure(self) -> str:
        place = self._place
        return _MBSYNC.format(
            port=place.imap.imaps_port,
            user=ACCOUNT,
            password=PASSWORD,
            certificate=place.certificate,
            home=place.home,
            kept=KEPT,
        )

    def _command(self, file: str) -> list[str]:
        return [find_peer("mbsync"), "--config", file, "--all"]

    def put(self, messages: Mapping[int, bytes]) -> None:
        self.run()
        write_maildir(self._mail / "INBOX", messages)
        self.run()

    def read(self, folder: str) -> Mailbox:
        self.run()
        return read_maildir(self._mail / folder)

    def flag(self, number: int) -> None:
        file = find_file(self._mail / "INBOX", number)
        name, _, letters = file.name.partition(":2,")
        file.rename(self._mail / "INBOX" / "cur" / f"{name}:2,{''.join(sorted({*letters, 'F'}))}")
        self.run()

    def move(self, number: int) -> None:
        file = find_file(self._mail / "INBOX", number)
        file.rename(self._mail / KEPT / "cur" / "1999999.moved.here:2,S")  # what has ,U= here is not of there
        self.run()

    def remove(self, number: int) -> None:
        find_file(self._mail / "INBOX", number).unlink()
        self.run()

    def end(self) -> None:
        pass

    def run(self) -> None:
        """Have both sides made equal."""
        self._place.run(*self._sync)


class Offlineimap(Mbsync):
    """offlineimap, which does the same."""

    def _configure(self) -> str:
        place = self._place
        text = place.certificate.read_text()
        certificate = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])
        return _OFFLINEIMAP.format(
            port=place.imap.imaps_port,
            user=ACCOUNT,
            password=PASSWORD,
            fingerprint=hashlib.sha1(certificate, usedforsecurity=False).hexdigest(),
            home=place.home,
            kept=KEPT,
        )

    def _command(self, file: str) -> list[str]:
        return [find_peer("offlineimap"), "-c", file, "-o", "-u", "quiet"]
