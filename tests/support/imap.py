"""An installation with imapd beside smtpsd: its ports, and clients that are logged in as joe."""

import imaplib
from pathlib import Path
from typing import Any

from tests.support.installation import find_free_port
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.tls import make_client_context


class Imap(Submission):
    """One installation whose people can read their mail; joe has `PASSWORD`."""

    def __init__(self, folder: Path, *, more_imap: str = "", more: str = "") -> None:
        self.imap_port = find_free_port()
        self.imaps_port = find_free_port()
        table = f"""
[imap]
listen = ["127.0.0.1:{self.imap_port}"]
listen_tls = ["127.0.0.1:{self.imaps_port}"]
{more_imap}
"""
        super().__init__(folder, more=more + table)

    def read(self, mailbox: str = "INBOX") -> Any:  # imaplib has no types that help
        """Connect by TLS, log in and select a mailbox."""
        client = imaplib.IMAP4_SSL(
            "127.0.0.1", self.imaps_port, ssl_context=make_client_context(), timeout=20
        )
        client.login(ACCOUNT, PASSWORD)
        assert client.select(mailbox)[0] == "OK"
        return client


def said(client: imaplib.IMAP4, name: str, *words: str) -> list[bytes]:
    """Send a command as it is; return the lines of the answer, literals among them, the tagged one last."""
    tag = client._new_tag()
    client.send(b" ".join([tag, name.encode(), *(word.encode() for word in words)]) + b"\r\n")
    return heard(client, tag)


def heard(client: imaplib.IMAP4, tag: bytes) -> list[bytes]:
    """Return the lines up to the one with a tag."""
    lines: list[bytes] = []
    while not lines or not lines[-1].startswith(tag):
        line = client.readline()
        assert line, lines
        while line.endswith(b"}\r\n"):
            size = int(line[line.rindex(b"{") + 1 : -3])
            line += client.read(size) + client.readline()
        lines.append(line.removesuffix(b"\r\n"))
    lines[-1] = lines[-1].removeprefix(tag + b" ")
    return lines
