"""An installation with smtpsd: its ports, its local socket, and accounts that have passwords."""

import os
import smtplib
import socket
import ssl
from dataclasses import replace
from functools import cache
from pathlib import Path

from paperpath.accounts.passwords import hash_password, make_scram_keys, prepare_password
from paperpath.accounts.secrets import NO_LIMITS, Limits, Secret, change_secret
from paperpath.mail.address import parse_mailbox
from tests.support.installation import Installation, find_free_port, wait_until
from tests.support.tls import make_client_context

PASSWORD = "open sesame"
ACCOUNT = "joe@here.example"


@cache
def make_secret(password: str = PASSWORD) -> Secret:
    """Make what is kept of joe, who has a password."""
    prepared = prepare_password(password)
    return Secret(parse_mailbox(ACCOUNT), hash_password(prepared), make_scram_keys(prepared))


class Submission(Installation):
    """One installation whose people can submit; joe has `PASSWORD`."""

    def __init__(
        self,
        folder: Path,
        *,
        more_submission: str = "",
        more: str = "",
        processes: int = 1,
        user: str | None = None,
    ) -> None:
        super().__init__(folder, size=20_000_000, user=user)
        self.submission_port = find_free_port()
        self.tls_port = find_free_port()
        self.socket = folder / "data" / "run" / "submission.sock"
        text = f"""
[submission]
listen = ["127.0.0.1:{self.submission_port}"]
listen_tls = ["127.0.0.1:{self.tls_port}"]
processes = {processes}
{more_submission}
{more}
"""
        self.file.write_text(self.file.read_text() + text)
        self.give_password(ACCOUNT, PASSWORD)

    def give_password(
        self, address: str, password: str, *, limits: Limits = NO_LIMITS, is_suspended: bool = False
    ) -> None:
        """Let an account log in."""
        mailbox = parse_mailbox(address)
        secret = replace(make_secret(password), address=mailbox, limits=limits, is_suspended=is_suspended)
        file = self.folder / "data" / "secrets"
        change_secret(file, mailbox, lambda _: secret)
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)

    def connect(self, *, tls: bool = True, login: bool = True) -> smtplib.SMTP:
        """Connect to the port with STARTTLS, and begin it; log in as joe."""
        client = smtplib.SMTP("127.0.0.1", self.submission_port, "client.example", timeout=20)
        if tls:
            client.starttls(context=make_client_context())
        if login:
            client.login(ACCOUNT, PASSWORD)
        return client

    def connect_tls(self, context: ssl.SSLContext | None = None) -> smtplib.SMTP_SSL:
        """Connect to the port with TLS from the start."""
        return smtplib.SMTP_SSL(
            "127.0.0.1", self.tls_port, "client.example", timeout=20, context=context or make_client_context()
        )

    def connect_local(self) -> "LocalSMTP":
        """Connect to the local socket, as whoever runs the test."""
        return LocalSMTP(self.socket)

    def take(self, count: int = 1, account: str = "u@here.example") -> list[bytes]:
        """Wait until so many messages lie in a mailbox that was empty, and take them out."""
        files = self.wait_for_deliveries(count, account)
        wait_until(lambda: self.books().open == 0, "all to be delivered")
        taken = [file.read_bytes() for file in files]
        for file in files:
            file.unlink()
        return taken


class LocalSMTP(smtplib.SMTP):
    """SMTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__(local_hostname="client.example", timeout=20)
        self._path = path
        code, greeting = self.connect("localhost")
        assert code == 220, greeting

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(str(self._path))
        return connection
