"""The hosts to try for a route."""

import asyncio

import pytest

from paperpath.config.tables import RemoteTable
from paperpath.config.via import NextHost, NextSocket
from paperpath.dns.resolver import Resolver
from paperpath.remote import hops
from paperpath.remote.contact import Hop, SocketHop
from paperpath.remote.route import Route, Security


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
