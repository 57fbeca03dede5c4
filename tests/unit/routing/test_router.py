"""Where addresses go (E-1, E-2, E-4, E-5, E-6, E-10, C-5, S-9)."""

import pytest

from paperpath.config.tables import PostOfficeTable
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.maildrop.values import Sorted
from paperpath.routing.sorting import sort_recipient
from tests.unit.routing.rules import make_recipient, make_router, make_table, tell

HERE = make_router()


@pytest.mark.parametrize(
    ("address", "end"),
    [
        ("joe@here.example", "local here.example"),
        ("joe@HERE.example", "local here.example"),
        ("joe@mx.here.example", "remote mx.here.example"),
        ("joe@nothere.example", "remote nothere.example"),
        ("joe@[127.0.0.2]", "remote [127.0.0.2]"),
        ("joe@hub.example", "remote smtp://hub.example:2525"),
    ],
)
def test_E1_E2_the_domain_decides(address: str, end: str) -> None:
    assert tell(HERE, address) == [f"{address} {end}"]


def test_E2_a_trailing_dot_is_ignored() -> None:
    assert tell(HERE, Mailbox("joe", "here.example.")) == ["joe@here.example. local here.example"]


@pytest.mark.parametrize("literal", ["[IPv6:::1]", "[IPv6:0:0:0:0:0:0:0:1]", "[ipv6:0::0:1]"])
def test_E2_address_literals_are_local_only_if_listed_in_any_spelling(literal: str) -> None:
    router = make_router(accounts=("joe@[IPv6:::1]",))
    assert tell(router, f"joe@{literal}") == [f"joe@{literal} local [IPv6:::1]"]
    assert tell(router, "joe@[IPv6:::2]") == ["joe@[IPv6:::2] remote [IPv6:::2]"]


@pytest.mark.parametrize("domain", ["bücher.example", "Bücher.Example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("configured", ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"])
def test_A63_C6_E2_S9_u_labels_and_a_labels_are_one_domain(configured: str, domain: str) -> None:
    table = make_table(((configured, "local"), ("." + configured, "mx"), ("*", "local")))
    router = make_router("info@bücher.example: joe", ("joe@xn--bcher-kva.example",), table)
    assert tell(router, Mailbox("joe", domain)) == [f"joe@{domain} local xn--bcher-kva.example"]
    assert tell(router, Mailbox("info", domain)) == [f"joe@{domain} local xn--bcher-kva.example"]
    below = f"joe@ä.{domain}"
    assert tell(router, below) == [f"{below} remote xn--4ca.xn--bcher-kva.example"]


def test_E1_every_domain_is_remote_unless_it_is_local() -> None:
    assert tell(make_router(table=make_table(())), "a@any.example") == ["a@any.example remote any.example"]


def test_E1_a_mixed_message_has_each_recipient_in_exactly_one_queue() -> None:
    addresses = ("joe@here.example", "x@else.example")
    assert [tell(HERE, address) for address in addresses] == [
        ["joe@here.example local here.example"],
        ["x@else.example remote else.example"],
    ]


def test_a_route_that_refuses_says_what_is_configured() -> None:
    assert tell(HERE, "x@closed.example") == ["x@closed.example 5.7.1"]
    entry = {"domain": "closed.example", "via": "refuse", "reply": "5.1.2 No more"}
    table = PostOfficeTable.model_validate({"postmaster": "admin@here.example", "route": [entry]})
    router = make_router(table=table)
    assert tell(router, "x@closed.example") == ["x@closed.example 5.1.2"]
    assert str(router.find_refusal(parse_mailbox("x@closed.example"))) == "550 5.1.2 No more"


@pytest.mark.parametrize("address", ["Postmaster", "POSTMASTER@here.example", "postmaster@sub.here.example"])
def test_E4_a_local_postmaster_resolves_to_the_configured_one(address: str) -> None:
    assert tell(HERE, address) == ["admin@here.example local here.example"]


def test_E4_a_postmaster_with_a_mailbox_or_an_alias_has_his_own_mail() -> None:
    router = make_router(accounts=("postmaster@here.example", "admin@here.example"))
    assert tell(router, "PostMaster@here.example") == ["PostMaster@here.example local here.example"]
    router = make_router("postmaster: joe")
    assert tell(router, "POSTMASTER@here.example") == ["joe@here.example local here.example"]
    assert tell(router, Mailbox("postmaster", "")) == ["joe@here.example local here.example"]


@pytest.mark.parametrize(
    "aliases",
    [
        "postmaster: nobody",
        "postmaster: a\na: postmaster",
        "postmaster: x@closed.example",
        "@here.example: no",
    ],
)
def test_E4_a_postmaster_whose_aliases_lead_nowhere_is_the_configured_one(aliases: str) -> None:
    router = make_router(aliases)
    assert tell(router, "postmaster@here.example") == ["admin@here.example local here.example"]


