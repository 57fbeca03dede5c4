"""Sessions whose client does too much, or errs too often (A-14, P6, P9)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paperpath.config.limit_tables import LimitsTable
from paperpath.dns.answer import Answer, Status
from paperpath.intake.access import ServiceClass
from paperpath.journal.events import BrokenOff, Refused, SessionEnded, TurnedAway
from tests.support.lists import Dns, Skipping, settle
from tests.unit.intake.test_session import MESSAGE, Setting

MAIL = b"MAIL FROM:<a@b.example>\r\n"
RCPT = b"RCPT TO:<u@here.example>\r\n"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors; closing"


def run(
    scene: Callable[[Setting], Awaitable[None]], rules: str = "", resolver: Dns | None = None, **limits: Any
) -> None:
    async def play() -> None:
        setting = Setting(most=100, limits=LimitsTable(**limits), rules=rules, resolver=resolver)
        await scene(setting)
        setting.session.connection_lost(None)
        assert setting.service.connections.count == 0

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())


def come_again(setting: Setting) -> bytes:
    """Leave and come again; return what is said."""
    setting.session.connection_lost(None)
    setting.transport = setting.connect()
    return setting.transport.written


def test_P6_P9_who_connects_too_often_hears_so_and_comes_in_later() -> None:
    async def scene(setting: Setting) -> None:
        assert [come_again(setting)[:3] for _ in range(4)] == [b"220", b"220", b"421", b"421"]
        assert setting.transport.written.startswith(b"421 4.7.0 Too many connections from your network")
        assert setting.transport.closed
        (told,) = setting.told
        assert isinstance(told, TurnedAway)
        assert (told.client, told.count) == ("192.0.2.1", 1)
        assert setting.metrics.limits.counts == {"connections per minute": 2}
        assert setting.metrics.refused_connections == 2
        await asyncio.sleep(20.1)
        assert come_again(setting).startswith(b"220")

    run(scene, connections_per_minute=3)


def named(*, silent: bool = False) -> Dns:
    """Say that the client is mail.example, or nothing."""
    dns = Dns()
    dns.answers["1.2.0.192.in-addr.arpa", "PTR"] = Answer(Status.FOUND, ("mail.example",))
    dns.put("mail.example", "192.0.2.1")
    dns.silent = {"in-addr.arpa"} if silent else set()
    return dns


def test_S2_whose_names_are_slow_to_find_takes_no_more_places_than_others() -> None:
    async def play() -> None:
        setting = Setting(most=100, rules="mail.example privileged", resolver=named(silent=True))
        transports = [setting.transport, *(setting.connect() for _ in range(5))]
        assert [transport.written[:3] for transport in transports] == [b""] * 2 + [b"421"] * 4
        for transport in transports:
            transport.protocol.connection_lost(None)
        assert setting.service.connections.count == 0
        again = setting.connect()
        assert again.written == b""
        again.protocol.connection_lost(None)

    asyncio.run(play())


def test_S2_the_DNS_is_not_asked_about_who_connects_too_often() -> None:
    dns = named(silent=True)

    async def scene(setting: Setting) -> None:
        assert [come_again(setting)[:3] for _ in range(4)] == [b"", b"421", b"421", b"421"]
        await settle()
        assert dns.asked.total() <= 2

    run(scene, connections_per_minute=2, rules="mail.example privileged", resolver=dns)


def test_C9_who_is_known_to_be_privileged_by_name_has_no_bounds() -> None:
    async def scene(setting: Setting) -> None:
        await settle()
        assert [come_again(setting)[:3] for _ in range(4)] == [b"220"] * 4

    run(scene, connections_per_minute=1, rules="mail.example privileged", resolver=named())


def test_P6_P9_who_begins_too_many_messages_hears_so_and_may_try_later() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(b"EHLO c\r\n" + (MAIL + b"RSET\r\n") * 3 + MAIL)
        assert setting.codes() == [b"220", b"250"] + [b"250"] * 4 + [b"450", b"250", b"450"]
        assert b"\r\n450 4.7.1 Too many messages from your network" in setting.transport.written
        (told, _) = setting.told
        assert isinstance(told, Refused)
        assert (told.verb, told.reply[:9]) == ("MAIL", "450 4.7.1")
        assert setting.metrics.limits.counts == {"messages per minute": 2}
        await asyncio.sleep(30.1)
        setting.session.data_received(MAIL)
        assert setting.codes()[-1] == b"250"

    run(scene, messages_per_minute=2)


def test_P6_P9_who_names_too_many_recipients_hears_so_whether_they_are_known_or_not() -> None:
    async def scene(setting: Setting) -> None:
        setting.refused = "u"
        setting.session.data_received(b"EHLO c\r\n" + MAIL + RCPT * 3)
        assert setting.codes()[3:] == [b"550", b"550", b"450"]
        assert b"\r\n450 4.7.1 Too many recipients from your network" in setting.transport.written
        assert [type(told) for told in setting.told] == [Refused] * 3
        assert setting.metrics.limits.counts == {"recipients per minute": 1}

    run(scene, recipients_per_minute=2)


def test_limits_count_for_all_sessions_of_a_network_together() -> None:
    async def scene(setting: Setting) -> None:
        first = setting.transport
        second = setting.connect()
        for transport in (first, second):
            transport.protocol.data_received(b"EHLO c\r\n" + MAIL)
        assert first.written.endswith(b"250 2.1.0 Sender taken\r\n")
        assert b"\r\n450 4.7.1" in second.written
        second.protocol.connection_lost(None)

    run(scene, messages_per_minute=1)


def test_C8_privileged_clients_have_no_rates() -> None:
    async def scene(setting: Setting) -> None:
        setting.granted = ServiceClass.PRIVILEGED
        for _ in range(5):
            assert come_again(setting).startswith(b"220")
        setting.session.data_received(MESSAGE * 5)
        await setting.settle()
        assert setting.store.counts.accepted == 5
        assert setting.metrics.limits.counts == {}

    run(scene, connections_per_minute=1, messages_per_minute=1, recipients_per_minute=1)


@pytest.mark.parametrize("errors", [1, 5])
def test_A14_P9_a_session_with_too_many_errors_is_told_to_have_been_ended(errors: int) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(b"EHLO c\r\n" + MAIL + RCPT + b"FOO\r\n" * errors + b"NOOP\r\n")
        assert setting.codes()[-1] == b"250"
        setting.session.data_received(b"FOO\r\nNOOP\r\n")
        assert setting.codes()[-2:] == [b"500", b"421"]
        assert setting.transport.closed
        *refused, broken_off, ended = setting.told
        assert [type(told) for told in refused] == [Refused] * (errors + 1)
        assert isinstance(broken_off, BrokenOff)
        assert isinstance(ended, SessionEnded)
        assert broken_off.reply == ended.reply == TOO_MANY_ERRORS
        assert setting.metrics.limits.counts == {"errors": 1}

    run(scene, errors=errors)


def test_A13_who_is_refused_by_policy_has_made_no_error() -> None:
    async def scene(setting: Setting) -> None:
        setting.refused = "u"
        setting.session.data_received(b"EHLO c\r\n" + MAIL + RCPT * 50 + b"NOOP\r\n")
        assert setting.codes()[-1] == b"250"
        assert setting.metrics.limits.counts == {}

    run(scene, errors=1)
