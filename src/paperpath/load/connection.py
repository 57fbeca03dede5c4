"""One connection of the source at a time: carries out what its conversation wants, without ever blocking.

Called by the source, which looks at all sockets at once. It does no more for a message than it must, since
whoever is measured shares the processors with it.
"""

import errno
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from select import EPOLLIN, EPOLLOUT, epoll

from paperpath.load.steps import Connect, Heard, LostError, Rest, Say, Step, Talk
from paperpath.mail.reply import Reply
from paperpath.smtp.reply_reader import NonsenseError, ReplyReader

_PIECE_OCTETS = 4096
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the load goes: what `socket` takes, its name for TLS, and the context where TLS is wanted."""

    family: socket.AddressFamily
    address: tuple[str, int] | str
    name: str = ""
    context: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What all connections share: the server, the poll for their sockets, and whose socket is which."""

    server: Server
    clock: Callable[[], int]
    poll: epoll = field(default_factory=epoll)
    sockets: "dict[int, Connection]" = field(default_factory=dict)


class Connection:
    """Drives one conversation: `go_on`, and tell it when its socket is `ready`."""

    def __init__(self, talk: Talk, bench: Bench) -> None:
        """Take a conversation that has not begun."""
        self._talk = talk
        self._bench = bench
        self._socket: socket.socket | None = None
        self._shakes_hands = False
        self._was_left = False
        self._unsent: bytes | memoryview = b""
        self._wanted = 0
        self._replies: list[Reply] = []
        self._reader = ReplyReader()
        self.said_us = 0
        """When all was handed over that was said last."""
        self.is_resting = True
        self.is_over = False

    def go_on(self) -> None:
        """Begin, or have another look whether a message is due."""
        self.is_resting = False
        if self._was_left:
            self._was_left = False
            self._run(self._talk.throw, LostError("the server closed an idle connection"))
        else:
            self._run(next, self._talk)

    def ready(self, events: int, now_us: int) -> None:
        """Do what the socket is ready for."""
        if self.is_resting:  # nothing was asked: it closes, whether it says so or not
            self._was_left = True
            self.close()
            return
        try:
            if events & EPOLLOUT and not self._shakes_hands:
                self._send_rest()
            elif self._shakes_hands:
                self._shake_hands()
            else:
                self._receive()
        except _NOT_YET:
            return
        except (OSError, NonsenseError) as error:
            self.lose(_explain(error))
            return
        if len(self._replies) == self._wanted and not (self._unsent or self._shakes_hands):
            replies, self._replies = self._replies, []
            self._run(self._talk.send, Heard(replies, now_us, self.said_us))

    def lose(self, reason: str) -> None:
        """Close, and have the conversation know why."""
        self.close()
        self._run(self._talk.throw, LostError(reason))

    def close(self) -> None:
        """Close at once, if there is a connection."""
        if self._socket is not None:
            del self._bench.sockets[self._socket.fileno()]
            self._socket.close()
            self._socket = None

    def _run(self, resume: "Callable[..., Step]", *values: object) -> None:
        """Have the conversation go on, and carry out what it wants, until there is something to wait for."""
        try:
            step = resume(*values)
            while True:
                try:
                    self._carry_out(step)
                    return
                except OSError as error:
                    self.close()
                    step = self._talk.throw(LostError(_explain(error)))
        except StopIteration:
            self.is_over = True
            self.close()

    def _carry_out(self, step: Step) -> None:
        if isinstance(step, Say):
            self._wanted = step.replies
            self._say(step.octets)
        elif isinstance(step, Rest):
            self.is_resting = True
        elif isinstance(step, Connect):
            self._wanted = step.replies
            self._connect()
        else:
            self._wanted = step.replies
            self._start_tls()

    def _say(self, octets: bytes) -> None:
        assert self._socket is not None
        try:
            sent = self._socket.send(octets)
        except _NOT_YET:
            sent = 0
        if sent < len(octets):
            self._unsent = memoryview(octets)[sent:]
            self._bench.poll.modify(self._socket.fileno(), EPOLLIN | EPOLLOUT)
        self.said_us = self._bench.clock()

    def _send_rest(self) -> None:
        """Send what had no room; where a connection was waited for, there is nothing, and it has room now."""
        assert self._socket is not None
        if self._unsent:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        if not self._unsent:
            self._bench.poll.modify(self._socket.fileno(), EPOLLIN)
            self.said_us = self._bench.clock()

    def _receive(self) -> None:
        """Read what came. Raises: OSError, NonsenseError."""
        assert self._socket is not None
        octets = self._socket.recv(_PIECE_OCTETS)
        if not octets:
            raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection")
        self._reader.receive(octets)
        while len(self._replies) < self._wanted and (reply := self._reader.next_reply()) is not None:
            self._replies.append(reply)

    def _connect(self) -> None:
        self.close()
        bench = self._bench
        self._socket = opened = socket.socket(bench.server.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        bench.sockets[opened.fileno()] = self
        self._reader, self._replies, self._unsent, self._shakes_hands = ReplyReader(), [], b"", False
        self.said_us = bench.clock()
        if bench.server.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = opened.connect_ex(bench.server.address)
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, os.strerror(number))
        bench.poll.register(opened.fileno(), EPOLLIN if self._wanted else EPOLLOUT)

    def _start_tls(self) -> None:
        """Begin the handshake. What came in the clear behind the promise of TLS is forgotten."""
        context, plain = self._bench.server.context, self._socket
        assert context is not None
        assert plain is not None
        descriptor = plain.fileno()
        self._bench.poll.unregister(descriptor)
        self._socket = context.wrap_socket(
            plain, server_hostname=self._bench.server.name, do_handshake_on_connect=False
        )
        assert self._socket.fileno() == descriptor
        self._bench.poll.register(descriptor, EPOLLIN | EPOLLOUT)
        self._reader, self._shakes_hands = ReplyReader(), True
        self.said_us = self._bench.clock()

    def _shake_hands(self) -> None:
        """Go on with the handshake. Raises: OSError, of which one is SSLWantReadError."""
        assert isinstance(self._socket, ssl.SSLSocket)
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._bench.poll.modify(self._socket.fileno(), EPOLLIN)
            raise
        self._shakes_hands = False
        self._bench.poll.modify(self._socket.fileno(), EPOLLIN)


def _explain(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else ""
    return text or str(error) or type(error).__name__
