"""smtprcd with a stand-in for its relay clients: all that it does to the queue, without a network.

Every host is reached, or none is (`REACHABLE`); who is reached takes everything and knows no DSN, so that
whoever asked for a report of success gets ours. By LMTP one recipient after the other is answered, and each
is settled before the next. What the clients themselves do, and what comes of their deaths, is for the storm
(remote_storm.py).
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from unittest.mock import patch

from paperpath.config.loader import Document
from paperpath.mail.reply import make_reply
from paperpath.remote import smtprcd
from paperpath.remote.fleet import Lose, Take
from paperpath.remote.jobs import Ahead, Done, FromClient, Job, Unreached
from paperpath.remote.outcomes import make_answer
from paperpath.service.log import Log
from paperpath.service.program import Life, make_command

REACHABLE = 1
_R250 = make_reply(250, "2.0.0", "Taken")
_R451 = make_reply(451, "4.4.1", "No answer")


class _Clients:
    """Is the fleet and the only client of it: answers each job in the next turn of the event loop."""

    def __init__(self, document: Document, take: Take, lose: Lose, log: Log) -> None:
        self.clients = [self]
        self.is_there = True
        self._take = take
        self._coming: list[deque[FromClient]] = []  # of each job by LMTP

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_there = False

    def check(self) -> None:
        """Say the next thing of each job by LMTP; this is called once in each turn of smtprcd."""
        coming, self._coming = self._coming, []
        for said in coming:
            self._take(said.popleft())
        self._coming += filter(None, coming)

    def choose(self, destination: str, most_connections: int) -> tuple["_Clients", int]:
        return self, most_connections

    def send(self, job: Job) -> None:
        if REACHABLE and job.destination.startswith("lmtp://"):
            self._coming.append(deque(_answer_one_by_one(job)))
            return
        if REACHABLE:
            answers = (make_answer("delivered", _R250),) * len(job.recipients)
            said: Done | Unreached = Done(job.number, answers, is_refused=False)
        else:
            said = Unreached(job.number, make_answer("deferred", _R451))
        asyncio.get_running_loop().call_soon(self._take, said)

    def configure(self, document: Document) -> None:
        pass

    def drain(self) -> None:
        pass


def _answer_one_by_one(job: Job) -> Iterator[FromClient]:
    answer = make_answer("delivered", _R250, "unix:/nowhere/lmtp", is_final=True)
    count = len(job.recipients)
    for place in range(count - 1):
        yield Ahead(job.number, (place,), (answer,))
    yield Done(job.number, (answer,) * count, is_refused=False)


async def schedule_mail(life: Life) -> None:
    """Schedule until the end is asked for."""
    with patch.object(smtprcd, "Fleet", _Clients):
        await smtprcd.schedule_mail(life)


main = make_command(smtprcd.NAME, "Carries mail nowhere.", schedule_mail)
