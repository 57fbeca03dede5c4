"""The deliveries that the helper has under way: each by a child of its own, one for a user at a time.

So nobody finds a delivery half done by another, and nobody waits for the home of somebody else. A child that
takes too long is killed; where even that takes effect only when a file system answers, the user's place stays
taken until then, and whoever asks for it is told so.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from weakref import WeakValueDictionary

from paperpath.local.users.child import Rules, run_child
from paperpath.local.users.packets import MOST_WORDS, Answer, Request, format_answer, parse_request
from paperpath.mail.reply import make_reply
from paperpath.service.askers import Askers, read_uid
from paperpath.service.forked import Forked
from paperpath.service.log import Log

BUSY = Answer(
    make_reply(451, "4.2.0", "An earlier delivery to the user takes its time"), uncertain=False, is_stuck=True
)
TOO_LONG = Answer(make_reply(451, "4.2.0", "The delivery took too long"), uncertain=True, is_stuck=True)
DIED = Answer(make_reply(451, "4.3.0", "The delivery ended unforeseen"), uncertain=True, is_stuck=False)

TURN_S = 5.0  # that a delivery waits for another to the same user
_LISTEN_S = 5.0  # for a request to come


@dataclass(frozen=True, slots=True)
class Limits:
    """How many deliveries may be under way, how long one may take, and wait for another to the same user.

    Those that were killed and have not ended count among the first.
    """

    most: int
    delivery_s: float
    turn_s: float = TURN_S


class UserDeliveries:
    """Takes requests of one client. For a process of one thread, since it forks."""

    def __init__(self, rules: Rules, client_uid: int, limits: Limits, log: Log) -> None:
        """Take the rules for the children, and who may ask."""
        self._rules = rules
        self._client_uid = client_uid
        self._limits = limits
        self._log = log
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def renew(self, rules: Rules, limits: Limits) -> None:
        """Have other rules and limits in force for whoever asks from now on."""
        self._rules = rules
        self._limits = limits

    def serve(self, listener: socket.socket) -> Askers:
        """Return what serves a listening socket for the length of an `async with`."""
        self._askers = Askers(listener, self._has_room, self._serve)
        return self._askers

    def _has_room(self, connection: socket.socket) -> bool:
        uid = read_uid(connection)
        if uid != self._client_uid:
            self._log.warning("turned away", uid=uid)
            return False
        return len(self._askers) < self._limits.most

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                async with asyncio.timeout(_LISTEN_S):
                    octets = await asyncio.get_running_loop().sock_recv(connection, MOST_WORDS + 1)
                request = parse_request(octets)
                if request is None:
                    self._log.warning("no request")
                else:
                    await self._serve_request(connection, request)
            except OSError as error:  # no request in time, or no process for it
                self._log.error("cannot deliver", reason=repr(error))

    async def _serve_request(self, connection: socket.socket, request: Request) -> None:
        async with self._turn_of(request.user) as is_ours:
            if is_ours:
                await self._deliver(connection, request)
            else:
                self._answer(connection, BUSY)

    @asynccontextmanager
    async def _turn_of(self, user: str) -> AsyncIterator[bool]:
        """Wait for the others who deliver to a user; tell whether they ended in time."""
        turn = self._turns.setdefault(user, asyncio.Lock())
        try:
            async with asyncio.timeout(self._limits.turn_s):
                await turn.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            turn.release()

    async def _deliver(self, connection: socket.socket, request: Request) -> None:
        """Have a child deliver; return when it has ended, however long after its time."""
        with Forked(partial(run_child, connection, request, self._rules)) as child:
            code = await child.wait(self._limits.delivery_s)
            if code is None:
                self._log.error(
                    "takes too long, and killed", user=request.user, after_s=self._limits.delivery_s
                )
                child.kill()
                self._answer(connection, TOO_LONG)
                await child.wait()
            elif code != os.EX_OK:
                self._log.error("ended unforeseen", user=request.user, code=code)
                self._answer(connection, DIED)

    def _answer(self, connection: socket.socket, answer: Answer) -> None:
        """Say in a child's place what became of a delivery, and let go of whoever asked for it."""
        with connection, suppress(OSError):
            connection.send(format_answer(answer))
