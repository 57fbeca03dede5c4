"""Routing decisions (E-1, E-2, E-4, C-5)."""

from types import SimpleNamespace

import pytest

from paperpath.accounts.file import Accounts, parse_accounts
from paperpath.config.domain import DomainPattern
from paperpath.config.tables import PostOfficeTable, RouteEntry
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.maildrop.values import Transport, UnsortedRecipient
from paperpath.postoffice.smtppd import decide
from paperpath.routing.domain_table import DomainTable
from paperpath.routing.routes import Routes

ACCOUNTS = parse_accounts("joe@here.example\ta\nadmin@here.example\tb\n")
NOBODY = Accounts({})


def routes(*entries: tuple[str, str]) -> Routes:
    table = PostOfficeTable.model_validate(
        {
            "postmaster": "admin@here.example",
            "route": [{"domain": domain, "via": via} for domain, via in entries],
        }
    )
    return Routes(table)


HERE = routes(("here.example", "local"), (".here.example", "local"), ("mx.here.example", "mx"), ("*", "mx"))


@pytest.mark.parametrize(
    ("address", "transport", "destination"),
    [
        ("joe@here.example", Transport.LOCAL, "here.example"),
        ("joe@HERE.example", Transport.LOCAL, "here.example"),
        ("joe@sub.here.example", Transport.LOCAL, "sub.here.example"),
        ("joe@a.b.here.example", Transport.LOCAL, "a.b.here.example"),
        ("joe@mx.here.example", Transport.REMOTE, "mx.here.example"),
        ("joe@nothere.example", Transport.REMOTE, "nothere.example"),
        ("joe@[127.0.0.1]", Transport.REMOTE, "[127.0.0.1]"),
        ("joe%else.example@here.example", Transport.LOCAL, "here.example"),
    ],
)
def test_E1_E2_the_domain_decides(address: str, transport: Transport, destination: str) -> None:
    resolution = HERE.resolve(parse_mailbox(address), ACCOUNTS)
    assert (resolution.transport, resolution.destination) == (transport, destination)
    assert str(resolution.address) == address


@pytest.mark.parametrize("domain", ["bücher.example", "Bücher.Example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("configured", ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"])
def test_A63_C6_u_labels_and_a_labels_are_one_domain(configured: str, domain: str) -> None:
    table = routes((configured, "local"), ("." + configured, "mx"), ("*", "local"))
    resolution = table.resolve(Mailbox("joe", domain), NOBODY)
    assert (resolution.transport, resolution.destination) == (Transport.LOCAL, "xn--bcher-kva.example")
    assert resolution.address.domain == domain
    below = table.resolve(Mailbox("joe", f"ä.{domain}"), NOBODY)
    assert (below.transport, below.destination) == (Transport.REMOTE, "xn--4ca.xn--bcher-kva.example")


def test_E1_every_domain_is_remote_unless_it_is_local() -> None:
    assert routes().resolve(Mailbox("a", "any.example"), NOBODY).transport is Transport.REMOTE


@pytest.mark.parametrize("address", ["Postmaster", "POSTMASTER@here.example", "postmaster@sub.here.example"])
def test_E4_a_local_postmaster_resolves_to_the_configured_one(address: str) -> None:
    resolution = HERE.resolve(parse_mailbox(address), ACCOUNTS)
    assert (str(resolution.address), resolution.transport) == ("admin@here.example", Transport.LOCAL)
    assert HERE.has_mailbox(parse_mailbox(address), ACCOUNTS)


def test_E4_a_postmaster_with_a_mailbox_has_his_own_mail() -> None:
    accounts = parse_accounts("postmaster@here.example\tp\n")
    assert (
        str(HERE.resolve(parse_mailbox("PostMaster@here.example"), accounts).address)
        == "PostMaster@here.example"
    )


def test_a_postmaster_elsewhere_is_not_ours() -> None:
    assert (
        str(HERE.resolve(parse_mailbox("postmaster@else.example"), ACCOUNTS).address)
        == "postmaster@else.example"
    )


def test_bare_postmaster_goes_where_the_configured_one_lives() -> None:
    away = routes(("here.example", "mx"))
    assert away.resolve(Mailbox("postmaster", ""), NOBODY).transport is Transport.REMOTE


def test_exact_goes_before_the_longest_suffix_before_any() -> None:
    texts = ["*", ".example", ".b.example", "b.example", "a.b.example"]
    table = DomainTable((DomainPattern(text), text) for text in texts)
    found = {
        name: table.find(name) for name in ("a.b.example", "b.example", "x.b.example", "y.example", "z.test")
    }
    assert found == {
        "a.b.example": "a.b.example",
        "b.example": "b.example",
        "x.b.example": ".b.example",
        "y.example": ".example",
        "z.test": "*",
    }
    assert DomainTable([(DomainPattern(".b.example"), 1)]).find("b.example") is None


def test_E1_a_mixed_message_goes_both_ways() -> None:
    recipients = [
        UnsortedRecipient(number, "Q", 1, address, address, None, "", "")
        for number, address in enumerate(
            map(parse_mailbox, ["joe@here.example", "x@else.example", "postmaster"])
        )
    ]
    decisions = decide(recipients, HERE, ACCOUNTS)
    assert [(one.recipient_id, str(one.address), one.transport, one.destination) for one in decisions] == [
        (0, "joe@here.example", Transport.LOCAL, "here.example"),
        (1, "x@else.example", Transport.REMOTE, "else.example"),
        (2, "admin@here.example", Transport.LOCAL, "here.example"),
    ]


def test_the_table_and_the_advice_choose_the_same_route() -> None:
    entries = [
        ("here.example", "local"),
        (".here.example", "mx"),
        (".deep.here.example", "local"),
        ("*", "mx"),
    ]
    table = PostOfficeTable(
        postmaster="a@here.example",
        route=tuple(RouteEntry.model_validate({"domain": domain, "via": via}) for domain, via in entries),
    )
    compiled = DomainTable((entry.domain, entry) for entry in table.route)
    for domain in (
        "here.example",
        "x.here.example",
        "x.deep.here.example",
        "deep.here.example",
        "else.example",
    ):
        assert compiled.find(domain) is table.find_route(domain), SimpleNamespace(domain=domain)
