"""DANE for SMTP: what the DNS says, what a host shows, and what becomes of the mail (G-36, G-37)."""

import hashlib
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import RemoteTable
from paperpath.dns.resolver import Resolver
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.remote.byhand import Errand, run_errand
from paperpath.remote.contact import Guide
from paperpath.remote.hops import HopFinder
from paperpath.remote.jobs import Answered
from paperpath.remote.outcomes import read_reply
from paperpath.remote.public_key import find_public_key
from paperpath.remote.route import Route, Security
from paperpath.remote.tls_policy import make_security_finder
from paperpath.testing.nameserver import Nameserver
from paperpath.testing.sink import Sink
from paperpath.testing.sink_options import SinkOptions, StartTls
from tests.support.lane import CONTENT, play, short_timeouts
from tests.support.tls import AUTHORITY

MX = "mx.x.example"
ISSUER = AUTHORITY.create_child_ca()
WRONG = f"3 1 1 {'00' * 32}"
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
HOST = "x.example MX 10 mx.x.example.\nmx.x.example A 127.0.0.1\n"
SECURE = HOST + "x.example !secure\nmx.x.example !secure\n"
SIGNED = SECURE + "{tlsa} !secure\n"


@dataclass
class Journey:
    """What became of a message: the answer, what was asked of the DNS, and what was said to hosts."""

    answer: Answered
    asked: list[tuple[str, str]]
    said: list[str]
    sinks: list[Sink]
    events: list[dict[str, Any]]

    @property
    def what(self) -> str:
        return self.answer.what

    @property
    def reply(self) -> str:
        return str(read_reply(self.answer))

    @property
    def tls(self) -> list[str]:
        """By which TLS each message came, in order; nothing for one in the clear."""
        return [taken.tls for sink in self.sinks for taken in sink.taken]

    def is_untold(self) -> bool:
        """Tell whether no host heard a word of the message."""
        words = {line.split(" ", 1)[0] for line in self.said}
        return not words & {"MAIL", "RCPT", "DATA"} and not any(
            sink.books.transactions for sink in self.sinks
        )


@dataclass
class Overheard:
    said: list[str] = field(default_factory=list)

    def see_command(self, verb: str) -> None:
        self.said.append(verb)

    def see_reply(self, reply: Reply) -> None:
        self.said.append(str(reply))


@dataclass(frozen=True)
class Shown:
    """The certificates that a host shows, and the files for that."""

    chain: tuple[bytes, ...]
    options: SinkOptions


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., Shown]:
    """Have a host show a certificate for some names, by an issuer of its own, which it shows as well."""

    def make(*names: str, end: datetime | None = None) -> Shown:
        issued = ISSUER.issue_cert(*names, not_after=end)
        blobs = [blob.bytes() for blob in issued.cert_chain_pems]
        chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
        chain.write_bytes(b"".join(blobs))
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)
        ders = tuple(ssl.PEM_cert_to_DER_cert(blob.decode()) for blob in blobs)
        return Shown(ders, SinkOptions(tls=True, certificate=chain, key=key))

    return make


def pin(certificate: bytes, usage: int = 3, selector: int = 1, matching: int = 1) -> str:
    """Write the TLSA record of a certificate."""
    selected = find_public_key(certificate) if selector else certificate
    data = (selected, hashlib.sha256(selected).digest(), hashlib.sha512(selected).digest())[matching]
    return f"{usage} {selector} {matching} {data.hex()}"


def tlsa(*records: str) -> str:
    return "".join(f"{{tlsa}} TLSA {record}\n" for record in records)


async def travel(
    script: str, *options: SinkOptions, domain: str = "x.example", route: Route | None = None, **table: Any
) -> Journey:
    """Carry a message to a domain whose hosts are sinks at one port of 127.0.0.1, 127.0.0.2 and so on.

    In the script `{tlsa}` is the name below which the records of mx.x.example stand, and `{port}` the port.
    """
    async with AsyncExitStack() as stack:
        sinks: list[Sink] = []
        events: list[dict[str, Any]] = []
        for number, one in enumerate(options, 1):
            here = Endpoint(f"127.0.0.{number}", sinks[0].port if sinks else 0)
            sinks.append(await stack.enter_async_context(Sink(replace(one, listen=(here,)), events.append)))
        port = sinks[0].port
        overheard = Overheard()
        server = stack.enter_context(Nameserver(script.format(tlsa=f"_{port}._tcp.{MX}", port=port)))
        resolver = Resolver(lambda: (Endpoint(server.address, server.port),), 0.3)
        remote = RemoteTable(loopback=True, port=port, timeouts=short_timeouts(), **table)
        errand = Errand(
            route or Route(domain, (), Security("opportunistic")),
            remote,
            "client.example",
            Mailbox("a", "b.example"),
            [Mailbox("joe", "x.example")],
            CONTENT,
        )
        finder = HopFinder("client.example", remote, resolver)
        guide = Guide(finder.find, make_security_finder(remote, resolver).find, lambda _: None)
        (answer,) = await run_errand(errand, guide, overheard)
        await resolver.close()
        asked = [(query.name, query.kind) for query in server.queries]
    return Journey(answer, asked, overheard.said, sinks, events)


