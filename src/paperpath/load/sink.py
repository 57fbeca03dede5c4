"""The sink of a load: takes mail as fast as it can in one thread, and knows when each message came.

Called by `paperpath bench sink`, and in a thread by tests. It listens and serves; what it saw is in `runs`.
It offers no TLS, for it is to take little of the machine it measures.
"""

import socket
from select import EPOLLIN, EPOLLOUT, epoll

from paperpath.load.arrivals import Runs
from paperpath.load.dialogue import Dialogue
from paperpath.load.source import now_us

_PIECE_OCTETS = 32 * 1024
_MOST_UNREAD_OCTETS = 1024 * 1024  # of replies: who reads none of them is cut


class LoadSink:
    """Serves on listening sockets until `stop`; `run` it in any thread."""

    def __init__(self, listeners: list[socket.socket]) -> None:
        """Take listening sockets that do not block."""
        self.runs = Runs()
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._clients: dict[int, _Client] = {}
        self._wake, self._waker = socket.socketpair()
        self._poll = epoll()

    def run(self) -> None:
        """Serve, and close all at the end."""
        poll, clients, wake = self._poll, self._clients, self._wake.fileno()
        for descriptor in (*self._listeners, wake):
            poll.register(descriptor, EPOLLIN)
        try:
            while True:
                for descriptor, events in poll.poll():
                    client = clients.get(descriptor)
                    if client is not None:
                        if not client.serve(events):
                            self._forget(descriptor)
                    elif descriptor == wake:
                        return
                    else:
                        self._accept(self._listeners[descriptor])
        finally:
            self._close()

    def stop(self) -> None:
        """Have `run` return; from a signal handler or another thread."""
        self._waker.send(b"x")

    def _accept(self, listener: socket.socket) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return  # it went away again, or there is no room: the next look tells
        accepted.setblocking(False)
        descriptor = accepted.fileno()
        self._clients[descriptor] = client = _Client(accepted, Dialogue(self.runs, now_us), self._poll)
        if not client.serve(0):
            self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        self._clients.pop(descriptor).socket.close()

    def _close(self) -> None:
        for descriptor in list(self._clients):
            self._forget(descriptor)
        for opened in (*self._listeners.values(), self._wake, self._waker):
            opened.close()
        self._poll.close()


class _Client:
    """One connection."""

    def __init__(self, accepted: socket.socket, dialogue: Dialogue, poll: epoll) -> None:
        self.socket = accepted
        self._dialogue = dialogue
        self._poll = poll
        self._unsent = dialogue.greeting
        if accepted.family != socket.AF_UNIX:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(accepted.fileno(), EPOLLIN)

    def serve(self, events: int) -> bool:
        """Say what waits, and do what the socket is ready for; tell whether the client stays."""
        try:
            if self._unsent:
                self._say(b"")
            if events & ~EPOLLOUT:
                octets = self.socket.recv(_PIECE_OCTETS)
                if not octets:
                    return False
                self._say(self._dialogue.receive(octets))
        except OSError:
            return False
        return not self._dialogue.has_ended and len(self._unsent) <= _MOST_UNREAD_OCTETS

    def _say(self, octets: bytes) -> None:
        """Send, and keep for later what has no room. Raises: OSError."""
        waited = bool(self._unsent)
        octets = self._unsent + octets
        try:
            sent = self.socket.send(octets) if octets else 0
        except BlockingIOError:
            sent = 0
        self._unsent = octets[sent:]
        if waited or self._unsent:
            wanted = EPOLLIN | EPOLLOUT if self._unsent else EPOLLIN
            self._poll.modify(self.socket.fileno(), wanted)
