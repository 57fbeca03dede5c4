"""Who is let in, and as what: deny and null, null listeners, names of hosts (A-101, A-102, L-16)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from paperpath.dns.answer import Answer, Status
from paperpath.dns.records import RecordType
from paperpath.intake.client_names import ClientNames
from paperpath.intake.guest import Door
from paperpath.intake.null_session import NullSession
from paperpath.intake.session import Session
from paperpath.journal.events import Refused, TurnedAway
from paperpath.journal.telling import describe_event
from paperpath.service.log import open_log
from tests.support.lane import until
from tests.support.lists import Dns, Site, Skipping, settle
from tests.unit.intake.test_session import MESSAGE, Setting

PTR = "1.2.0.192.in-addr.arpa"  # of the transport there
NAMED = ".dyn.example.net deny\nmail.example.net null"


def run(scene: Callable[[Setting], Awaitable[None]], **options: Any) -> None:
    async def play() -> None:
        setting = Setting(most=9, **options)
        await scene(setting)
        setting.session.connection_lost(None)
        assert not len(setting.sessions)

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(play())


def dns(*names: str, **addresses: str) -> Dns:
    made = Dns()
    made.answers[PTR, "PTR"] = Answer(Status.FOUND, names)
    for name in names:
        made.put(name, addresses.get(name.split(".")[0], "192.0.2.1"))
    return made


def test_A101_A102_a_null_client_hears_554_and_503_until_it_quits() -> None:
    async def scene(setting: Setting) -> None:
        assert setting.transport.written == b"554 mx.here.example gives you no mail service; say QUIT\r\n"
        setting.session.data_received(MESSAGE)
        setting.session.data_received(b"NO")
        setting.session.data_received(b"OP\r\n")
        assert setting.codes() == [b"554"] + [b"503"] * 7
        is_open = not setting.transport.closed
        assert is_open
        setting.session.data_received(b"quit\r\nNOOP\r\n")
        assert setting.codes()[-1] == b"221"
        assert setting.transport.closed
        assert setting.store.messages == {}
        [hello, mail, rcpt, *_] = [event for event in setting.told if isinstance(event, Refused)]
        assert (hello.verb, mail.argument, rcpt.reply) == (
            "EHLO",
            "FROM:<a@b.example>",
            "503 5.5.1 There is no service for you here; say QUIT",
        )
        assert setting.metrics.replies.counts[503, "5.5.1"] == 7
        assert setting.metrics.octets_in == len(MESSAGE) + len("NOOP\r\nquit\r\nNOOP\r\n")

    run(scene, rules="192.0.2.0/24 null")


def test_A102_a_null_client_may_be_silent_for_as_long_as_others() -> None:
    async def scene(setting: Setting) -> None:
        now_s = asyncio.get_running_loop().time()
        setting.session.check_time(now_s + 59)
        assert setting.codes() == [b"554"]
        setting.session.check_time(now_s + 60)
        assert setting.codes() == [b"554", b"421"]
        assert setting.transport.closed
        setting.session.check_time(now_s + 29)
        assert not setting.transport.aborted
        setting.session.check_time(now_s + 30)
        assert setting.transport.aborted

    run(scene, rules="192.0.2.0/24 null", idle_timeout_s=60)


def test_A102_no_list_is_asked_about_a_null_client() -> None:
    async def play() -> None:
        asked = Dns("bad.example")
        site = Site(asked, "black:bad.example")
        await settle()
        before = asked.asked.total()
        for rules in ("192.0.2.1 null", "192.0.2.1 deny"):
            setting = Setting(lists=site.desk, rules=rules)
            await settle()
            setting.session.connection_lost(None)
        assert asked.asked.total() == before
        setting = Setting(lists=site.desk)
        await settle()
        setting.session.connection_lost(None)
        assert asked.asked.total() == before + 1

    asyncio.run(play())


def test_a_shutdown_ends_a_null_client_as_any_other() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.end()
        assert setting.codes() == [b"554", b"421"]
        assert setting.transport.closed

    run(scene, rules="192.0.2.1 0")


def test_A101_on_a_null_listener_nobody_gets_service() -> None:
    async def scene(setting: Setting) -> None:
        assert isinstance(setting.session, Session)
        privileged = setting.connect(Door.NULL)
        assert privileged.written.startswith(b"554 ")
        assert isinstance(privileged.protocol, NullSession)
        privileged.protocol.connection_lost(None)

    run(scene, rules="192.0.2.1 privileged")


def test_A102_on_a_null_listener_no_name_is_asked_for() -> None:
    async def scene(setting: Setting) -> None:
        await settle()
        assert asked.asked[PTR, "PTR"] == 1
        transport = setting.connect(Door.NULL)
        await settle()
        assert transport.written.startswith(b"554 ")
        transport.protocol.connection_lost(None)
        assert asked.asked[PTR, "PTR"] == 1

    run(scene, rules=NAMED, resolver=(asked := dns("mail.example.org")))


def test_L16_who_is_denied_hears_nothing_and_is_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(setting: Setting) -> None:
        for door in (Door.CLEAR, Door.TLS, Door.NULL):
            transport = setting.connect(door)
            assert (transport.written, transport.closed) == (b"", True)
            transport.protocol.connection_lost(None)
        metrics = setting.metrics
        assert (metrics.denied_connections, metrics.connections, metrics.open_connections) == (4, 0, 0)
        assert metrics.replies.counts == {}
        assert setting.told == [TurnedAway("192.0.2.1", "", "", 1)]
        assert (
            describe_event(setting.told[0])
            == "turned away 192.0.2.1: denied by the access rules, without a word"
        )

    run(scene, rules="192.0.2.0/25 deny\n192.0.2.0/24 privileged")
    assert capfd.readouterr().err.count("turned away client=192.0.2.1") == 1


@pytest.mark.parametrize(
    ("names", "addresses", "begins"),
    [
        (["mail.example.net"], {}, b"554"),
        (["a.dyn.example.net"], {}, b""),
        (["mail.example.net"], {"mail": "192.0.2.2"}, b"220"),
        (["x.example.org", "mail.example.net"], {"mail": "198.51.100.1"}, b"220"),
        (["x.example.org", "mail.example.net"], {}, b"554"),
        ([], {}, b"220"),
    ],
)
def test_L16_a_name_counts_only_if_it_leads_back(
    names: list[str], addresses: dict[str, str], begins: bytes
) -> None:
    async def scene(setting: Setting) -> None:
        assert setting.transport.written == b""
        setting.session.data_received(b"QUIT\r\n")
        await settle()
        assert setting.transport.written[:3] == begins

    run(scene, rules=NAMED, resolver=dns(*names, **addresses))


def test_L16_IPv6_is_asked_for_by_AAAA() -> None:
    async def play() -> None:
        made = Dns()
        made.answers["1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa", "PTR"] = Answer(
            Status.FOUND, ("a.example",)
        )
        made.answers["a.example", "AAAA"] = Answer(Status.FOUND, ("2001:db8::1",))
        setting = Setting()
        names = ClientNames(setting.access, made)
        assert list(await names.find("2001:DB8::1", open_log("test"))) == ["a.example"]
        assert list(await names.find("2001:db8::2", open_log("test"))) == []
        setting.session.connection_lost(None)

    asyncio.run(play())


def test_L16_a_dot_inside_a_label_makes_nobody_one_of_the_hosts_below_a_name() -> None:
    async def scene(setting: Setting) -> None:
        await settle()
        assert setting.codes() == [b"220"]

    run(scene, rules=".trusted.example null", resolver=dns(r"a\.trusted.example", a="192.0.2.1"))


def test_A27_the_zone_of_an_address_is_nothing_to_anybody_else() -> None:
    async def scene(setting: Setting) -> None:
        transport = setting.connect(client="fe80::1%eth0")
        transport.protocol.data_received(MESSAGE)
        await settle()
        (message,) = setting.store.messages.values()
        assert message.client.address == "fe80::1"
        transport.protocol.connection_lost(None)

    run(scene)


def test_L16_no_more_than_ten_names_are_looked_at() -> None:
    async def scene(setting: Setting) -> None:
        await settle()
        assert setting.codes() == [b"220"]

    asked = dns(*(f"n{number}.example" for number in range(50)), "mail.example.net")
    run(scene, rules=NAMED, resolver=asked)
    assert sum(count for (_, kind), count in asked.asked.items() if kind == "A") == 10


@pytest.mark.parametrize("failure", ["silence", "SERVFAIL"])
def test_L16_without_an_answer_no_rule_for_hosts_holds_and_the_client_waits_no_longer_than_the_budget(
    failure: str, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = dns("mail.example.net")
    if failure == "silence":
        asked.silent = {"mail.example.net"}
    else:
        asked.answers["mail.example.net", "A"] = Answer(Status.FAILED, detail="SERVFAIL")

    async def scene(setting: Setting) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await until(lambda: bool(setting.transport.written))
        assert loop.time() - began_s < 5.5
        assert setting.codes() == [b"220"]

    run(scene, rules=NAMED, resolver=asked)
    assert "warning the names of a client are not known client=192.0.2.1 reason=" in capfd.readouterr().err


def test_L16_who_leaves_while_names_are_asked_for_leaves_nothing_behind() -> None:
    async def scene(setting: Setting) -> None:
        await asyncio.sleep(0)
        setting.session.connection_lost(None)
        await settle()
        assert len(asyncio.all_tasks()) == 1
        assert setting.transport.written == b""
        setting.transport = setting.connect()
        setting.session.end()
        assert setting.codes() == [b"421"]

    asked = dns("mail.example.net")
    asked.silent = {"mail.example.net"}
    run(scene, rules=NAMED, resolver=asked)


def test_L16_nobody_is_asked_about_a_client_whose_address_has_a_rule() -> None:
    async def scene(setting: Setting) -> None:
        assert setting.codes() == [b"554"]

    asked = dns("mail.example.net")
    run(scene, rules=f"{NAMED}\n192.0.2.1 null", resolver=asked)
    assert asked.asked.total() == 0


def test_L16_a_defect_of_ours_lets_the_client_in_as_if_it_had_no_name(
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Broken(Dns):
        async def resolve(self, name: str, kind: RecordType[Any]) -> Answer[Any]:
            raise RuntimeError(name)

    async def scene(setting: Setting) -> None:
        await settle()
        assert setting.codes() == [b"220"]

    run(scene, rules=NAMED, resolver=Broken())
    assert (
        "error defect client=192.0.2.1 what='the names of a client were not asked for'"
        in capfd.readouterr().err
    )
