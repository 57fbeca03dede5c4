"""A session whose replies to recipients are held back (C-25, C-26, S-4); time passes at once."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paperpath.config.limit_tables import TarpitTable
from paperpath.intake.access import ServiceClass
from paperpath.intake.service import TRANSACTION_S
from paperpath.intake.session import Session
from paperpath.journal.events import BrokenOff
from paperpath.mail.address import Mailbox
from paperpath.smtp import replies
from tests.support.lists import Dns, Site, Skipping, settle
from tests.unit.intake.test_session import Setting

MAIL = b"MAIL FROM:<a@b.example>\r\n"
RCPT = b"RCPT TO:<u@here.example>\r\n"
NOBODY = b"RCPT TO:<nobody@here.example>\r\n"
FIVE = TarpitTable(after=5)


def run(scene: Callable[[Setting], Awaitable[None]], tarpit: TarpitTable = FIVE, **options: Any) -> None:
    """Play a scene with a session in a transaction; in the end nobody may be left in the tarpit.

    What comes too late, when the session is gone, would be told to nobody but the loop.
    """
    troubles: list[dict[str, Any]] = []

    async def play() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: troubles.append(context))
        setting = Setting(tarpit=tarpit, **{"most": 100, **options})
        setting.refused = "nobody"
        setting.session.data_received(b"EHLO c\r\n" + MAIL)
        await scene(setting)
        setting.session.connection_lost(None)
        assert setting.means.tarpit.held == 0
        assert not troubles

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())


async def wait_for_reply(setting: Setting, octets: bytes = b"") -> float:
    """Say something; return how many seconds it took to hear more."""
    loop, transport = asyncio.get_running_loop(), setting.transport
    began_s = loop.time()
    transport.wrote.clear()
    if octets:
        setting.session.data_received(octets)
    async with asyncio.timeout(1000):
        await transport.wrote.wait()
    return round(loop.time() - began_s, 1)


async def fill(setting: Setting, count: int = 5) -> None:
    for _ in range(count):
        assert await wait_for_reply(setting, RCPT) == 0


def test_C25_of_twenty_recipients_five_are_answered_at_once_and_each_other_one_later() -> None:
    async def scene(setting: Setting) -> None:
        delays = [await wait_for_reply(setting, RCPT) for _ in range(20)]
        assert delays == [0.0] * 5 + [1.0 + 0.5 * number for number in range(15)]
        assert setting.metrics.delays == 15
        assert setting.codes()[3:] == [b"250"] * 20

    run(scene)


def test_C25_pipelined_recipients_are_answered_one_by_one_in_their_order() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received((RCPT + NOBODY) * 6 + b"NOOP\r\n")
        assert setting.codes()[3:] == [b"250", b"550"] * 5
        assert [await wait_for_reply(setting) for _ in range(2)] == [1.0, 1.0]
        assert setting.codes()[3:] == [b"250", b"550"] * 6 + [b"250"]

    run(scene)


def test_C25_no_delay_is_beyond_the_bound() -> None:
    async def scene(setting: Setting) -> None:
        assert [await wait_for_reply(setting, RCPT) for _ in range(4)] == [0, 50, 60, 60]

    run(scene, TarpitTable(after=1, first_s=50, step_s=50))


@pytest.mark.parametrize(("counts", "delay_s"), [(False, 0), (True, 1.5)])
def test_C26_refused_recipients_count_only_where_they_are_to(counts: bool, delay_s: float) -> None:
    async def scene(setting: Setting) -> None:
        for _ in range(6):
            await wait_for_reply(setting, NOBODY)
        assert await wait_for_reply(setting, RCPT) == delay_s

    run(scene, TarpitTable(after=5, count_refused=counts))


@pytest.mark.parametrize(
    "end",
    [b"RSET\r\n", b"EHLO c\r\n", b"BDAT 3 LAST\r\nx\r\n"],
)
def test_C26_after_the_end_of_a_transaction_nobody_is_held_back(end: bytes) -> None:
    async def scene(setting: Setting) -> None:
        await fill(setting)
        for _ in range(5):
            assert await wait_for_reply(setting, RCPT) > 0
        setting.session.data_received(end)
        await setting.settle()
        assert await wait_for_reply(setting, MAIL) == 0
        await fill(setting)
        assert await wait_for_reply(setting, RCPT) == 1.0

    run(scene)


def test_C26_P6_who_is_held_back_is_not_read_from_and_then_again() -> None:
    async def scene(setting: Setting) -> None:
        await fill(setting)
        setting.session.data_received(RCPT)
        assert not setting.transport.is_reading()
        setting.session.pause_writing()
        setting.session.resume_writing()
        assert not setting.transport.is_reading()
        await wait_for_reply(setting)
        assert setting.transport.is_reading()

    run(scene)


def test_C26_who_is_lost_in_a_delay_is_gone_at_once() -> None:
    async def scene(setting: Setting) -> None:
        await fill(setting)
        setting.session.data_received(RCPT)
        assert setting.means.tarpit.held == 1
        setting.session.connection_lost(None)
        assert (setting.means.tarpit.held, len(setting.sessions)) == (0, 0)
        before = setting.transport.written
        await asyncio.sleep(100)
        assert setting.transport.written == before
        (told,) = setting.told
        assert isinstance(told, BrokenOff)
        setting.transport = setting.connect()

    run(scene)


@pytest.mark.parametrize("sent_ahead", [b"", NOBODY * 1000])
@pytest.mark.parametrize("leave", [socket.socket.close, lambda theirs: theirs.shutdown(socket.SHUT_WR)])
def test_C26_who_hangs_up_unread_in_a_delay_is_noticed_within_a_second(
    leave: Callable[[socket.socket], None], sent_ahead: bytes
) -> None:
    async def scene(setting: Setting) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            setting.transport.connection = ours
            await fill(setting)
            setting.session.data_received(RCPT + sent_ahead)
            await asyncio.sleep(1.1)
            assert not setting.transport.aborted
            theirs.send(b"unread")
            leave(theirs)
            await asyncio.sleep(1.1)
            assert setting.transport.aborted

    run(scene, TarpitTable(after=5, first_s=60))


def test_C26_who_half_closes_in_a_delay_has_hung_up() -> None:
    async def scene(setting: Setting) -> None:
        await fill(setting)
        setting.session.data_received(RCPT)
        assert setting.session.eof_received() is False

    run(scene)


def test_S2_what_we_hold_back_is_no_silence_and_not_of_the_transaction() -> None:
    async def scene(setting: Setting) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + 2 * TRANSACTION_S
        while loop.time() < end_s:
            assert await wait_for_reply(setting, RCPT) in (0, 120)
        assert set(setting.codes()[1:]) == {b"250"}
        await asyncio.sleep(6.1)
        assert b"421 4.4.2 Silent" in setting.transport.written

    run(scene, TarpitTable(after=1, first_s=120, most_s=120), idle_timeout_s=5)


def test_S2_the_transaction_has_its_time_beside_what_we_hold_back() -> None:
    async def scene(setting: Setting) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + TRANSACTION_S + 100_000 / 1024
        await fill(setting)
        assert [await wait_for_reply(setting, RCPT) for _ in range(10)] == [60] * 10
        await asyncio.sleep(end_s + 600 - loop.time() - 2)
        assert not setting.transport.closed
        await asyncio.sleep(5)
        assert b"421 4.4.2 The transaction takes too long" in setting.transport.written

    run(scene, TarpitTable(after=5, first_s=60), idle_timeout_s=10_000)


def test_A19_an_end_from_our_side_does_not_wait() -> None:
    async def scene(setting: Setting) -> None:
        await fill(setting)
        setting.session.data_received(RCPT)
        setting.session.end()
        assert setting.transport.written.endswith(replies.R421_SHUTTING_DOWN.octets)
        assert setting.transport.closed
        assert setting.means.tarpit.held == 0

    run(scene)


def test_S4_who_is_held_back_is_let_go_when_more_than_half_of_the_connections_are_used() -> None:
    async def scene(setting: Setting) -> None:
        await fill(setting)
        setting.session.data_received(RCPT)
        for _ in range(50):
            setting.service.connections.take_place()
        assert await wait_for_reply(setting) <= 1.1
        assert await wait_for_reply(setting, RCPT) == 0
        assert setting.metrics.delays == 1

    run(scene, TarpitTable(after=5, first_s=60))


def test_S4_only_a_quarter_is_held_back_and_all_others_are_answered() -> None:
    async def scene(setting: Setting) -> None:
        for _ in range(25):
            assert setting.means.tarpit.enter(0)
        await fill(setting, 20)
        setting.means.tarpit.leave(0)
        assert await wait_for_reply(setting, RCPT) > 0
        for _ in range(24):
            setting.means.tarpit.leave(0)

    run(scene)


@pytest.mark.parametrize(
    ("access", "uid", "is_held_back"),
    [
        (ServiceClass.PRIVILEGED, None, False),
        (ServiceClass.NORMAL, 1000, False),
        (ServiceClass.NORMAL, None, True),
    ],
)
def test_C25_who_needs_no_login_is_never_held_back(
    access: ServiceClass, uid: int | None, is_held_back: bool
) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.connection_lost(None)
        setting.granted, setting.uid = access, uid
        setting.transport = setting.connect()
        setting.session.data_received(b"EHLO c\r\n" + MAIL)
        await fill(setting)
        assert bool(await wait_for_reply(setting, RCPT)) is is_held_back

    run(scene)


def test_C25_who_has_logged_in_is_held_back() -> None:
    async def scene(setting: Setting) -> None:
        assert isinstance(setting.session, Session)
        setting.session._guest.account = Mailbox("joe", "here.example")
        await fill(setting)
        assert await wait_for_reply(setting, RCPT) > 0

    run(scene)


def test_C24_C25_the_lists_come_first_and_then_the_delay() -> None:
    async def play() -> None:
        dns = Dns("bad.example")
        site = Site(dns, "black:bad.example")
        await settle()
        dns.silent = {"bad.example"}
        setting = Setting(most=100, lists=site.desk, tarpit=TarpitTable(after=0, first_s=60))
        setting.session.data_received(b"EHLO c\r\n" + MAIL + RCPT)
        await settle()
        assert setting.means.tarpit.held == 0
        dns.speak()
        await settle()
        assert setting.means.tarpit.held == 1
        assert not setting.transport.is_reading()
        assert await wait_for_reply(setting) == 60
        setting.session.connection_lost(None)

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())


def test_the_log_says_once_that_a_transaction_is_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(setting: Setting) -> None:
        for _ in range(9):
            await wait_for_reply(setting, RCPT)

    run(scene)
    assert capsys.readouterr().err.count("info held back") == 1
