"""The hosts to try for a route."""

import asyncio

import pytest

from paperpath.config.endpoint import Endpoint, parse_endpoint
from paperpath.config.tables import RemoteTable
from paperpath.config.via import NextHost, NextSocket
from paperpath.dns.resolver import Resolver
from paperpath.mail.reply import Reply
from paperpath.remote import hops
from paperpath.remote.contact import Hop, SocketHop
from paperpath.remote.route import Route, Security
from paperpath.testing.nameserver import Nameserver


def test_G8_the_addresses_of_this_host_are_not_read_for_each_connection(monkeypatch: pytest.MonkeyPatch):
    read: list[int] = []

    def read_own_addresses() -> frozenset[str]:
        read.append(1)
        return frozenset()

    async def find_often() -> None:
        finder = hops.HopFinder("mail.example.org", RemoteTable(), Resolver(lambda: ()))
        for _ in range(3):
            await finder.find(Route("", (NextHost("127.0.0.1", 25, is_encrypted=False),), Security("never")))

    monkeypatch.setattr(hops, "read_own_addresses", read_own_addresses)
    asyncio.run(find_often())
    assert len(read) == 1
    monkeypatch.setattr(hops, "OWN_ADDRESSES_S", 0.0)
    asyncio.run(find_often())
    assert len(read) == 1 + 4


def test_F14_sockets_and_hosts_of_LMTP_keep_their_order_and_nobody_is_asked_for_a_socket():
    def refuse() -> tuple[()]:
        raise AssertionError("the DNS was asked")

    finder = hops.HopFinder("mail.example.org", RemoteTable(), Resolver(refuse))
    hosts = (NextSocket("/run/a"), NextHost("127.0.0.1", 24, False, is_lmtp=True), NextSocket("/run/b"))
    found = asyncio.run(finder.find(Route("", hosts, Security("never"))))
    assert found == [
        SocketHop("/run/a"),
        Hop("127.0.0.1", "127.0.0.1", 24, is_lmtp=True),
        SocketHop("/run/b"),
    ]


def test_G39_a_policy_host_may_have_our_address_but_none_that_means_every_host_itself(monkeypatch):
    script = """
ours.example A 192.0.2.7
inner.example A 127.0.0.1
inner.example A 0.0.0.0
inner.example AAAA ::1
inner.example AAAA ::ffff:127.0.0.1
many.example A 192.0.2.1
many.example A 192.0.2.2
many.example A 192.0.2.3
many.example A 192.0.2.4
many.example A 192.0.2.5
many.example A 127.0.0.1
away.example !servfail
"""
    monkeypatch.setattr(hops, "read_own_addresses", lambda: frozenset({"192.0.2.7"}))

    async def find(endpoint: Endpoint) -> None:
        resolver = Resolver(lambda: (endpoint,), 1.0)
        finder = hops.HopFinder("mail.example.org", RemoteTable(), resolver)
        assert await finder.find_addresses("ours.example") == ["192.0.2.7"]
        many = await finder.find_addresses("many.example")
        assert not isinstance(many, Reply)
        assert len(many) == 4
        assert "127.0.0.1" not in many
        for name, code in (("inner.example", 550), ("away.example", 451), ("none.example", 550)):
            found = await finder.find_addresses(name)
            assert isinstance(found, Reply)
            assert found.code == code
        lenient = hops.HopFinder("mail.example.org", RemoteTable(loopback=True), resolver)
        inner = await lenient.find_addresses("inner.example")
        assert not isinstance(inner, Reply)
        assert "127.0.0.1" in inner
        await resolver.close()

    with Nameserver(script) as nameserver:
        asyncio.run(find(parse_endpoint(nameserver.endpoint)))
