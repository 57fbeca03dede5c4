"""A raw IMAP client over TLS: sends commands as they are given, and reads responses as nested values."""

import re
import socket
from dataclasses import dataclass
from typing import Any

from tests.support.tls import make_client_context

_TOKEN = re.compile(rb'\(|\)|"(?:[^"\\]|\\.)*"|\{\d+\}\r\n|[^\s()"{\[]+(?:\[[^\]]*\](?:<\d+>)?)?|\[')
_CODE = re.compile(rb"\[([^\]]*)\]")
_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
Value = Any  # bytes, or a list of values


class GoneError(Exception):
    """The server has gone, or says that it goes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: `OK`, `NO` or `BAD`, and the words in brackets."""

    condition: bytes
    code: tuple[bytes, ...]
    line: bytes

    @property
    def is_ok(self) -> bool:
        return self.condition == b"OK"


def parse(octets: bytes) -> list[Value]:
    """Read the words of a response, lists and literals among them."""
    stack: list[list[Value]] = [[]]
    place = 0
    while match := _TOKEN.search(octets, place):
        place, token = match.end(), match[0]
        if token == b"(":
            stack.append([])
        elif token == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif token.startswith(b"{"):
            size = int(token[1:-3])
            stack[-1].append(octets[place : place + size])
            place += size
        else:
            stack[-1].append(token.strip(b'"'))
    return stack[0]


class Wire:
    """A connection that is logged in."""

    def __init__(self, port: int, account: str, password: str) -> None:
        """Connect and log in. Raises: OSError; GoneError."""
        self._number = 0
        plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        try:
            self._socket = make_client_context().wrap_socket(plain)
        except OSError:
            plain.close()
            raise
        self._stream = self._socket.makefile("rb")
        try:
            self.read()
            self.send(b'l LOGIN %s "%s"\r\n' % (account.encode(), password.encode()))
            if not self.wait(b"l")[1].is_ok:
                raise GoneError("the login was refused")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def new_tag(self) -> bytes:
        self._number += 1
        return b"t%d" % self._number

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def read(self) -> bytes:
        """Read one response, literals among it. Raises: OSError; GoneError."""
        whole = b""
        while True:
            line = self._stream.readline()
            if not line.endswith(b"\n"):
                raise GoneError("the connection was closed")
            whole += line
            literal = _LITERAL.search(line)
            if literal is None:
                break
            whole += self._stream.read(int(literal[1]))
        if whole.startswith(b"* BYE"):
            raise GoneError(whole.decode("utf-8", "replace"))
        return whole

    def read_line(self) -> bytes:
        """Read a line, and leave a literal that it ends with to be read."""
        return self._stream.readline()

    def read_within(self, seconds: float) -> bytes | None:
        """Read one response if it begins in time."""
        self._socket.settimeout(seconds)
        try:
            self._stream.peek(1)
        except TimeoutError:
            # The stream remembers that it timed out, and would read no more.
            self._stream = self._socket.makefile("rb")
            return None
        finally:
            self._socket.settimeout(60)
        return self.read()

    def wait(self, tag: bytes) -> tuple[list[bytes], Answer]:
        """Read the responses up to the one with a tag."""
        lines: list[bytes] = []
        while not (line := self.read()).startswith(tag + b" "):
            lines.append(line)
        condition, _, text = line[len(tag) + 1 :].partition(b" ")
        code = _CODE.match(text)
        return lines, Answer(condition, tuple(code[1].split()) if code else (), line)


def expand(numbers: bytes) -> list[int]:
    """Return the numbers of a set such as 1:3,7, in its order."""
    found: list[int] = []
    for part in numbers.split(b","):
        low, _, high = part.partition(b":")
        found += range(int(low), int(high or low) + 1)
    return found
