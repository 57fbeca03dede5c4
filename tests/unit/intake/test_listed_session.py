"""A session whose client is looked up in lists (C-11, C-12, C-24; X-10, P9)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from paperpath.dns.answer import Answer, Status
from paperpath.journal.events import BrokenOff, Event, Listed, Refused
from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from tests.support.lists import Dns, Site, entry, settle
from tests.unit.intake.test_session import Setting

CLIENT = "192.0.2.1"  # of the transport there
BLACK, WHITE = "black:bad.example", "white:good.example"
SENDER = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n"


def run(scene: Callable[[Setting, Dns], Awaitable[None]], *lists: str) -> None:
    """Play a scene with a session that was just greeted; whatever it leaves behind ends with the loop."""

    async def play() -> None:
        dns = Dns("bad.example", "good.example")
        dns.list("bad.example", CLIENT, b"See http://bad.example")
        site = Site(dns, *(lists or (BLACK,)))
        await settle()
        await scene(Setting(lists=site.desk), dns)

    asyncio.run(play())


def name(*locals_: bytes) -> bytes:
    return b"".join(b"RCPT TO:<" + local + b"@here.example>\r\n" for local in locals_)


def events(setting: Setting, kind: type[Event]) -> list[Event]:
    return [event for event in setting.told if isinstance(event, kind)]


def test_C24_nothing_before_the_first_recipient_waits_for_a_list():
    async def scene(setting: Setting, dns: Dns) -> None:
        dns.silent = {"bad.example"}
        setting.session.data_received(SENDER + name(b"u") + b"NOOP\r\n")
        await settle()
        assert setting.codes() == [b"220", b"250", b"250"]
        assert dns.asked[entry("bad.example", CLIENT), "A"] == 1
        dns.speak()
        await settle()
        assert setting.codes() == [b"220", b"250", b"250", b"550", b"250"]

    run(scene)


def test_C24_a_lookup_begins_with_the_connection():
    async def scene(setting: Setting, dns: Dns) -> None:
        await settle()
        assert dns.asked[entry("bad.example", CLIENT), "A"] == 1
        setting.session.data_received(SENDER + name(b"u"))
        assert setting.codes() == [b"220", b"250", b"250", b"550"]

    run(scene)


def test_C11_X10_a_blacklisted_client_may_write_to_postmaster_alone():
    async def scene(setting: Setting, dns: Dns) -> None:
        await settle()
        setting.session.data_received(SENDER + name(b"u", b"postmaster", b'"POSTmaster"', b"joe"))
        assert setting.codes()[3:] == [b"550", b"250", b"250", b"550"]
        assert (
            b"550 5.7.1 Mail from 192.0.2.1 is refused: See http://bad.example\r\n"
            in setting.transport.written
        )

    run(scene)


def test_C11_X10_the_way_in_must_agree():
    async def scene(setting: Setting, dns: Dns) -> None:
        setting.refused = "postmaster"
        await settle()
        setting.session.data_received(SENDER + name(b"postmaster"))
        assert b"550 5.1.1" in setting.transport.written

    run(scene)


@pytest.mark.parametrize("failure", [False, True])
def test_C12_whitelisted_is_as_if_there_were_no_lists(failure):
    async def scene(setting: Setting, dns: Dns) -> None:
        if failure:
            dns.answers[entry("good.example", CLIENT), "A"] = Answer(Status.TIMED_OUT, detail="silent")
        else:
            dns.list("good.example", CLIENT)
        setting.refused = "no"
        await settle()
        setting.session.data_received(SENDER + name(b"u", b"no"))
        assert setting.codes()[3:] == [b"250", b"550"]
        (told,) = events(setting, Listed)
        assert isinstance(told, Listed)
        assert told.client_list == WHITE
        assert told.found == ("failed: silent" if failure else "listed: 127.0.0.2")

    run(scene, WHITE, BLACK)


def test_P9_which_list_decided_is_told_once(capfd):
    async def scene(setting: Setting, dns: Dns) -> None:
        await settle()
        setting.session.data_received(SENDER + name(b"u", b"joe"))
        assert [type(event) for event in setting.told] == [Listed, Refused, Refused]
        (listed,) = events(setting, Listed)
        assert (getattr(listed, "client", ""), getattr(listed, "client_list", "")) == (CLIENT, BLACK)

    run(scene)
    assert "blacklisted session=" in capfd.readouterr().err


def test_P9_nothing_is_told_of_a_client_on_no_list(capfd):
    async def scene(setting: Setting, dns: Dns) -> None:
        await settle()
        setting.session.data_received(SENDER + name(b"u"))
        assert setting.codes()[3:] == [b"250"]
        assert setting.told == []

    run(scene, WHITE)


def test_who_names_nobody_is_told_of_in_no_journal():
    async def scene(setting: Setting, dns: Dns) -> None:
        await settle()
        setting.session.data_received(b"EHLO c\r\nQUIT\r\n")
        assert setting.told == []

    run(scene)


def test_C24_a_client_that_leaves_ends_its_lookup():
    async def scene(setting: Setting, dns: Dns) -> None:
        dns.silent = {"good.example"}
        setting.session.data_received(SENDER + name(b"u"))
        await settle()
        setting.session.connection_lost(None)
        dns.speak()
        await settle()
        assert setting.codes() == [b"220", b"250", b"250"]
        assert len(setting.sessions) == 0
        assert dns.asked[entry("bad.example", CLIENT), "A"] == 0
        assert [type(event) for event in setting.told] == [BrokenOff]

    run(scene, WHITE, BLACK)


@pytest.mark.parametrize(("ending", "reply"), [("end", replies.R421_SHUTTING_DOWN), ("idle", None)])
def test_C24_while_a_client_waits_it_is_not_idle_and_may_be_sent_away(ending: str, reply: Reply | None):
    async def scene(setting: Setting, dns: Dns) -> None:
        dns.silent = {"bad.example"}
        setting.session.data_received(SENDER + name(b"u"))
        await settle()
        if ending == "end":
            setting.session.end()
        else:
            setting.session.check_time(asyncio.get_running_loop().time() + 1000)
        dns.speak()
        await settle()
        last = replies.R421_SHUTTING_DOWN.octets if reply else b"550"
        assert last in setting.transport.written
        assert setting.transport.closed is (reply is not None)

    run(scene)


def test_C24_a_client_that_half_closes_gets_its_reply():
    async def scene(setting: Setting, dns: Dns) -> None:
        dns.silent = {"bad.example"}
        setting.session.data_received(SENDER + name(b"u"))
        assert setting.session.eof_received() is True
        dns.speak()
        await settle()
        assert setting.codes()[-1] == b"550"
        assert setting.transport.closed

    run(scene)


def test_P6_reading_stops_while_a_client_waits():
    async def scene(setting: Setting, dns: Dns) -> None:
        dns.silent = {"bad.example"}
        setting.session.data_received(SENDER + name(b"u") + b"NOOP\r\n" * 20_000)
        assert not setting.transport.is_reading()
        dns.speak()
        await settle()
        assert setting.transport.is_reading()
        assert len(setting.codes()) == 4 + 20_000

    run(scene)
