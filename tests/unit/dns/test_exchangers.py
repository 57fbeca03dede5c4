"""The choice of mail exchangers (G-1 to G-11)."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.dns.answer import Answer, Status
from paperpath.dns.exchangers import Family, Identity, NextHop, NextHops, Policy
from paperpath.dns.next_hops import find_host_hops, find_next_hops
from paperpath.dns.records import AAAA, MX, A, Exchange, RecordType
from paperpath.mail.reply import Reply

POLICY = Policy(own_names=frozenset({"mail.here.example"}), own_addresses=frozenset({"192.0.2.99"}))
SERVFAIL: Answer[Any] = Answer(Status.FAILED, detail="SERVFAIL from 127.0.0.1:53")
SILENCE: Answer[Any] = Answer(Status.TIMED_OUT, detail="no answer from 127.0.0.1:53 in 10 s")
NODATA: Answer[Any] = Answer(Status.NODATA)
MISSING: Answer[Any] = Answer(Status.NXDOMAIN)


@dataclass
class World:
    """Answers by name and type; what is not there is NODATA."""

    answers: dict[tuple[str, RecordType[Any]], Answer[Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def resolve(self, name: str, kind: RecordType[Any]) -> Answer[Any]:
        self.asked.append((name, kind.name))
        return self.answers.get((name, kind), NODATA)

    def mx(self, *exchanges: tuple[int, str], name: str = "else.example") -> "World":
        self.answers[name, MX] = found(*(Exchange(*each) for each in exchanges))
        return self

    def host(self, name: str, *addresses: str) -> "World":
        for kind, mark in ((A, False), (AAAA, True)):
            matching = [address for address in addresses if (":" in address) is mark]
            if matching:
                self.answers[name, kind] = found(*matching)
        return self

    def find(self, domain: str = "else.example", policy: Policy = POLICY, seed: int = 0) -> NextHops | Reply:
        return asyncio.run(find_next_hops(domain, self, policy, Random(seed)))

    def addresses(self, domain: str = "else.example", policy: Policy = POLICY) -> list[str]:
        hops = self.find(domain, policy)
        assert not isinstance(hops, Reply), hops
        return [hop.address for hop in hops]

    def refusal(self, domain: str = "else.example", policy: Policy = POLICY) -> tuple[int, str]:
        reply = self.find(domain, policy)
        assert isinstance(reply, Reply), reply
        return reply.code, reply.status


def found(*records: Any, secure: bool = False, canonical: str = "") -> Answer[Any]:
    return Answer(Status.FOUND, records, canonical, secure)


def test_G1_an_alias_has_the_exchangers_of_what_it_stands_for() -> None:
    world = World().host("mx.real.example", "192.0.2.1")
    world.answers["else.example", MX] = found(Exchange(10, "mx.real.example"), canonical="real.example")
    assert world.find() == (NextHop("mx.real.example", "192.0.2.1", 10),)


def test_G2_addresses_of_the_domain_are_not_used_where_there_are_exchangers() -> None:
    world = World().mx((10, "dead.example")).host("else.example", "192.0.2.1")
    assert world.refusal() == (550, "5.4.4")
    assert ("else.example", "A") not in world.asked


def test_G3_without_exchangers_the_domain_is_its_own_host() -> None:
    world = World().host("else.example", "192.0.2.1", "2001:db8::1")
    itself = Identity("else.example", is_secure=False, domains=("else.example",))
    assert world.find() == (
        NextHop("else.example", "2001:db8::1", 0, itself),
        NextHop("else.example", "192.0.2.1", 0, itself),
    )


def test_G3_a_domain_that_is_not_there_is_refused_for_good() -> None:
    world = World({("else.example", MX): MISSING})
    assert world.refusal() == (550, "5.1.2")
    assert world.asked == [("else.example", "MX")]


@pytest.mark.parametrize("trouble", [SERVFAIL, SILENCE])
def test_G3_what_is_unknown_waits_and_addresses_are_no_way_out(trouble: Answer[Any]) -> None:
    world = World({("else.example", MX): trouble}).host("else.example", "192.0.2.1")
    assert world.refusal() == (451, "4.4.3")
    assert world.asked == [("else.example", "MX")]
    assert f"MX of else.example: {trouble.detail}" in str(world.find())


def test_G4_a_null_mx_is_refused_at_once() -> None:
    world = World().mx((0, "")).host("else.example", "192.0.2.1")
    assert world.refusal() == (556, "5.1.10")
    assert world.asked == [("else.example", "MX")]


def test_G4_beside_others_a_null_mx_means_nothing() -> None:
    assert World().mx((0, ""), (10, "a.example")).host("a.example", "192.0.2.1").addresses() == ["192.0.2.1"]


def test_G5_lower_preferences_go_first_and_equal_ones_in_random_order() -> None:
    world = World().mx((10, "c.example"), (5, "first.example"), (10, "a.example"), (10, "b.example"))
    for number, host in enumerate(("first", "a", "b", "c"), 1):
        world.host(f"{host}.example", f"192.0.2.{number}")
    second: Counter[str] = Counter()
    for seed in range(300):
        hops = world.find(seed=seed)
        assert not isinstance(hops, Reply)
        assert hops[0].host == "first.example"
        assert {hop.host for hop in hops[1:]} == {"a.example", "b.example", "c.example"}
        second[hops[1].host] += 1
    assert all(60 <= count <= 140 for count in second.values()), second


def test_G6_every_address_of_every_host_is_tried_up_to_the_bounds() -> None:
    world = World().mx((10, "a.example"), (20, "b.example"))
    world.host("a.example", "192.0.2.1", "192.0.2.2").host("b.example", "192.0.2.3", "192.0.2.1")
    assert world.addresses() == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert world.addresses(policy=replace(POLICY, most_addresses=1)) == ["192.0.2.1", "192.0.2.3"]
    assert world.addresses(policy=replace(POLICY, most_hosts=1)) == ["192.0.2.1", "192.0.2.2"]


def test_G6_ten_thousand_exchangers_cost_ten_lookups() -> None:
    world = World().mx(*((10, f"{number}.example") for number in range(10_000)))
    assert world.refusal() == (550, "5.4.4")
    assert len(world.asked) == 1 + 2 * POLICY.most_hosts


def test_G7_families_come_in_their_order_and_none_keeps_the_other_out() -> None:
    world = World().host("else.example", "192.0.2.1", *(f"2001:db8::{number}" for number in range(1, 9)))
    assert world.addresses() == ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"]
    other = replace(POLICY, families=(Family.IPV4, Family.IPV6))
    assert world.addresses(policy=other)[0] == "192.0.2.1"
    world.asked.clear()
    assert world.addresses(policy=replace(POLICY, families=(Family.IPV4,))) == ["192.0.2.1"]
    assert ("else.example", "AAAA") not in world.asked


def test_G7_one_family_that_cannot_be_looked_up_leaves_the_other() -> None:
    world = World({("else.example", AAAA): SERVFAIL}).host("else.example", "192.0.2.1")
    assert world.addresses() == ["192.0.2.1"]


@pytest.mark.parametrize("ours", ["mail.here.example", "by-address.example", "alias.example"])
def test_G8_whoever_is_not_better_than_this_host_is_left_out(ours: str) -> None:
    world = World().mx((10, "other.example"), (20, ours), (20, "equal.example"), (30, "third.example"))
    world.host("other.example", "192.0.2.1").host("equal.example", "192.0.2.2")
    world.host("third.example", "192.0.2.3").host("by-address.example", "::ffff:192.0.2.99")
    world.answers["alias.example", A] = found("192.0.2.4", canonical="mail.here.example")
    assert world.addresses() == ["192.0.2.1"]


@pytest.mark.parametrize("ours", ["mail.here.example", "by-address.example"])
def test_G8_a_domain_that_leads_to_this_host_alone_is_refused(ours: str) -> None:
    world = World().mx((10, ours), (20, "third.example"))
    world.host("third.example", "192.0.2.3").host("by-address.example", "192.0.2.99")
    assert world.refusal() == (554, "5.4.6")


def test_G8_a_better_host_that_is_unknown_now_is_waited_for() -> None:
    world = World({("other.example", A): SILENCE}).mx((10, "other.example"), (20, "mail.here.example"))
    assert world.refusal() == (451, "4.4.3")


def test_G8_this_host_without_exchangers_and_as_a_literal() -> None:
    assert World().host("else.example", "192.0.2.99").refusal() == (554, "5.4.6")
    assert World().refusal("[192.0.2.99]") == (554, "5.4.6")
    assert World().refusal("mail.here.example") == (554, "5.4.6")


def test_G9_every_attempt_asks_anew() -> None:
    world = World().mx((10, "a.example")).host("a.example", "192.0.2.1").host("b.example", "192.0.2.2")
    assert world.addresses() == ["192.0.2.1"]
    assert world.mx((10, "b.example")).addresses() == ["192.0.2.2"]


UNUSABLE = (
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
    "::1", "::", "ff02::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:224.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("address", UNUSABLE)
def test_G10_addresses_of_no_other_host_are_not_contacted(address: str) -> None:
    world = World().mx((10, "a.example"), (20, "b.example")).host("a.example", address)
    assert world.refusal() == (550, "5.4.4")
    assert f"a.example: {address} " in str(world.find())
    assert world.host("b.example", "192.0.2.1").addresses() == ["192.0.2.1"]
    literal = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
    assert World().refusal(literal) == (550, "5.4.4")


def test_G10_the_loopback_network_is_contacted_where_that_is_meant() -> None:
    policy = replace(POLICY, allow_loopback=True)
    assert World().host("else.example", "127.0.0.1", "0.0.0.0").addresses(policy=policy) == ["127.0.0.1"]
    assert World().addresses("[127.0.0.1]", policy) == ["127.0.0.1"]


def test_G10_hosts_without_addresses_are_skipped() -> None:
    world = World({("b.example", A): MISSING}).mx((1, "a.example"), (2, "b.example"), (3, "c.example"))
    assert world.refusal() == (550, "5.4.4")
    assert world.host("c.example", "192.0.2.1").addresses() == ["192.0.2.1"]


@pytest.mark.parametrize("trouble", [SERVFAIL, SILENCE])
def test_G10_with_one_host_unknown_now_nothing_is_final(trouble: Answer[Any]) -> None:
    world = World({("b.example", A): trouble}).mx((1, "a.example"), (2, "b.example"))
    assert world.refusal() == (451, "4.4.3")


def test_G10_literals_and_hosts_of_routes_need_no_exchangers() -> None:
    world = World().mx((10, "a.example")).host("else.example", "192.0.2.99", "127.0.0.1")
    assert world.find("[IPv6:2001:DB8::1]") == (NextHop("[IPv6:2001:db8::1]", "2001:db8::1", 0),)
    assert asyncio.run(find_host_hops("::1", world, POLICY)) == (NextHop("::1", "::1", 0),)
    assert world.asked == []
    hops = asyncio.run(find_host_hops("Else.example", world, POLICY))
    assert not isinstance(hops, Reply)
    assert [hop.address for hop in hops] == ["192.0.2.99", "127.0.0.1"]
    assert set(world.asked) == {("else.example", "A"), ("else.example", "AAAA")}


def test_G10_a_route_to_a_host_that_is_unknown_now_waits() -> None:
    world = World({("smart.example", A): SERVFAIL})
    reply = asyncio.run(find_host_hops("smart.example", world, POLICY))
    assert isinstance(reply, Reply)
    assert (reply.code, reply.status) == (451, "4.4.3")


def test_G11_nothing_but_exchangers_and_addresses_is_asked_for() -> None:
    world = World().mx((10, "a.example")).host("a.example", "192.0.2.1")
    world.find()
    assert {kind for _, kind in world.asked} == {"MX", "A", "AAAA"}


def identities(world: World) -> list[Identity | None]:
    hops = world.find()
    assert not isinstance(hops, Reply)
    return [hop.identity for hop in hops]


def test_G36_a_host_is_secure_where_both_the_exchanger_and_its_address_are() -> None:
    world = World({("else.example", MX): found(Exchange(10, "a.example"), secure=True)})
    world.answers["a.example", AAAA] = found("2001:db8::1", secure=True)
    world.answers["a.example", A] = found("192.0.2.1")
    domains = ("else.example",)
    assert identities(world) == [Identity("a.example", True, domains), Identity("a.example", False, domains)]


def test_G36_a_secure_address_of_an_exchanger_that_anybody_may_have_named_is_nothing() -> None:
    world = World().mx((10, "a.example"))
    world.answers["a.example", A] = found("192.0.2.1", secure=True)
    assert identities(world) == [None]


def test_G36_aliases_of_domain_and_exchanger_are_told_of() -> None:
    answer = found(Exchange(10, "a.example"), secure=True)
    world = World({("else.example", MX): replace(answer, canonical="real.example")})
    world.answers["a.example", A] = replace(found("192.0.2.1", secure=True), canonical="b.example")
    assert identities(world) == [Identity("b.example", True, ("else.example", "real.example"))]


@pytest.mark.parametrize("is_secure", [True, False])
def test_G36_without_exchangers_the_address_decides(is_secure: bool) -> None:
    nothing: Answer[Any] = replace(NODATA, canonical="forged.example")
    world = World({("else.example", MX): nothing})
    world.answers["else.example", A] = found("192.0.2.1", secure=is_secure)
    assert identities(world) == [Identity("else.example", is_secure, ("else.example",))]


def test_G36_of_literals_and_hosts_of_routes_DNSSEC_says_nothing() -> None:
    world = World({("else.example", A): found("192.0.2.1", secure=True)})
    found_hops = [world.find("[192.0.2.1]"), asyncio.run(find_host_hops("else.example", world, POLICY))]
    for hops in found_hops:
        assert not isinstance(hops, Reply)
        assert [hop.identity for hop in hops] == [None]


HOSTS = st.sampled_from(["a.example", "b.example", "c.example", "d.example", "mail.here.example", ""])
ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.99", "127.0.0.1", "0.0.0.0", "224.0.0.1"])
SIX = st.sampled_from(["2001:db8::1", "2001:db8::2", "::1", "::ffff:192.0.2.99", "ff02::1"])
TROUBLES = st.sampled_from([SERVFAIL, SILENCE, NODATA, MISSING])


def answers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Answer[Any]]:
    return TROUBLES | st.lists(values, min_size=1, max_size=6).map(lambda records: found(*records))


WORLDS = st.dictionaries(HOSTS, st.tuples(answers(ADDRESSES), answers(SIX)))
EXCHANGES = answers(st.builds(Exchange, st.integers(0, 3), HOSTS))


@given(WORLDS, EXCHANGES, st.integers(0, 100))
def test_G8_whatever_the_dns_says_no_mail_goes_in_circles(
    hosts: dict[str, tuple[Answer[Any], Answer[Any]]], mx: Answer[Any], seed: int
) -> None:
    world = World({("else.example", MX): mx})
    for name, (four, six) in hosts.items():
        world.answers |= {(name, A): four, (name, AAAA): six}
    hops = world.find(seed=seed)
    if isinstance(hops, Reply):
        assert (hops.code, hops.status) in {
            (451, "4.4.3"), (550, "5.1.2"), (556, "5.1.10"), (554, "5.4.6"), (550, "5.4.4")
        }  # fmt: skip
        assert len(hops.octets) <= 512
        return
    own = min((each.preference for each in mx.records if is_us(each.host, hosts)), default=4)
    assert mx.status in (Status.FOUND, Status.NODATA)
    assert hops
    assert all(hop.preference < own for hop in hops)
    assert [hop.preference for hop in hops] == sorted(hop.preference for hop in hops)
    assert len({hop.address for hop in hops}) == len(hops)
    assert not {hop.address for hop in hops} & {*UNUSABLE, "192.0.2.99", "::ffff:192.0.2.99"}
    assert {hop.host for hop in hops} <= {each.host for each in mx.records} | {"else.example"}


def is_us(host: str, hosts: dict[str, tuple[Answer[Any], Answer[Any]]]) -> bool:
    if not host:
        return False
    addresses = [address for answer in hosts.get(host, ()) for address in answer.records]
    return host == "mail.here.example" or any(address.endswith("192.0.2.99") for address in addresses)
