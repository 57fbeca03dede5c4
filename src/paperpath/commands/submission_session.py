"""A session with smtpsd: drives the sans-IO client core over a socket, without an event loop.

Used by sendmail, which has to answer at once and cannot wait for asyncio to be imported. It waits for each
reply as long as RFC 5321 §4.5.3.2 asks for. It writes and reads at the same time, or a thousand recipients
would make both ends wait for each other.
"""

import os
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from paperpath.commands.exits import ExitError, choose_exit
from paperpath.config.endpoint import LocalSocket, Place
from paperpath.mail.reply import make_reply
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import Answer, Broken, ContentWanted, Event, Refused, TransactionEnded
from paperpath.smtp.client_settings import ClientSettings, Security
from paperpath.smtp.client_states import Wait
from paperpath.smtp.transaction import Transaction

_CONNECT_S = 30
_REPLY_S = 300
_LIMITS_S = {Wait.END: 600, Wait.CONTENT: 180, Wait.QUIT: 5}
_PIECE_OCTETS = 64 * 1024

_R451_TIME_OUT = make_reply(451, "4.4.2", "The server did not answer in time")
_R452_TOO_MANY = make_reply(452, "4.5.3", "The server takes no more recipients")

ReadContent = Callable[[], Iterator[bytes]]


class AwayError(Exception):
    """Nobody takes mail there just now; `str()` says why. Nothing was handed over."""


def connect(places: Sequence[Place]) -> socket.socket:
    """Connect to the first place where somebody listens. Raises: AwayError."""
    reasons = []
    for place in places:
        try:
            return _connect(place)
        except OSError as error:
            reasons.append(f"{place}: {error.strerror or error}")
    raise AwayError("; ".join(reasons) or "the configuration has no table [submission]")


class Session:
    """One session; `close` it. Answers come from the server, or are ours in the same form."""

    def __init__(self, connection: socket.socket, hello: str) -> None:
        """Take a connection, which stays in the clear: it does not leave this host."""
        connection.setblocking(False)
        self._socket = connection
        self._core = ClientConnection(ClientSettings(hello, Security.NEVER))
        self._events: deque[Event] = deque()
        self._unsent = b""

    @property
    def is_uncertain(self) -> bool:
        """Whether the message was sent whole and the reply to it has not come, so it may have been taken."""
        return self._core.waits_for is Wait.END

    def open(self) -> None:
        """Wait until messages can be sent. Raises: AwayError; ExitError, where none ever will be."""
        event = self._next_event()
        if isinstance(event, Refused | Broken):
            if event.reply.code >= 500:
                raise ExitError(choose_exit(event.reply), str(event.reply))
            raise AwayError(str(event.reply))

    def submit(self, transaction: Transaction, read_content: ReadContent) -> list[Answer]:
        """Hand a message over, in several transactions if the server takes few recipients at once.

        Raises: OSError, where the content cannot be read; the server has taken nothing of it then.
        """
        answers: list[Answer | None] = [None] * len(transaction.recipients)
        while self._core.can_begin:
            pending = [place for place, answer in enumerate(answers) if answer is None]
            recipients = [transaction.recipients[place] for place in pending]
            if not pending:
                break
            self._core.begin(replace(transaction, recipients=recipients))
            given = self._carry(read_content)
            for place, answer in zip(pending, given, strict=True):
                answers[place] = answer
            if given.count(None) == len(given):
                break
        return [answer or Answer(_R452_TOO_MANY, is_ours=True) for answer in answers]

    def close(self) -> None:
        """Part, in order where that is possible; a signal ends that, and undoes nothing."""
        with self._socket, suppress(OSError, RuntimeError, ExitError):
            self._core.quit()
            while self._core.waits_for is Wait.QUIT:
                self._exchange()

    def _carry(self, read_content: ReadContent) -> tuple[Answer | None, ...]:
        """See a transaction through. Raises: OSError."""
        while True:
            event = self._next_event()
            if isinstance(event, TransactionEnded):
                return event.answers
            if isinstance(event, ContentWanted):
                self._send_content(read_content)

    def _send_content(self, read_content: ReadContent) -> None:
        """Send the content, unless the server gives up meanwhile. Raises: OSError."""
        for octets in read_content():
            if not self._core.wants_content:
                return
            self._core.send(octets)
            self._take_octets()
            while len(self._unsent) >= _PIECE_OCTETS and self._core.wants_content:
                self._exchange()
        if self._core.wants_content:
            self._core.end_content()

    def _next_event(self) -> Event:
        """Talk until something happens, as it must: no reply, too, is an event."""
        self._gather()
        while not self._events:
            self._exchange()
        return self._events.popleft()

    def _exchange(self) -> None:
        """Write and read what can be, or wait until something can."""
        self._take_octets()
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        ready = waiting.poll(_LIMITS_S.get(self._core.waits_for, _REPLY_S) * 1000)
        if not ready:
            self._core.break_off(_R451_TIME_OUT)
        for _, found in ready:
            if found & select.POLLOUT:
                self._write()
            if found & ~select.POLLOUT:
                self._read()
        self._gather()

    def _take_octets(self) -> None:
        self._unsent += self._core.octets_to_send()

    def _write(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError:  # it hears nothing any more, but may have said why
            self._unsent = b""

    def _read(self) -> None:
        try:
            octets = self._socket.recv(_PIECE_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets:
            self._core.receive(octets)
        else:
            self._core.receive_end()

    def _gather(self) -> None:
        while (event := self._core.next_event()) is not None:
            self._events.append(event)


def _connect(place: Place) -> socket.socket:
    if isinstance(place, LocalSocket):
        return _connect_local(place.path)
    return socket.create_connection((place.host, place.port), _CONNECT_S)


def _connect_local(path: Path) -> socket.socket:
    """Connect through the folder, held open: the path of a socket itself may have no more than 107 octets."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Python's own time-out would make a busy server look absent, for it does not wait (EAGAIN).
            limit = struct.pack("ll", _CONNECT_S, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    except BaseException:
        connection.close()
        raise
    return connection
