"""The channel between smtprcd and a relay client: what is sent arrives, and a death is noticed at once."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from paperpath.remote.channel import Channel
from paperpath.remote.jobs import Drain, Returned, read_from_client, write_record
from paperpath.service.program import loop_factory

WITHIN_S = 10.0


class End:
    """One end of a channel, and what came over it."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.trouble: str | None = None
        self.ended = asyncio.Event()

    async def open(self, connection: socket.socket) -> Channel:
        def take(record: bytes) -> None:
            self.said.append(read_from_client(record))

        def end(trouble: str) -> None:
            self.trouble = trouble
            self.ended.set()

        return await Channel.open(connection, take, end)


@pytest.fixture(params=[None, loop_factory()], ids=["asyncio", "configured loop"])
def run(request):
    def run(story: Callable[[], Awaitable[None]]) -> None:
        async def in_time() -> None:
            async with asyncio.timeout(WITHIN_S):
                await story()

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(in_time())

    return run


def test_P2_what_is_sent_just_before_the_end_arrives_whole_and_in_order(run):
    async def story() -> None:
        ours, theirs = socket.socketpair()
        near, far = End(), End()
        sender, _ = await near.open(ours), await far.open(theirs)
        records = [Returned(number) for number in range(1000)]
        for record in records:
            sender.send(record)
        sender.close()
        sender.send(Returned(1000))  # to nobody
        await asyncio.gather(far.ended.wait(), near.ended.wait())
        assert far.said == records
        assert far.trouble == near.trouble == ""

    run(story)


def test_P2_what_is_sent_at_once_goes_out_together(run):
    async def story() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            channel = await End().open(ours)
            channel.send(Drain())
            channel.send(Returned(7))
            with pytest.raises(BlockingIOError):  # nothing is out yet
                theirs.recv(1, socket.MSG_DONTWAIT)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert theirs.recv(1000, socket.MSG_DONTWAIT) == write_record(Drain()) + write_record(Returned(7))
            channel.close()
            await asyncio.sleep(0)

    run(story)


def test_P2_a_channel_is_broken_the_moment_the_other_end_is_gone(run):
    async def story() -> None:
        ours, theirs = socket.socketpair()
        end = End()
        channel = await end.open(ours)
        assert channel.is_whole
        theirs.sendall(b"\0")  # unread octets change nothing
        assert channel.is_whole
        ours.recv(1)
        theirs.close()
        is_whole_now = channel.is_whole  # and the event loop has had no time to see it
        await end.ended.wait()
        assert (is_whole_now, channel.is_whole) == (False, False)

    run(story)


def test_P2_a_channel_that_was_closed_is_broken(run):
    async def story() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            end = End()
            channel = await end.open(ours)
            channel.close()
            assert not channel.is_whole
            await end.ended.wait()

    run(story)
