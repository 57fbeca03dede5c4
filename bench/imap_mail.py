"""The mail that both sides of `bench.imap` have: files made once, and Maildirs full of hard links to them.

A link is the same file under another name: flags, copies and expunging change names alone, so no side can
change what the other one reads.
"""

import os
from pathlib import Path

RARE = 100  # one message in so many has what is searched for
SUBJECT, LIST, WORD = "quarterly", "rare.list.bench.test", "needlework"
_MADE = 1_600_000_000
_FLAGS = ("S", "S", "RS", "S", "S", "FS", "")
_LINE = "The quick brown fox jumps over the lazy dog, and nobody is surprised.\n"
_HEADER = """\
Return-Path: <sender{number}@source.test>
Received: from out.source.test (out.source.test [192.0.2.{octet}])
	by mx.bench.test (Paperpath) with ESMTPS id {number:08x}
	for <me@bench.test>; Mon, 23 Nov 2026 10:00:00 +0100
Received: from [198.51.100.{octet}] by out.source.test with ESMTPSA id {number:010x};
	Mon, 23 Nov 2026 09:59:58 +0100
From: =?utf-8?q?S=C3=BCder?= {number} <sender{number}@source.test>
To: Me <me@bench.test>, Somebody Else <else{octet}@bench.test>
Cc: team@bench.test
Subject: {subject} {number}, measured and measured again
Date: Mon, 23 Nov 2026 09:59:57 +0100
Message-ID: <{number}.bench@source.test>
In-Reply-To: <{before}.bench@source.test>
References: <0.bench@source.test> <{before}.bench@source.test>
List-Id: <{list}>
User-Agent: bench.imap
MIME-Version: 1.0
"""
_PLAIN = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
_BOTH = """\
Content-Type: multipart/alternative; boundary="=-{number}"

--=-{number}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{text}
--=-{number}
Content-Type: text/html; charset=utf-8

<html><body><p>{text}</p></body></html>
--=-{number}--
"""


def make_messages(folder: Path, messages: int, owner: tuple[int, int]) -> list[str]:
    """Write so many files, and return the names that they have in Maildirs.

    They are the owner's alone: the kernel lets nobody link what he may not write (protected_hardlinks).
    """
    folder.mkdir()
    names = []
    for number in range(messages):
        octets = write_message(number)
        names.append(f"{_MADE + number}.M{number}P1.bench,S={len(octets)}:2,{_FLAGS[number % len(_FLAGS)]}")
        path = folder / str(number)
        path.write_bytes(octets)
        path.chmod(0o600)
        os.chown(path, *owner)
    return names


def write_message(number: int) -> bytes:
    """Return a message as it is stored: one to four KiB; every third one has two parts."""
    is_rare = number % RARE == 0
    header = _HEADER.format(
        number=number,
        before=number - number % 5,
        octet=number % 250,
        subject=SUBJECT if is_rare else "weekly",
        list=LIST if is_rare else "usual.list.bench.test",
    )
    text = _LINE * (3 + number % 20) + ("Some needlework is in it, and grüße.\n" if is_rare else "Grüße.\n")
    form = _BOTH if number % 3 == 0 else _PLAIN
    return (header + form.format(number=number, text=text)).encode("utf-8")


def link_messages(source: Path, names: list[str], maildir: Path, owner: tuple[int, int]) -> None:
    """Make a Maildir with a link to each of the first so many files."""
    for part in ("", "cur", "new", "tmp"):
        (maildir / part).mkdir(mode=0o700)
        os.chown(maildir / part, *owner)
    for number, name in enumerate(names):
        os.link(source / str(number), maildir / "cur" / name)
