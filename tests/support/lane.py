"""Lanes of a relay client against sinks, in one event loop: no installation, no DNS, no channel."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from paperpath.config.tables import RemoteTable, TimeoutsTable
from paperpath.mail.reply import Reply
from paperpath.remote.contact import AnyHop, Contact, Guide, Hop, SocketHop
from paperpath.remote.jobs import Ahead, Answered, Done, FromClient, Job, JobContent, JobRecipient, Unreached
from paperpath.remote.lane import Lane, Ways
from paperpath.remote.route import Route, Security
from paperpath.remote.tls_policy import Rule, SecurityFinder
from paperpath.smtp.observer import NOBODY, Observer

CONTENT = b"Subject: x\r\n\r\nHi\r\n"
PATIENCE_S = 20.0
SHORT_S = 0.3  # what a host may take for each thing
_Result = TypeVar("_Result")


async def until(condition: Callable[[], object]) -> None:
    """Let the loop work until a condition holds."""
    while True:
        if condition():
            return
        await asyncio.sleep(0.002)


def short_timeouts(**others: float) -> TimeoutsTable:
    """Make timeouts of a fraction of a second, but for those that are given."""
    return TimeoutsTable(**{**dict.fromkeys(TimeoutsTable.model_fields, SHORT_S), **others})


def play(run: Callable[[], Awaitable[_Result]]) -> _Result:
    """Run a coroutine in a loop of its own; fail if anything went wrong behind its back."""
    troubles: list[dict[str, Any]] = []

    async def watched() -> _Result:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        async with asyncio.timeout(PATIENCE_S):
            return await run()

    result = asyncio.run(watched())
    assert not troubles, [(trouble["message"], trouble.get("exception")) for trouble in troubles]
    return result


def make_job(
    number: int, *recipients: str, content: bytes = CONTENT, sender: str = "a@b.example", **more: Any
) -> Job:
    """Make a job; recipients have the domain x.example."""
    local, _, domain = sender.partition("@")
    job = Job(
        number=number,
        destination="x.example",
        most_connections=1,
        queue_id=f"Q{number}",
        sender=(local, domain) if sender else None,
        body="" if content.isascii() else "8BITMIME",
        international=False,
        ret="",
        envid="",
        recipients=tuple(JobRecipient((name, "x.example"), "", "") for name in recipients or ("joe",)),
        content=JobContent(len(content), hashlib.sha256(content).digest(), content, None),
    )
    return _with(job, more)


def in_file(job: Job, file: Path) -> Job:
    """Put the content of a job into a file, as large content is."""
    octets = job.content.octets
    assert octets is not None
    file.write_bytes(octets)
    return _with(job, {"content": JobContent(len(octets), job.content.digest, None, str(file))})


def _with(job: Job, fields: dict[str, Any]) -> Job:
    return Job(**{**{name: getattr(job, name) for name in job.__struct_fields__}, **fields})


class LaneBench:
    """A lane, what it said, and hosts for it to go to: ports on loopback, in order, or a reply instead."""

    def __init__(
        self,
        hosts: Sequence[int | AnyHop] | Reply,
        *,
        route: Route | None = None,
        observer: Observer = NOBODY,
        rules: Sequence[Rule] = (),
        **table: Any,
    ) -> None:
        self.hops = (
            hosts
            if isinstance(hosts, Reply)
            else [
                host if isinstance(host, Hop | SocketHop) else Hop(f"mx{number}.x.example", "127.0.0.1", host)
                for number, host in enumerate(hosts, 1)
            ]
        )
        self.route = route or Route("x.example", (), Security("opportunistic"))
        self.table = RemoteTable(**{"loopback": True, "idle_s": 0.05, "timeouts": short_timeouts(), **table})
        self.is_wanted = True
        self.said: list[FromClient] = []
        self.ahead: list[Ahead] = []
        self.overlooked: list[Reply] = []
        self.searches = 0
        guide = Guide(self._find, SecurityFinder(rules).find, self.overlooked.append)
        contact = Contact(self.table, "client.example", guide, lambda: self.is_wanted, observer)
        self.lane = Lane(lambda: Ways(self.route, contact, self.table), self._hear)

    async def carry(self, *jobs: Job) -> list[FromClient]:
        """Give the lane jobs; return what it said of each, in the jobs' order, once all are said."""
        for job in jobs:
            self.lane.add(job)
        return await self.hear(*jobs)

    async def hear(self, *jobs: Job) -> list[FromClient]:
        """Wait until something was said of each job."""
        numbers = [job.number for job in jobs]
        await until(lambda: {_number_of(value) for value in self.said} >= set(numbers))
        by_number = {_number_of(value): value for value in self.said}
        return [by_number[number] for number in numbers]

    async def end(self) -> None:
        """Let go of the connections, and see that each job was told of once."""
        self.lane.drain()
        await self.lane.wait_empty()
        numbers = [_number_of(value) for value in self.said]
        assert len(numbers) == len(set(numbers)), self.said

    async def _find(self, route: Route) -> Sequence[AnyHop] | Reply:
        assert route == self.route
        self.searches += 1
        return self.hops

    def _hear(self, value: FromClient) -> None:
        if isinstance(value, Ahead):
            self.ahead.append(value)
        else:
            self.said.append(value)


async def carry_one(hosts: Sequence[int | AnyHop] | Reply, job: Job, **options: Any) -> FromClient:
    """Carry one job, in a lane of its own."""
    bench = LaneBench(hosts, **options)
    (value,) = await bench.carry(job)
    await bench.end()
    return value


def answers(value: FromClient) -> list[Answered]:
    """Return the answers of a job that was carried out."""
    assert isinstance(value, Done), value
    return list(value.answers)


def answer(value: FromClient) -> Answered:
    """Return the only answer, of a job that was carried out or not."""
    if isinstance(value, Unreached):
        return value.answer
    (only,) = answers(value)
    return only


def _number_of(value: FromClient) -> int:
    return value.number  # type: ignore[union-attr]
