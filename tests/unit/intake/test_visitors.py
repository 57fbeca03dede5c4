"""A client of a program that was started for it: who it is and what it may is known before (C-9, L-14)."""

import asyncio
from typing import Any

import pytest

from paperpath.intake.access import ServiceClass
from paperpath.intake.guest import Door
from paperpath.intake.opening import Opening
from paperpath.intake.session import Session
from paperpath.intake.ucspi import Visitor
from tests.support.lists import Dns, settle
from tests.unit.intake.test_session import MESSAGE, Setting, Transport

RULES = "198.51.100.1 null\n198.51.100.2 privileged\n192.0.2.1 deny"  # the last one is the transport's


def visit(setting: Setting, visitor: Visitor) -> Transport:
    transport, opening = Transport(), Opening(setting.service, setting.sessions, Door.CLEAR, visitor)
    transport.set_protocol(opening)
    opening.connection_made(transport)
    return transport


@pytest.mark.parametrize(
    ("address", "service", "greeting"),
    [
        ("198.51.100.1", None, b"554"),
        ("198.51.100.1", ServiceClass.NORMAL, b"220"),
        ("198.51.100.2", ServiceClass.NULL, b"554"),
        ("198.51.100.2", ServiceClass.DENY, b""),
        ("198.51.100.3", None, b"220"),
        ("", None, b"220"),
    ],
)
def test_C9_what_was_decided_goes_before_the_rules(
    address: str, service: ServiceClass | None, greeting: bytes
) -> None:
    async def scene() -> None:
        setting = Setting(rules=RULES, most=9)
        setting.session.connection_lost(None)
        transport = visit(setting, Visitor(address, 4711, service))
        assert transport.written[:3] == greeting
        assert transport.closed == (not greeting)
        assert len(setting.sessions) == 1  # until the connection is gone, whatever became of it
        waiting = asyncio.create_task(setting.sessions.wait_until_none())
        transport.protocol.connection_lost(None)
        await waiting

    asyncio.run(scene())


def test_C9_nobodys_name_is_asked_for_where_it_is_decided() -> None:
    async def scene() -> None:
        dns: Any = Dns()
        setting = Setting(rules="a.example null", resolver=dns, most=9)
        await settle()
        setting.session.connection_lost(None)
        asked = dns.asked.total()
        visit(setting, Visitor("198.51.100.1", 4711, ServiceClass.NORMAL)).protocol.connection_lost(None)
        assert dns.asked.total() == asked

    asyncio.run(scene())


def test_L17_mail_is_from_the_visitor_and_not_from_who_carries_it() -> None:
    async def scene() -> None:
        setting = Setting(most=9)
        setting.session.connection_lost(None)
        transport = visit(setting, Visitor("198.51.100.1", 4711, ServiceClass.PRIVILEGED, None))
        assert isinstance(transport.protocol, Session)
        transport.protocol.data_received(MESSAGE)
        await setting.settle()
        (message,) = setting.store.messages.values()
        client = message.client
        assert (client.address, client.port, client.service) == ("198.51.100.1", 4711, "privileged")
        transport.protocol.connection_lost(None)

    asyncio.run(scene())


def test_L17_a_user_of_this_host_is_counted_as_such() -> None:
    async def scene() -> None:
        setting = Setting(most=9)
        setting.session.connection_lost(None)
        transport = visit(setting, Visitor("", 0, ServiceClass.PRIVILEGED, 1000))
        transport.protocol.data_received(MESSAGE)
        await setting.settle()
        (message,) = setting.store.messages.values()
        assert message.client.account == "uid 1000"
        transport.protocol.connection_lost(None)

    asyncio.run(scene())