def carry(script: str, *options: SinkOptions, **more: Any) -> Journey:
    return play(lambda: travel(script, *options, **more))


# What the DNS says: six settings, and more


def test_G36_secure_and_usable_records_are_met_inside_TLS(show):
    shown = show(MX)
    journey = carry(SIGNED + tlsa(WRONG, pin(shown.chain[0])), shown.options)
    assert (journey.what, [tls[:5] for tls in journey.tls]) == ("delivered", ["TLSv1"])


def test_G36_without_a_match_the_host_hears_nothing_of_the_message(show):
    journey = carry(SIGNED + tlsa(WRONG), show(MX).options)
    assert (journey.what, journey.answer.status, journey.is_untold()) == ("deferred", "4.7.5", True)
    assert f"no TLSA record of {MX}" in journey.reply
    assert journey.said.count("EHLO client.example") == 1  # in the clear; inside TLS nothing was said
    assert journey.sinks[0].books.connections == 1


@pytest.mark.parametrize(
    "options",
    [SinkOptions(), *(SinkOptions(tls=True, starttls=way) for way in StartTls if way is not StartTls.HONEST)],
)
@pytest.mark.parametrize("record", [WRONG, f"1 1 1 {'00' * 32}"])
def test_G36_S12_without_TLS_a_host_with_records_hears_nothing_of_the_message(options, record):
    journey = carry(SIGNED + tlsa(record), options)
    assert (journey.what, journey.is_untold()) == ("deferred", True)
    assert f"the TLSA records of {MX} ask for TLS" in journey.reply
    assert journey.sinks[0].books.connections == 1


@pytest.mark.parametrize(
    "record", ["0 0 1 " + "00" * 32, "1 1 1 " + "00" * 32, "3 9 1 " + "00" * 32, "3 1 9 00"]
)
def test_G36_where_no_record_is_usable_TLS_is_enough(record):
    journey = carry(SIGNED + tlsa(record), SinkOptions(tls=True))
    assert (journey.what, [tls[:5] for tls in journey.tls]) == ("delivered", ["TLSv1"])


@pytest.mark.parametrize("options", [SinkOptions(), SinkOptions(tls=True, starttls=StartTls.CUT)])
@pytest.mark.parametrize(
    "script",
    [
        SECURE + tlsa(WRONG),  # insecure
        SIGNED,  # denied: no such name
        SIGNED + "{tlsa} TXT x\n",  # denied: no such record
        SECURE,
    ],
)
def test_G36_insecure_records_or_none_leave_TLS_to_chance(options, script):
    journey = carry(script, options)
    assert (journey.what, journey.tls) == ("delivered", [""])
    assert journey.asked[-1] == (f"_{journey.sinks[0].port}._tcp.{MX}", "TLSA")


@pytest.mark.parametrize("trouble", ["servfail", "refused", "timeout", "garbage"])
def test_G36_M18_records_that_cannot_be_learnt_are_no_reason_to_do_without(trouble):
    journey = carry(SECURE + f"{{tlsa}} !{trouble}\n", SinkOptions(tls=True))
    assert (journey.what, journey.answer.status) == ("deferred", "4.4.3")
    assert f"TLSA of _{journey.sinks[0].port}._tcp.{MX}" in journey.reply
    assert journey.sinks[0].books.connections == 0


@pytest.mark.parametrize(
    "script",
    [
        HOST,
        HOST + "x.example !secure\n",
        HOST + "mx.x.example !secure\n{tlsa} !secure\n",
    ],
)
def test_G36_unless_exchangers_and_addresses_are_secure_nothing_more_is_asked(script):
    journey = carry(script + tlsa(WRONG), SinkOptions())
    assert (journey.what, journey.tls) == ("delivered", [""])
    assert {kind for _, kind in journey.asked} == {"MX", "A", "AAAA"}


@pytest.mark.parametrize(("is_secure", "what"), [(True, "deferred"), (False, "delivered")])
def test_G36_without_exchangers_the_address_of_the_domain_decides(is_secure, what):
    vouched = f"{MX} A !secure\n{{tlsa}} !secure\n" if is_secure else "{tlsa} !secure\n"
    journey = carry(f"{MX} A 127.0.0.1\n" + vouched + tlsa(WRONG), SinkOptions(), domain=MX)
    assert journey.what == what
    assert ((f"_{journey.sinks[0].port}._tcp.{MX}", "TLSA") in journey.asked) is is_secure


def test_G36_the_next_host_is_taken_where_the_first_is_not_who_it_should_be(show):
    script = SIGNED + tlsa(WRONG) + "x.example MX 20 mx2.x.example.\nmx2.x.example A 127.0.0.2\n"
    journey = carry(script, show(MX).options, SinkOptions())
    assert (journey.what, journey.answer.host) == ("delivered", "mx2.x.example")
    assert journey.sinks[0].books.transactions == 0


