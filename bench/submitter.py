"""A load source for submission: logs in over STARTTLS once a connection, and sends message after message.

A program of its own, as smtp-source is, which can neither encrypt nor log in. It waits for every reply, and
ends with an error at the first that is not the expected one. Sessions log in one after the other: so many
strangers at once with one name are guessers. Messages are as mail programs write them, and MAIL, RCPT and
DATA leave together, as they do from mail programs (RFC 2920).

It shares the processors with who is measured, so it takes as little of them as it can: what it sends is
written beforehand, and one thread serves all sessions, as many as are ready each time it wakes.
"""

import argparse
import base64
import selectors
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

FIELDS = """\
From: {user}
To: {recipient}
Cc: Somebody Else <{recipient}>
Reply-To: {user}
Date: Mon, 23 Nov 2026 10:00:00 +0100
Message-ID: <NUMBER.{session}@source.test>
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
NUMBER = b"NUMBER"  # stands for that of the message
WITHIN = 120.0  # seconds, for any reply


class Session:
    """One connection, logged in; from then on it is `advance` that reads, when there is something."""

    def __init__(
        self, options: argparse.Namespace, context: ssl.SSLContext, number: int, messages: int
    ) -> None:
        plain = socket.create_connection(("127.0.0.1", options.port), WITHIN)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain
        self._waiting = b""
        self._expected = b""
        self._ask(b"", b"220")
        self._ask(b"EHLO source.test", b"250")
        self._ask(b"STARTTLS", b"220")
        self._socket = context.wrap_socket(plain)
        self._ask(b"EHLO source.test", b"250")
        password = options.password_file.read_bytes().strip()
        secret = base64.b64encode(b"\0".join((b"", options.user.encode(), password)))
        self._ask(b"AUTH PLAIN " + secret, b"235")
        self._steps = self._send(options, number, messages)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """The connection's descriptor."""
        return self._socket.fileno()

    def begin(self) -> None:
        """Send the first commands, when all sessions are open."""
        next(self._steps)

    def advance(self) -> bool:
        """Read what has come, and go on if it is all that is waited for; false at the end."""
        try:
            self._read()
        except ssl.SSLWantReadError:
            return True
        return not self._has_answer() or next(self._steps, None) is not None

    def _send(self, options: argparse.Namespace, number: int, messages: int) -> Iterator[bool]:
        """Send so many messages, each in one transaction; stop wherever a reply is to be waited for."""
        begin = f"MAIL FROM:<{options.user}>\r\nRCPT TO:<{options.recipient}>\r\nDATA\r\n".encode()
        header = FIELDS.format(user=options.user, recipient=options.recipient, session=number)
        content = header.replace("\n", "\r\n").encode()
        content += LINE * max(1, options.length // len(LINE)) + b".\r\n"
        before, behind = content.split(NUMBER)
        for message in range(messages):
            self._say(begin, b"250 250 354")
            yield True
            self._say(b"%b%d%b" % (before, message, behind), b"250")
            yield True
        self._say(b"QUIT\r\n", b"221")
        yield True
        self._socket.close()

    def _say(self, octets: bytes, expected: bytes) -> None:
        """Send, and wait for replies with these codes from now on; a message has room in the socket."""
        self._socket.sendall(octets)
        self._expected = expected

    def _ask(self, command: bytes, code: bytes) -> None:
        """Send one command, if there is one, and block until its reply is there."""
        self._say(command + b"\r\n" if command else b"", code)
        while not self._has_answer():
            self._read()

    def _read(self) -> None:
        octets = self._socket.recv(4096)
        if not octets:
            raise ConnectionError("the server closed the connection")
        self._waiting += octets

    def _has_answer(self) -> bool:
        """Whether all replies are there that are waited for; ConnectionError if one is another."""
        if not self._waiting.endswith(b"\n"):
            return False
        lines = [line for line in self._waiting.split(b"\n") if line[3:4] == b" "]
        codes = b" ".join([line[:3] for line in lines])
        if not self._expected.startswith(codes):
            told = lines[-1].decode(errors="replace")
            raise ConnectionError(f"expected {self._expected.decode()}, the last reply is {told}")
        if codes != self._expected:
            return False
        self._waiting = b""
        return True


def share(messages: int, sessions: int) -> Iterator[int]:
    """How many messages each session sends."""
    for number in range(sessions):
        yield messages // sessions + (number < messages % sessions)


def run(options: argparse.Namespace) -> None:
    """Open all sessions, then send; OSError at the first that goes wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: certificates are not read, nor judged
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    sessions = [
        Session(options, context, number, count)
        for number, count in enumerate(share(options.messages, options.sessions))
    ]
    with selectors.DefaultSelector() as selector:
        for session in sessions:
            selector.register(session, selectors.EVENT_READ, session)
            session.begin()
        while selector.get_map():
            ready = selector.select(WITHIN)
            if not ready:
                raise TimeoutError(f"no reply within {WITHIN:.0f} s")
            for key, _ in ready:
                if not key.data.advance():
                    selector.unregister(key.fd)


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
    try:
        run(parser.parse_args())
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
