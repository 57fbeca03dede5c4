"""What comes before the greeting: whom a proxy speaks for, who talks first, who leaves meanwhile."""

import asyncio
import ipaddress
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paperpath.intake.guest import Door
from paperpath.intake.service import HEADER_S
from paperpath.journal.events import Accepted
from paperpath.service.tls.contexts import ServerTls
from tests.support.lists import Dns
from tests.support.proxy import write_block, write_line, write_local
from tests.support.tls import TlsClient
from tests.unit.config.example import RIGHT, configure
from tests.unit.intake.test_session import MESSAGE, Setting, Transport

PROXY, STRANGER, CLIENT = "198.51.100.7", "198.51.100.8", "192.0.2.9"
PROXIES = (ipaddress.ip_network("2001:db8::7"), ipaddress.ip_network(PROXY))


class OpeningSetting(Setting):
    """Nobody is connected yet."""

    def __init__(self, greeting_wait_s: float = 0.0, most: int = 9, **options: Any) -> None:
        super().__init__(most=most, **options)
        self.leave(self.transport)
        self.service = replace(self.service, proxies=PROXIES, greeting_wait_s=greeting_wait_s)

    def come(self, octets: bytes = b"", client: str = PROXY, door: Door = Door.PROXY) -> Transport:
        """Have somebody connect, who says something."""
        self.transport = transport = self.connect(door, client)
        if octets:
            transport.protocol.data_received(octets)
        return transport

    def leave(self, transport: Transport) -> None:
        transport.protocol.connection_lost(None)


def run(scene: Callable[[OpeningSetting], Awaitable[None]], **options: Any) -> None:
    async def play() -> None:
        setting = OpeningSetting(**options)
        await scene(setting)
        setting.leave(setting.transport)
        assert setting.metrics.open_connections == len(setting.sessions) == 0
        assert setting.service.connections.take_place() is None

    asyncio.run(play())


async def accept(setting: OpeningSetting) -> Accepted:
    """Have what was begun come to an end; return what was told of the message."""
    await setting.settle()
    assert setting.codes() == [b"220", b"250", b"250", b"250", b"354", b"250"]
    (told,) = setting.told
    assert isinstance(told, Accepted)
    return told


