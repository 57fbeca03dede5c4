"""A user has what he handed in tried at once, and no more, and not too often (`sendmail -q`, J-10)."""

import asyncio
from dataclasses import replace

import pytest

from paperpath.mail.envelope import Client
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import Hold, QueueFilter, Transport
from paperpath.postoffice.enquiries import make_answers
from paperpath.postoffice.flushing import PAUSE_S, Flushing
from paperpath.service.log import open_log
from paperpath.service.public_server import Asker
from paperpath.testing.maildrop_tools import make_message, sort_all

JOE = Asker(1000, "joe", is_operator=False)
ROOT = Asker(0, "root", is_operator=True)
FAR_US = 2**52


class Setting:
    """A maildrop with mail of joe and of ann, all of which waits for long."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.maildrop = MemoryMaildrop(MemoryStore())

    async def prepare(self, count: int = 1) -> None:
        for account, recipient in [("joe", "a@x.example")] * count + [("ann", "b@y.example")]:
            message = await make_message(self.maildrop, recipient)
            client = Client("", 0, "", "local", account=account)
            await self.maildrop.accept(replace(message, envelope=replace(message.envelope, client=client)))
        await sort_all(self.maildrop, FAR_US)
        for name in ("x.example", "y.example"):
            await self.maildrop.suspend(Transport.LOCAL, name, FAR_US, "away")

    def due(self) -> list[str]:
        found = self.maildrop.find(QueueFilter(), 0, 1000)
        return [entry.address for entry in found if entry.due_us < FAR_US]

    def open(self) -> Flushing:
        return Flushing(self.maildrop, open_log("test"), lambda: self.now_s)


async def run_others() -> None:
    """Let tasks come to an end that wait for nothing but their turn."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_J10_what_a_user_handed_in_is_due_and_its_destination_is_tried() -> None:
    async def work() -> None:
        setting = Setting()
        await setting.prepare()
        async with setting.open() as flushing:
            assert make_answers(setting.maildrop, flushing)["flush"](JOE, {}) == {"begun": True}
            await run_others()
            assert setting.due() == ["a@x.example"]
            assert [one.destination for one in setting.maildrop.read_suspensions(Transport.LOCAL)] == [
                "y.example"
            ]
            assert make_answers(setting.maildrop, flushing)["flush"](ROOT, {}) == {"begun": True}
            await run_others()
            assert setting.due() == ["a@x.example", "b@y.example"]

    asyncio.run(work())


def test_J10_P6_nobody_has_it_done_more_than_once_a_minute() -> None:
    setting = Setting()
    flushing = setting.open()
    assert [flushing.ask(user) for user in ("joe", "joe", "ann", None, None)] == [
        True,
        False,
        True,
        True,
        False,
    ]
    setting.now_s = PAUSE_S - 1
    assert not flushing.ask("joe")
    setting.now_s = PAUSE_S
    assert flushing.ask("joe")
    assert len(flushing._last_s) == 1  # who has not asked for long is not remembered


def test_J10_the_queue_may_be_long_and_what_is_held_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        setting = Setting()
        await setting.prepare(7)
        held = setting.maildrop.find(QueueFilter(), 0, 1)[0].recipient_id
        await setting.maildrop.change([held], Hold("spam"))
        assert await setting.open().flush("joe") == 6
        assert len(setting.due()) == 6

    monkeypatch.setattr("paperpath.postoffice.flushing.PAGE", 2)
    asyncio.run(work())