def test_G36_the_next_host_is_taken_where_nothing_is_known_of_the_first():
    script = SECURE + "{tlsa} !servfail\nx.example MX 20 mx2.x.example.\nmx2.x.example A 127.0.0.2\n"
    journey = carry(script, SinkOptions(), SinkOptions())
    assert (journey.what, journey.answer.host) == ("delivered", "mx2.x.example")
    assert journey.sinks[0].books.connections == 0


# Aliases (RFC 7672 section 2.2.2)

ALIAS = "x.example MX 10 alias.x.example.\nx.example !secure\nalias.x.example CNAME mx.x.example.\n"
ALIAS += "mx.x.example A 127.0.0.1\n"


def test_G36_of_a_secure_alias_the_end_comes_first(show):
    shown = show("mx.x.example")
    script = ALIAS + "alias.x.example !secure\n{tlsa} !secure\n" + tlsa(pin(shown.chain[1], 2))
    journey = carry(script, shown.options)
    assert journey.what == "delivered"
    assert [name for name, kind in journey.asked if kind == "TLSA"] == [f"_{journey.sinks[0].port}._tcp.{MX}"]


@pytest.mark.parametrize("is_secure", [True, False])
def test_G36_where_the_end_of_an_alias_has_no_secure_records_those_of_the_alias_count(is_secure):
    vouched = "alias.x.example !secure\n" if is_secure else "alias.x.example CNAME !secure\n"
    own = "_{port}._tcp.alias.x.example"
    script = ALIAS + vouched + f"{own} !secure\n{own} TLSA {WRONG}\n"
    journey = carry(script, SinkOptions(tls=True))
    assert (journey.what, journey.is_untold()) == ("deferred", True)
    assert "no TLSA record of alias.x.example" in journey.reply


def test_G36_an_alias_that_nobody_vouches_for_has_no_records():
    journey = carry(ALIAS + "_{port}._tcp.alias.x.example !servfail\n{tlsa} !servfail\n", SinkOptions())
    assert journey.what == "delivered"
    assert journey.asked[-1] == ("alias.x.example", "CNAME")


def test_G36_an_alias_of_which_nothing_is_known_now_is_no_reason_to_do_without():
    journey = carry(ALIAS + "alias.x.example CNAME !servfail\n", SinkOptions())
    assert (journey.what, journey.answer.status) == ("deferred", "4.4.3")


def test_G36_records_may_stand_elsewhere(show):
    shown = show("other.example")
    elsewhere = f"{{tlsa}} CNAME tlsa.x.example.\ntlsa.x.example TLSA {pin(shown.chain[0])}\n"
    assert carry(SIGNED + elsewhere, shown.options).what == "delivered"


# What the host shows


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_G37_usage_3_asks_neither_for_names_nor_for_dates(show, selector, matching):
    shown = show("elsewhere.example", end=YESTERDAY)
    record = pin(shown.chain[0], 3, selector, matching)
    assert carry(SIGNED + tlsa(record), shown.options).what == "delivered"


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("name", [MX, "x.example", "*.x.example"])
def test_G37_usage_2_is_met_by_a_certificate_for_host_or_domain(show, name, selector):
    shown = show(name)
    assert carry(SIGNED + tlsa(pin(shown.chain[1], 2, selector)), shown.options).what == "delivered"


def test_G37_usage_2_is_not_met_by_the_certificate_of_somebody_else(show):
    shown = show("other.x.example")
    journey = carry(SIGNED + tlsa(pin(shown.chain[1], 2)), shown.options)
    assert (journey.what, journey.is_untold()) == ("deferred", True)
    assert f"for none of {MX}, x.example" in journey.reply


def test_G37_usage_2_is_not_met_out_of_time(show):
    shown = show(MX, end=YESTERDAY)
    journey = carry(SIGNED + tlsa(pin(shown.chain[1], 2)), shown.options)
    assert (journey.what, journey.is_untold()) == ("deferred", True)


def test_G37_the_host_is_told_the_name_that_has_the_records(show):
    shown = show(MX)
    script = ALIAS + "alias.x.example !secure\n{tlsa} !secure\n" + tlsa(pin(shown.chain[0]))
    journey = carry(script, shown.options)
    assert [event["name"] for event in journey.events if event["event"] == "tls"] == [MX]


# Who decides


@pytest.mark.parametrize("policy", ["opportunistic", "require"])
def test_G36_records_count_wherever_exchangers_are_asked_for(policy):
    route = Route("x.example", (), Security(policy))
    journey = carry(SIGNED + tlsa(WRONG), SinkOptions(tls=True), route=route)
    assert (journey.what, journey.is_untold()) == ("deferred", True)


def test_G36_a_route_without_TLS_asks_for_no_records():
    journey = carry(SIGNED + tlsa(WRONG), SinkOptions(), route=Route("x.example", (), Security("never")))
    assert journey.what == "delivered"
    assert {kind for _, kind in journey.asked} == {"MX", "A", "AAAA"}


def test_G36_records_can_be_left_out():
    journey = carry(SIGNED + tlsa(WRONG), SinkOptions(), dane=False)
    assert journey.what == "delivered"
    assert {kind for _, kind in journey.asked} == {"MX", "A", "AAAA"}
