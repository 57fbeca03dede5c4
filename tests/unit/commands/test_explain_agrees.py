"""What `paperpath explain connect` says and what a session does are the same (P9): a property."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.commands import explain_client
from paperpath.config.intake_tables import RelayTable
from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import parse_client
from paperpath.intake.list_means import ListMeans
from paperpath.mail.address import Mailbox
from tests.support.lists import Dns, Site, Skipping
from tests.unit.config.example import RIGHT, configure
from tests.unit.intake.test_session import Setting

CLIENT = "192.0.2.1"
PTR = "1.2.0.192.in-addr.arpa"
SERVICES = st.sampled_from(["deny", "null", "normal", "privileged"])
NETWORKS = st.sampled_from(["192.0.2.1", "192.0.2.0/25", "192.0.2.0/24", "192.0.2.2", "0.0.0.0/0", "::/0"])
NAMES = ("mail.here.example", ".here.example", ".example", "else.example")
RULES = st.dictionaries(NETWORKS | st.sampled_from(NAMES), SERVICES, max_size=4)
ZONES = ["black:one.example", "white:two.example", "black:three.example"]
CONFIGURATION = configure(f'data = "{Path()}"\n{RIGHT}')
TALK = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<u@here.example>\r\nRCPT TO:<postmaster>\r\n"


def hear(view: explain_client.ClientView) -> list[bytes]:
    """Return the codes that a client would hear, by what was explained."""
    if view.greeting is None:
        return []
    if view.greeting.code == 554:
        return [b"554"] + [b"503"] * 4
    user, postmaster = Mailbox("u", "here.example"), Mailbox("postmaster", "")
    replies = [view.ruling.judge(recipient) for recipient in (user, postmaster)]
    return [b"220", b"250", b"250"] + [b"250" if reply is None else b"550" for reply in replies]


@settings(max_examples=100, deadline=None)
@given(
    RULES,
    st.lists(st.sampled_from(ZONES), unique=True),
    st.sets(st.sampled_from(["one.example", "two.example", "three.example"])),
    st.lists(st.sampled_from(["mail.here.example", "a.else.example", "else.example"]), unique=True),
)
def test_P9_what_is_explained_is_what_a_session_does(
    rules: dict[str, str], lists: list[str], listing: set[str], names: list[str]
) -> None:
    async def play() -> None:
        dns = Dns(*(zone.partition(":")[2] for zone in ZONES))
        for zone in listing:
            dns.list(zone, CLIENT)
        dns.answers[PTR, "PTR"] = Answer(Status.FOUND, tuple(names))
        for name in names:
            dns.put(name, CLIENT)
        desk = Site(dns, *lists).desk if lists else None
        text = "\n".join(f"{clients} {service}" for clients, service in rules.items())
        resolver: Any = dns
        setting = Setting(rules=text, resolver=resolver, lists=desk)
        for _ in range(100):
            await asyncio.sleep(0)
        if not setting.transport.closed:
            setting.session.data_received(TALK)
        for _ in range(100):
            await asyncio.sleep(0)
        setting.session.connection_lost(None)

        @asynccontextmanager
        async def open_means(*_: object) -> AsyncIterator[ListMeans]:
            yield Site(dns, ZONES[0]).means

        entries = [
            {"hosts" if clients in NAMES else "clients": [clients], "service": service}
            for clients, service in rules.items()
        ]
        table = RelayTable.model_validate(
            {"listen": ["127.0.0.1:25"], "access": entries, "lists": lists, "open_relay": True}
        )
        client = parse_client(CLIENT)
        assert client is not None
        with patch.object(explain_client, "open_list_means", open_means):
            view = await explain_client.view_client(
                CONFIGURATION, "relay", table, client, setting.service.log
            )
        assert setting.codes() == hear(view)

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())
