"""Messages of our own making that a relay must carry octet for octet: broken, bare, huge (C-1, A-42)."""

import random
from collections.abc import Iterator

_ODD_HEADERS = [
    b"",
    b"\r\n",
    b"no header at all\r\n",
    b"Subject: no body\r\n",
    b"Subject: x\r\n\r\n",
    b"Received: garbage\r\nReceived: from x by y; whenever\r\n\r\nb\r\n",
    b"Return-Path: <forged@x.example>\r\nDelivered-To: o@here.example\r\nBcc: secret@x.example\r\n\r\nb\r\n",
    b"Errors-To: x@else.example\r\nResent-From: nobody\r\n\r\nb\r\n",
    b"From: a\r\nFrom: b\r\nFrom: c\r\n\r\nthree\r\n",
    b"Subject : space before colon\r\n\r\nb\r\n",
    b" leading fold\r\nSubject: x\r\n\r\nb\r\n",
    b"Subject: folded\r\n\tonce\r\n  twice\r\n\r\nb\r\n",
    b":empty name\r\n: \r\n\r\nb\r\n",
    b"From nobody Thu Jan  1 00:00:00 1970\r\nSubject: mbox\r\n\r\nFrom here\r\n",
    b"Subject: 8-bit \xe9\xff\x80\r\n\r\n\xc3\xa9\xfe\r\n",
    b"Subject: nul\r\n\r\na\x00b\x00\r\n",
    b"X: " + b"y" * 5000 + b"\r\n\r\nlong field\r\n",
    b"\r\n\r\n\r\n",
    b".\r\n..\r\n...\r\n.a\r\n",
    b"Subject: dots\r\n\r\n.\r\n.\r\n.\r\n",
    b"a" * 70_000 + b"\r\n",
    b"Subject: x\r\n\r\n" + b"line\r\n" * 15_000,
]


def own_messages(count: int) -> Iterator[bytes]:
    """Give odd messages, then random ones, the same every time; every one ends with CRLF or is empty."""
    yield from _ODD_HEADERS[:count]
    random_octets = random.Random(1982)
    alphabet = [bytes([octet]) for octet in range(256) if octet not in b"\r\n"]
    alphabet += [b"\r\n", b"\r\n.", b"\r\n.."] * 20
    for _ in range(count - len(_ODD_HEADERS)):
        length = random_octets.choice([1, 10, 100, 1000, 5000])
        yield b"".join(random_octets.choices(alphabet, k=length)) + b"\r\n"
