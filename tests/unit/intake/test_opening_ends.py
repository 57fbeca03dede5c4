"""However a connection ends before or behind its greeting, it leaves nothing behind (P6): a property."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.config.limit_tables import LimitsTable
from paperpath.intake.guest import Door
from tests.support.lists import Dns, Site, Skipping
from tests.support.proxy import write_block, write_line, write_local
from tests.unit.intake.test_opening import CLIENT, PROXY, STRANGER, OpeningSetting

RULES = "\n".join(
    [
        "192.0.2.10 deny",
        "192.0.2.11 null",
        "192.0.2.12 privileged",
        ".dyn.example deny",
    ]
)
CLIENTS = [CLIENT, PROXY, STRANGER, "192.0.2.10", "192.0.2.11", "192.0.2.12", "2001:db8::9", ""]
SAID = [
    b"",
    b"EHLO c\r\n",
    b"QUIT\r\n",
    b"\x16\x03\x01",
    write_line(CLIENT),
    write_block("192.0.2.11"),
    write_block("192.0.2.12") + b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<u@here.example>\r\n",
    write_local(b""),
    write_block(CLIENT)[:9],
]
DOORS = [door for door in Door if door is not Door.LOCAL and not door.begins_with_tls]
STEPS = st.lists(
    st.one_of(
        st.sampled_from(SAID),
        st.sampled_from([0.5, 3.0, 7.0, 100.0]),
        st.sampled_from(["yield", "end", "eof"]),
    ),
    max_size=6,
)
VISITS = st.lists(st.tuples(st.sampled_from(DOORS), st.sampled_from(CLIENTS), STEPS), min_size=1, max_size=6)


async def live(setting: OpeningSetting, door: Door, client: str, steps: list[Any]) -> None:
    """Connect, say something, wait, and be gone in the end."""
    transport = setting.connect(door, client)
    for step in steps:
        if isinstance(step, bytes):
            if transport.reading and not transport.closed:
                transport.protocol.data_received(step)
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif step == "yield":
            await asyncio.sleep(0)
        elif step == "end":
            transport.protocol.end()
        elif not transport.closed:
            transport.protocol.eof_received()
    transport.protocol.connection_lost(None)


@settings(max_examples=60, deadline=None)
@given(VISITS, st.sampled_from([0.0, 2.0]), st.booleans())
def test_P6_however_connections_end_nothing_of_them_stays(
    visits: list[tuple[Door, str, list[Any]]], greeting_wait_s: float, is_silent: bool
) -> None:
    async def play() -> None:
        dns = Dns("bad.example")
        dns.silent = {"arpa", "bad.example"} if is_silent else set()
        setting = OpeningSetting(
            greeting_wait_s,
            most=3,
            rules=RULES,
            resolver=dns,
            lists=Site(dns, "black:bad.example").desk,
            limits=LimitsTable(connections_per_minute=5),
        )
        await asyncio.gather(*(live(setting, *visit) for visit in visits))
        connections, metrics = setting.service.connections, setting.metrics
        assert (connections.count, metrics.open_connections, len(setting.sessions)) == (0, 0, 0)
        assert connections._by_network == {}
        assert setting.means.tarpit.held == 0

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())