@pytest.mark.parametrize("client", [CLIENT, "2001:db8::9"])
@pytest.mark.parametrize("write", [write_line, write_block])
@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_A99_the_client_that_a_proxy_names_is_the_client(
    client: str, write: Callable[[str], bytes], cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(setting: OpeningSetting) -> None:
        said = write(client) + MESSAGE
        setting.come()
        for at in range(0, len(said), cut):
            assert setting.transport.reading
            setting.session.data_received(said[at : at + cut])
        assert (await accept(setting)).client == client
        (message,) = setting.store.messages.values()
        assert (message.client.address, message.client.port) == (client, 40000)
        assert setting.metrics.octets_in == len(MESSAGE)

    run(scene)
    assert f"client={client} proxy={PROXY}" in capsys.readouterr().err


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", write_local(b"more")])
def test_A99_a_proxy_that_names_nobody_is_the_client_itself(header: bytes) -> None:
    async def scene(setting: OpeningSetting) -> None:
        setting.come(header + MESSAGE)
        assert (await accept(setting)).client == PROXY

    run(scene)


@pytest.mark.parametrize(
    ("client", "said", "reason"),
    [
        (STRANGER, write_line(CLIENT), "this is no proxy of ours"),
        ("", write_line(CLIENT), "this is no proxy of ours"),
        (PROXY, b"EHLO c\r\n", "what came is no such header"),
        (PROXY, write_line(CLIENT)[:-2] + b" " * 107, "the line is too long"),
        (PROXY, write_block(CLIENT, more=bytes(5000))[:16], "the block is too long"),
    ],
)
def test_A99_who_is_no_proxy_or_names_nobody_rightly_hears_nothing(
    client: str, said: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(setting: OpeningSetting) -> None:
        transport = setting.come(said, client)
        assert transport.aborted
        transport.protocol.data_received(MESSAGE)
        assert transport.written == b""
        assert (setting.metrics.refused_headers, setting.metrics.connections) == (1, 1)

    run(scene)
    assert f"PROXY header refused client={client or repr('')} reason='{reason}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("late", "it takes too long"),
        ("cut", "the connection ended before it"),
        ("end", "the connection ended before it"),
    ],
)
@pytest.mark.parametrize("said", [b"", write_block(CLIENT)[:-1]])
def test_A99_P6_who_waits_with_the_header_hears_nothing(
    how: str, reason: str, said: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(setting: OpeningSetting) -> None:
        transport, now_s = setting.come(said), asyncio.get_running_loop().time()
        transport.protocol.check_time(now_s + HEADER_S - 1)
        assert not transport.closed
        if how == "late":
            transport.protocol.check_time(now_s + HEADER_S + 1)
            assert transport.aborted
        elif how == "end":
            transport.protocol.end()
            assert transport.closed
        setting.leave(transport)
        assert transport.written == b""
        assert setting.metrics.refused_headers == 1
        setting.come(write_block(CLIENT))

    run(scene)
    log = capsys.readouterr().err
    assert f"PROXY header refused client={PROXY} reason='{reason}'" in log
    assert log.count("PROXY header refused") == 1


def test_S2_a_flood_of_refused_headers_is_no_flood_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(setting: OpeningSetting) -> None:
        for _ in range(100):
            setting.leave(setting.come(client=STRANGER))
        setting.come(write_line(CLIENT))
        assert setting.metrics.refused_headers == 100

    run(scene)
    assert capsys.readouterr().err.count("PROXY header refused") == 1


def test_A99_a_header_is_none_at_any_other_door() -> None:
    async def scene(setting: OpeningSetting) -> None:
        setting.come(write_line(CLIENT) + MESSAGE, door=Door.CLEAR)
        await setting.settle()
        assert setting.codes()[:2] == [b"220", b"500"]
        assert {getattr(told, "client", "") for told in setting.told} == {PROXY}

    run(scene)


@pytest.mark.parametrize("cut", [False, True])
def test_A99_a_header_comes_before_tls(tmp_path: Path, cut: bool) -> None:
    async def scene(setting: OpeningSetting) -> None:
        client, header = TlsClient(), write_block(CLIENT)
        setting.come(header[:20] if cut else header + client.hello(), door=Door.PROXY_TLS)
        if cut:
            setting.session.data_received(header[20:] + client.hello())
        client.incoming.write(setting.transport.written)
        client.ssl_object.do_handshake()
        sent = len(setting.transport.written)
        setting.session.data_received(client.outgoing.read() + client.encrypt(MESSAGE))
        await setting.settle()
        said = client.decrypt(setting.transport.written[sent:])
        assert said.startswith(b"220 mx.here.example ")
        (told,) = setting.told
        assert isinstance(told, Accepted)
        assert (told.client, told.protocol) == (CLIENT, "ESMTPS")

    run(scene, tls=ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}')))


def test_A99_P6_a_proxy_takes_places_at_once_and_its_clients_take_theirs_behind_the_header() -> None:
    async def scene(setting: OpeningSetting) -> None:
        others = [setting.come(write_line(CLIENT)) for _ in range(2)]
        third = setting.come(write_line(CLIENT)[:9])
        third.protocol.data_received(write_line(CLIENT)[9:])
        assert setting.codes() == [b"421"]
        setting.leave(third)
        assert setting.metrics.refused_headers == 0
        others += [setting.come(), setting.come(write_line("192.0.2.10"))]
        assert setting.codes() == [b"220"]
        others.append(setting.come(client="192.0.2.11", door=Door.CLEAR))
        assert setting.transport.written.startswith(b"421 4.3.2 Too many connections; ")
        for transport in others:
            setting.leave(transport)
        setting.come(write_line(CLIENT))
        assert setting.codes() == [b"220"]

    run(scene, most=4)


def test_A99_L16_the_hosts_of_the_client_are_asked_for_and_it_has_as_long_as_others() -> None:
    dns = Dns()
    dns.silent = {"9.2.0.192.in-addr.arpa"}

    async def scene(setting: OpeningSetting) -> None:
        transport, now_s = setting.come(write_block(CLIENT)), asyncio.get_running_loop().time()
        await setting.settle()
        assert list(dns.asked) == [("9.2.0.192.in-addr.arpa", "PTR")]
        transport.protocol.check_time(now_s + HEADER_S + 1)
        assert not transport.closed
        assert transport.written == b""
        dns.speak()
        await transport.has_session.wait()
        assert setting.codes() == [b"220"]

    run(scene, rules=".dyn.example.net deny", resolver=dns)


def test_P6_what_is_said_while_names_are_asked_for_waits_with_the_kernel() -> None:
    dns = Dns()
    dns.silent = {"9.2.0.192.in-addr.arpa"}

    async def scene(setting: OpeningSetting) -> None:
        transport = setting.come(MESSAGE[:20], CLIENT, Door.CLEAR)
        assert transport.reading is False
        dns.speak()
        await transport.has_session.wait()
        assert bool(transport.reading)
        transport.protocol.data_received(MESSAGE[20:])
        await accept(setting)
        assert setting.metrics.early_talkers == 1

    run(scene, rules=".dyn.example.net deny", resolver=dns)


def test_L16_who_talks_in_the_moment_that_its_names_are_known_is_greeted_once() -> None:
    dns = Dns()
    dns.silent = {"9.2.0.192.in-addr.arpa"}

    async def scene(setting: OpeningSetting) -> None:
        await setting.settle()
        transport = setting.come(client=CLIENT, door=Door.CLEAR)
        (finding,) = asyncio.all_tasks() - {asyncio.current_task()}
        await setting.settle()
        dns.speak()
        while not finding.done():  # noqa: ASYNC110 - who waited for an event would come too late
            await asyncio.sleep(0)
        transport.protocol.data_received(b"NOOP\r\n")
        await setting.settle()
        assert setting.codes() == [b"220", b"250"]
        assert len(setting.sessions) == 1

    run(scene, rules=".dyn.example.net deny", resolver=dns)


def test_A59_who_talks_while_the_greeting_is_waited_for_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def scene(setting: OpeningSetting) -> None:
        transport = setting.come(client=CLIENT, door=Door.CLEAR)
        assert transport.written == b""
        transport.protocol.data_received(MESSAGE)
        assert transport.written == b"554 5.5.1 You did not wait for the greeting; closing\r\n"
        assert transport.closed
        transport.protocol.data_received(MESSAGE)
        await setting.settle()
        assert len(setting.codes()) == 1
        assert setting.metrics.replies.counts[554, "5.5.1"] == setting.metrics.early_talkers == 1

    run(scene, greeting_wait_s=60)
    assert "early talker" in capsys.readouterr().err


def test_A59_A99_behind_a_proxy_who_talks_first_is_refused_too() -> None:
    async def scene(setting: OpeningSetting) -> None:
        setting.come(write_line(CLIENT) + b"E")
        assert setting.codes() == [b"554"]

    run(scene, greeting_wait_s=60)


def test_A59_inside_tls_who_talks_first_is_refused_too(tmp_path: Path) -> None:
    async def scene(setting: OpeningSetting) -> None:
        client = TlsClient()
        setting.come(client.hello(), door=Door.TLS)
        client.incoming.write(setting.transport.written)
        client.ssl_object.do_handshake()
        sent = len(setting.transport.written)
        setting.session.data_received(client.outgoing.read())
        assert client.decrypt(setting.transport.written[sent:]) == b""
        sent = len(setting.transport.written)
        setting.session.data_received(client.encrypt(b"EHLO c\r\n"))
        assert client.decrypt(setting.transport.written[sent:]).startswith(b"554 5.5.1 ")

    run(scene, tls=ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}')), greeting_wait_s=60)


def test_A59_who_waits_is_greeted_and_served() -> None:
    async def scene(setting: OpeningSetting) -> None:
        transport = setting.come(client=CLIENT, door=Door.CLEAR)
        assert transport.written == b""
        await transport.has_session.wait()
        transport.protocol.data_received(MESSAGE)
        await accept(setting)
        assert setting.metrics.early_talkers == 0

    run(scene, greeting_wait_s=0.001)


def test_A59_whom_the_rules_trust_need_not_wait() -> None:
    async def scene(setting: OpeningSetting) -> None:
        setting.come(client=CLIENT, door=Door.CLEAR)
        setting.session.data_received(MESSAGE)
        await accept(setting)

    run(scene, greeting_wait_s=60, rules=f"{CLIENT} privileged")


@pytest.mark.parametrize("how", ["leaves", "is sent away", "is silent for long"])
def test_P6_who_waits_for_the_greeting_leaves_nothing_behind(how: str) -> None:
    async def scene(setting: OpeningSetting) -> None:
        loop = asyncio.get_running_loop()
        transport = setting.come(client=CLIENT, door=Door.CLEAR)
        assert (len(setting.sessions), setting.metrics.open_connections) == (1, 1)
        if how == "is sent away":
            transport.protocol.end()
            assert transport.written == b"421 4.3.2 Shutting down; come back soon\r\n"
            assert transport.closed
        elif how == "is silent for long":
            transport.protocol.check_time(loop.time() + 50)
            assert not transport.closed
        setting.leave(transport)
        assert (len(setting.sessions), setting.metrics.open_connections) == (0, 0)
        setting.come(client=CLIENT, door=Door.CLEAR)
        remembered = weakref.ref(transport.protocol)
        del transport.protocol
        assert remembered() is None

    run(scene, greeting_wait_s=60)