def test_E4_no_postmaster_at_all_is_held_and_never_bounced() -> None:
    for aliases in ("", "postmaster: gone", "admin: gone"):
        assert tell(make_router(aliases, ()), "postmaster@here.example")[0].endswith(" held")


def test_E4_a_postmaster_elsewhere_is_not_ours() -> None:
    address = "postmaster@else.example"
    assert tell(HERE, address) == [f"{address} remote else.example"]


def test_E5_local_users_are_found_as_spelt_then_in_any_case() -> None:
    router = make_router(accounts=("joe@here.example", "Joe@here.example", "max@here.example"))
    keys = {}
    for name in ("joe", "Joe", "MAX", "max"):
        decision = sort_recipient(router, make_recipient(f"{name}@here.example")).decision
        assert isinstance(decision, Sorted)
        keys[name] = decision.key
    assert keys["joe"] != keys["Joe"]
    assert keys["MAX"] == keys["max"]


def test_E5_remote_local_parts_are_never_folded() -> None:
    keys = set()
    for name in ("Joe", "joe"):
        decision = sort_recipient(HERE, make_recipient(f"{name}@ELSE.example")).decision
        assert isinstance(decision, Sorted)
        assert decision.address == Mailbox(name, "ELSE.example")
        keys.add(decision.key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("joe+List@here.example", "local joe@here.example List"),
        ("JOE+List@here.example", "local joe@here.example List"),
        ("joe+a+B@here.example", "local joe@here.example a+B"),
        ("joe+@here.example", "local joe@here.example "),
        ("plus+name@here.example", "local plus+name@here.example "),
    ],
)
def test_E6_the_detail_keeps_its_case_and_a_full_name_wins(address: str, key: str) -> None:
    decision = sort_recipient(HERE, make_recipient(address)).decision
    assert isinstance(decision, Sorted)
    assert (decision.key, str(decision.address)) == (key, address)


def test_E6_an_alias_with_the_full_name_wins_and_one_with_the_name_is_applied() -> None:
    router = make_router("joe+list: admin\ninfo: joe")
    assert tell(router, "joe+list@here.example") == ["admin@here.example local here.example"]
    assert tell(router, "info+x@here.example") == ["joe@here.example local here.example"]


def test_E6_an_alias_that_names_itself_keeps_the_detail_for_its_mailbox() -> None:
    router = make_router("joe: joe, x@else.example")
    assert tell(router, "joe+List@here.example") == [
        "joe+List@here.example local here.example",
        "x@else.example remote else.example",
    ]
    router = make_router("joe: joe@else.example, Joe")
    assert tell(router, "JOE+List@here.example") == [
        "joe@else.example remote else.example",
        "Joe+List@here.example local here.example",
    ]


@pytest.mark.parametrize(
    ("separator", "address", "ends"),
    [("-", "joe-x@here.example", "local here.example"), ("", "joe+x@here.example", "5.1.1"),
     ("-", "joe+x@here.example", "5.1.1"), ("+", "+x@here.example", "5.1.1")],
)  # fmt: skip
def test_E6_the_separator_is_configurable(separator: str, address: str, ends: str) -> None:
    router = make_router(table=make_table(separator=separator))
    assert tell(router, address) == [f"{address} {ends}"]


def test_E17_an_unknown_local_user_fails() -> None:
    assert tell(HERE, "nobody@here.example") == ["nobody@here.example 5.1.1"]
    assert tell(HERE, "nobody+x@here.example") == ["nobody+x@here.example 5.1.1"]
    assert tell(HERE, "joe%else.example@here.example") == ["joe%else.example@here.example 5.1.1"]


def test_the_operators_way_goes_before_routes_and_aliases() -> None:
    router = make_router("joe: x@else.example")
    for way in ("smtp://192.0.2.1:25", "smtps://[::1]:465", "lmtp://a.example:24", "lmtp://unix:/run/lmtp"):
        assert tell(router, "joe@here.example", route_override=way) == [f"joe@here.example remote {way}"]
    assert tell(router, "joe@here.example", route_override="mx") == ["joe@here.example remote here.example"]
    assert tell(router, "joe@here.example", route_override="local") == ["joe@here.example local here.example"]
    assert tell(router, "no@here.example", route_override="local") == ["no@here.example 5.1.1"]


def test_the_last_rule_looked_at_is_the_one_that_decided() -> None:
    router = make_router("info: joe\n@here.example: admin")
    _, looks = router.find(parse_mailbox("Nobody+x@here.example"))
    assert [(look.kind, look.asked, look.found) for look in looks] == [
        ("route", "here.example", "here.example: local"),
        ("alias", "Nobody+x@here.example", ""),
        ("account", "Nobody+x@here.example", ""),
        ("alias", "Nobody@here.example", ""),
        ("account", "Nobody+x@here.example", ""),
        ("alias", "@here.example", "@here.example (line 2)"),
    ]
