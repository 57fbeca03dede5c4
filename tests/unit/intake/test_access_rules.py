"""Which rule decides about a client (C-8, C-17, L-14, L-16, P7)."""

import ipaddress
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.intake_tables import RelayTable
from paperpath.config.prefix import parse_prefix
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_rules import AccessRule, AccessRules, list_configured
from paperpath.intake.access_text import parse_access

DENY, NULL, NORMAL, PRIVILEGED = ServiceClass


def rules(text: str) -> AccessRules:
    return AccessRules(parse_access(text, "rules"))


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fe80::1", "", "x", "1.2.3"]
)
def test_P7_nobody_is_privileged_for_having_a_private_address(address: str) -> None:
    assert rules("").classify(address) is NORMAL
    assert rules("203.0.113.0/24 privileged").classify(address) is NORMAL


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("127.0.0.1", PRIVILEGED),
        ("127.0.1.1", NULL),
        ("127.0.1.9", DENY),
        ("126.255.255.255", NORMAL),
        ("128.0.0.1", NORMAL),
        ("fe80::1", PRIVILEGED),
        ("fe80::1%eth0", PRIVILEGED),
        ("febf:ffff::1", PRIVILEGED),
        ("fec0::1", NORMAL),
        ("::ffff:127.0.0.1", PRIVILEGED),
        ("::ffff:192.0.2.7", NULL),
        ("192.0.2.7", NULL),
        ("::192.0.2.7", NORMAL),
        ("2001:db8:1::1", NORMAL),
        ("2001:db8:2::1", NULL),
    ],
)
def test_L14_C17_the_longest_network_decides_in_any_order(address: str, service: ServiceClass) -> None:
    lines = """127.0.0.0/8 2
        127.0.1.0/24 0
        127.0.1.9 deny
        fe80::/10 privileged
        ::ffff:192.0.2.0/120 null
        2001:db8::/32 null
        2001:db8:1::/48 1""".splitlines()
    for _ in range(4):
        assert rules("\n".join(lines)).classify(address) is service
        random.Random(1).shuffle(lines)


NAMED = """0.0.0.0/0 normal
.example.net null
.dyn.example.net deny
192.0.2.0/24 privileged
mail.dyn.example.net privileged
192.0.2.9 null
"""


@pytest.mark.parametrize(
    ("address", "names", "decides"),
    [
        ("192.0.2.9", ["mail.dyn.example.net"], "192.0.2.9"),
        ("192.0.2.8", ["mail.dyn.example.net"], "mail.dyn.example.net"),
        ("192.0.2.8", ["b.dyn.example.net"], "192.0.2.0/24"),
        ("198.51.100.1", ["b.dyn.example.net"], ".dyn.example.net"),
        ("198.51.100.1", ["dyn.example.net"], ".example.net"),
        ("198.51.100.1", ["x.example.net", "a.b.dyn.example.net"], ".dyn.example.net"),
        ("198.51.100.1", ["example.net", "else.example"], "0.0.0.0/0"),
        ("198.51.100.1", [], "0.0.0.0/0"),
        ("2001:db8::1", ["else.example"], None),
    ],
)
def test_L16_the_closest_rule_decides_as_UCSPI_has_it(
    address: str, names: list[str], decides: str | None
) -> None:
    found = rules(NAMED).find(address, names)
    assert (None if found is None else str(found.clients)) == decides


def test_L16_all_rules_that_name_a_client_are_given_in_the_order_in_which_they_would_decide() -> None:
    found = rules(NAMED).find_all("192.0.2.9", ["mail.dyn.example.net"])
    assert [(str(rule.clients), rule.place) for rule in found] == [
        ("192.0.2.9", "rules:6"),
        ("mail.dyn.example.net", "rules:5"),
        ("192.0.2.0/24", "rules:4"),
        (".dyn.example.net", "rules:3"),
        ("0.0.0.0/0", "rules:1"),
    ]


def test_L16_names_are_wanted_only_where_a_rule_could_turn_on_them() -> None:
    assert not rules("0.0.0.0/0 null\n192.0.2.9 2").wants_names("192.0.2.9")
    named = rules(NAMED)
    wanted = {address: named.wants_names(address) for address in ("192.0.2.9", "192.0.2.8", "203.0.113.1")}
    assert wanted == {"192.0.2.9": False, "192.0.2.8": True, "203.0.113.1": True}
    assert not named.wants_names("")  # a user of this host
    ends = rules(".example.net deny\n192.0.2.0/24 2")
    assert not ends.wants_names("192.0.2.8")
    assert ends.wants_names("2001:db8::1")


def test_the_rules_of_the_file_hold_where_the_configuration_names_the_same_clients() -> None:
    table = RelayTable.model_validate(
        {
            "listen": ["127.0.0.1:25"],
            "access": [
                {"clients": ["192.0.2.0/24"], "hosts": [".example.net"], "service": "deny"},
                {"clients": ["2001:db8::/32"], "service": "null"},
            ],
        }
    )
    configured = list_configured(table, "relay")
    assert [rule.place for rule in configured] == ["relay.access[0]", "relay.access[0]", "relay.access[1]"]
    together = AccessRules([*configured, *parse_access("\n192.0.2.0/24 2", "file")])
    assert together.find("192.0.2.1") == AccessRule(parse_prefix("192.0.2.0/24"), PRIVILEGED, "file", 2)
    assert together.classify("2001:db8::1") is NULL
    assert len(list(together)) == 3


def networks(
    kind: type[ipaddress.IPv4Network | ipaddress.IPv6Network], width: int
) -> st.SearchStrategy[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return st.tuples(st.integers(0, 2**width - 1), st.integers(0, width)).map(
        lambda drawn: kind((drawn[0] >> (width - drawn[1]) << (width - drawn[1]), drawn[1]))
    )


ANY_NETWORK = networks(ipaddress.IPv4Network, 32) | networks(ipaddress.IPv6Network, 128)


@given(st.dictionaries(ANY_NETWORK, st.sampled_from(ServiceClass), max_size=20), st.data())
def test_C8_what_decides_is_what_a_search_through_all_rules_finds(
    wanted: dict[ipaddress.IPv4Network | ipaddress.IPv6Network, ServiceClass], data: st.DataObject
) -> None:
    wanted = {
        net: to for net, to in wanted.items() if parse_prefix(str(net)).version == net.version
    }  # not mapped
    access = AccessRules(AccessRule(parse_prefix(str(net)), to, "x") for net, to in wanted.items())
    inside = st.sampled_from(sorted(wanted, key=str)).map(lambda net: net.broadcast_address)
    client = data.draw(st.ip_addresses() | inside if wanted else st.ip_addresses())
    client = getattr(client, "ipv4_mapped", None) or client
    holding = [net for net in wanted if net.version == client.version and client in net]
    expected = wanted[max(holding, key=lambda net: net.prefixlen)] if holding else NORMAL
    assert access.classify(str(client)) is expected
