"""Invariant: a drop file is refused with words, or is one message, which reads the same once written."""

import hashlib
import os
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from paperpath.mail.envelope import Client, Envelope
from paperpath.maildrop.drop.format import (
    HEAD_OCTETS,
    DropError,
    Head,
    format_envelope,
    format_head,
    parse_envelope,
    parse_head,
)
from paperpath.maildrop.drop.reader import open_drop
from paperpath.service.durable import open_directory
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    b"PP-DROP\n", b"PP-DROP\n\x00\x01", b"\x00\x00\x00\x00", b"\x00\x00\x00\x01",
    b"\x00\x00\x00\x0ea@here.example", b"\x00\x00\x00\x088BITMIME", b"\x00\x00\x00\x08SMTPUTF8",
    b"\x00\x00\x00\x04FULL", b"\x00\x00\x00\x05NEVER",
    b"\x00\x00\x00\x0crfc822;a@b.c", b"\xff\xff\xff\xff", b"\r\n", b"\r", b"\n", "é".encode(),
)  # fmt: skip

_CLIENT = Client("", 0, "somebody", "local")
_MOST_CONTENT_OCTETS = 2048


def check(octets: bytes) -> None:
    """Read it as a file; then what is behind its head as one whose lengths and digests are right."""
    at_pace(lambda: check_file(octets), len(octets), 20)
    if len(octets) < HEAD_OCTETS:
        return
    split = HEAD_OCTETS + int.from_bytes(octets[10:14], "big") % (len(octets) - HEAD_OCTETS + 1)
    envelope, content = octets[HEAD_OCTETS:split], octets[split:]
    digests = [hashlib.sha256(part).digest() for part in (envelope, content)]
    check_file(format_head(Head(len(envelope), len(content), *digests)) + envelope + content)


def check_file(octets: bytes) -> None:
    """Read a file that has these octets."""
    message = attempt(octets)
    if message is None:
        return
    envelope, content = message
    written = format_envelope(envelope)
    assert parse_envelope(written, _CLIENT) == envelope
    assert len(content) <= _MOST_CONTENT_OCTETS
    assert octets.endswith(content)
    assert parse_head(octets[:HEAD_OCTETS]).file_octets == len(octets)
    rest = content.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest


def attempt(octets: bytes) -> tuple[Envelope, bytes] | None:
    """Read them; `None` where that is refused, in words fit for the log."""
    try:
        return read(octets)
    except DropError as error:
        complaint = str(error)
    assert complaint.isascii()
    assert complaint.isprintable()
    return None


def read(octets: bytes) -> tuple[Envelope, bytes]:
    """Read them as the import does, from a file. Raises: DropError."""
    chunks: list[bytes] = []
    with TemporaryDirectory() as folder:
        (Path(folder) / "file").write_bytes(octets)
        directory = open_directory(Path(folder))
        try:
            with closing(open_drop(directory, "file", _MOST_CONTENT_OCTETS)) as file:
                envelope = parse_envelope(file.envelope, _CLIENT)
                file.copy_content(chunks.append)
        finally:
            os.close(directory)
    return envelope, b"".join(chunks)
