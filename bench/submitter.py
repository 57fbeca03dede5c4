"""A load source for submission: logs in over STARTTLS once a connection, and sends message after message.

A program of its own, as smtp-source is, which can neither encrypt nor log in. It waits for every reply, and
ends with an error at the first that is not the expected one. Sessions log in one after the other: so many
strangers at once with one name are guessers. Messages are as mail programs write them.
"""

import argparse
import base64
import itertools
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

FIELDS = """\
From: {user}
To: {recipient}
Cc: Somebody Else <{recipient}>
Reply-To: {user}
Date: Mon, 23 Nov 2026 10:00:00 +0100
Message-ID: <{number}.{session}@source.test>
Subject: Measured, and measured again
In-Reply-To: <before@source.test>
References: <first@source.test> <before@source.test>
User-Agent: bench.submitter
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8; format=flowed
Content-Transfer-Encoding: 7bit
Content-Language: en

"""
LINE = b"The quick brown fox jumps over the lazy dog, and nobody is surprised.\r\n"
WITHIN = 120.0  # seconds, for any reply


class Session:
    """One connection, logged in."""

    def __init__(self, options: argparse.Namespace, number: int) -> None:
        plain = socket.create_connection(("127.0.0.1", options.port), WITHIN)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._options = options
        self._number = number
        self._socket = plain
        self._waiting = b""
        self._expect(b"220")
        self._ask(b"EHLO source.test", b"250")
        self._ask(b"STARTTLS", b"220")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._socket = context.wrap_socket(plain)
        self._ask(b"EHLO source.test", b"250")
        password = options.password_file.read_bytes().strip()
        secret = base64.b64encode(b"\0".join((b"", options.user.encode(), password)))
        self._ask(b"AUTH PLAIN " + secret, b"235")

    def send(self, messages: int) -> None:
        """Send so many messages, each in one transaction, its commands pipelined."""
        options = self._options
        begin = f"MAIL FROM:<{options.user}>\r\nRCPT TO:<{options.recipient}>\r\nDATA\r\n".encode()
        body = LINE * max(1, options.length // len(LINE)) + b".\r\n"
        for number in range(messages):
            header = FIELDS.format(
                user=options.user, recipient=options.recipient, number=number, session=self._number
            )
            self._socket.sendall(begin)
            for code in (b"250", b"250", b"354"):
                self._expect(code)
            self._socket.sendall(header.replace("\n", "\r\n").encode() + body)
            self._expect(b"250")
        self._ask(b"QUIT", b"221")
        self._socket.close()

    def _ask(self, command: bytes, code: bytes) -> None:
        self._socket.sendall(command + b"\r\n")
        self._expect(code)

    def _expect(self, code: bytes) -> None:
        """Read one reply."""
        while True:
            line, end, rest = self._waiting.partition(b"\n")
            if not end:
                octets = self._socket.recv(4096)
                if not octets:
                    raise ConnectionError("the server closed the connection")
                self._waiting += octets
                continue
            self._waiting = rest
            if line[3:4] == b" ":
                if line[:3] != code:
                    raise ConnectionError(f"expected {code.decode()}, got {line.decode(errors='replace')}")
                return


def share(messages: int, sessions: int) -> Iterator[int]:
    """How many messages each session sends."""
    for number in range(sessions):
        yield messages // sessions + (number < messages % sessions)


def main() -> int:
    """Send; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.submitter", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--sessions", type=int, default=20)
    add("--messages", type=int, default=1000)
    add("--length", type=int, default=4096, help="octets of each message's body")
    add("--user", required=True)
    add("--password-file", type=Path, required=True)
    add("--recipient", required=True)
    options = parser.parse_args()
    errors: list[str] = []
    numbers = itertools.count()
    one_by_one = threading.Lock()

    def send(messages: int) -> None:
        try:
            with one_by_one:
                session = Session(options, next(numbers))
            session.send(messages)
        except OSError as error:
            errors.append(str(error))

    threads = [
        threading.Thread(target=send, args=(count,)) for count in share(options.messages, options.sessions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for text in sorted(set(errors)):
        print(text, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
