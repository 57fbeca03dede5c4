"""Programs that keep a Maildir equal to an account: mbsync, offlineimap."""

import hashlib
import re
import ssl
from collections.abc import Mapping

from tests.interop.imap.peer import (
    FOLDERS,
    INBOX,
    KEPT,
    Account,
    Changes,
    Held,
    Place,
    as_sent,
    find_files,
    flag_file,
    read_maildir,
    write_maildir,
)
from tests.support.peers import find_peer
from tests.support.submission import ACCOUNT, PASSWORD

_HEADER_END = re.compile(rb"(?m)^\r*\n")
_MBSYNC = """\
IMAPStore far
Host {host}
Port {port}
User {user}
Pass "{password}"
SSLType {security}
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
        self._put: dict[int, bytes] = {}
        file = place.home / "rc"
        file.write_text(self._configure())
        self._sync = self._command(str(file))

    def _configure(self) -> str:
        place, told = self._place, self._place.told
        host, _, port = told.imap.partition(":")
        return _MBSYNC.format(
            host=host,
            port=port,
            user=told.user,
            security="STARTTLS" if told.uses_starttls else "IMAPS",
            password=PASSWORD,
            certificate=place.certificate,
            home=place.home,
            kept=KEPT,
        )

    def _command(self, file: str) -> list[str]:
        return [find_peer("mbsync"), "--config", file, "--all"]

    def put(self, messages: Mapping[int, bytes]) -> None:
        self.run()
        self._put |= messages
        write_maildir(self._mail / INBOX, messages)
        self.run()

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        return {number: _send(octets) for number, octets in messages.items() if _is_taken(octets)}

    def show(self, account: Account) -> Account:
        """What it put stays as it was, sent or not."""
        shown = {
            folder: {
                number: Held(
                    as_sent(self._put[number]) if number in self._put else _send(held.octets), held.flags
                )
                for number, held in mailbox.items()
                if _is_taken(held.octets)
            }
            for folder, mailbox in account.items()
        }
        unsent = {
            number: Held(as_sent(octets)) for number, octets in self._put.items() if not _is_taken(octets)
        }
        return {**shown, INBOX: {**shown[INBOX], **unsent}}

    def read(self) -> Account:
        self.run()
        return {folder: read_maildir(self._mail / folder) for folder in FOLDERS}

    def change(self, changes: Changes) -> None:
        files = find_files(self._mail / INBOX)
        for number in changes.flagged:
            flag_file(files[number])
        for number in changes.moved:  # what has ,U= here is not of there
            files[number].rename(self._mail / KEPT / "cur" / f"{2_000_000 + number}.moved.here:2,S")
        for number in changes.removed:
            files[number].unlink()
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

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        return {number: as_sent(octets) for number, octets in messages.items()}

    def show(self, account: Account) -> Account:
        """It writes headers anew, so only bodies are compared."""
        return account


def _send(octets: bytes) -> bytes:
    """Return what mbsync makes of a message that it carries over: every CR is left out."""
    return as_sent(octets.replace(b"\r", b""))


def _is_taken(octets: bytes) -> bool:
    """Whether it carries a message over: the header needs an end."""
    return _HEADER_END.search(octets) is not None
