"""Who gets which service, and whom it may write to (C-6, C-7, C-8, C-10, P7)."""

import pytest

from paperpath.accounts.file import Accounts, parse_accounts
from paperpath.config.tables import AccessEntry, PostOfficeTable, RelayTable
from paperpath.intake.access import AccessRules, ServiceClass
from paperpath.mail.address import parse_mailbox
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.routes import Routes

NORMAL, PRIVILEGED = ServiceClass.NORMAL, ServiceClass.PRIVILEGED


def rules(*entries: tuple[list[str], str]) -> AccessRules:
    made = [AccessEntry.model_validate({"clients": clients, "service": to}) for clients, to in entries]
    return AccessRules(made)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fe80::1", ""])
def test_P7_nobody_is_privileged_for_having_a_private_address(address: str) -> None:
    assert rules().classify(address) is NORMAL
    assert rules((["203.0.113.0/24"], "privileged")).classify(address) is NORMAL


def test_C8_the_first_rule_that_names_a_client_decides() -> None:
    access = rules(
        (["192.0.2.7"], "normal"),
        (["192.0.2.0/24", "2001:db8::/32"], "privileged"),
        (["0.0.0.0/0"], "normal"),
    )
    assert access.classify("192.0.2.7") is NORMAL
    assert access.classify("192.0.2.8") is PRIVILEGED
    assert access.classify("2001:db8::5") is PRIVILEGED
    assert access.classify("2001:db9::5") is NORMAL
    assert access.classify("not an address") is NORMAL


def acceptance(*domains: str) -> Acceptance:
    table = RelayTable.model_validate({"listen": ["127.0.0.1:25"], "domains": list(domains)})
    routes = [{"domain": "here.example", "via": "local"}, {"domain": "*", "via": "mx"}]
    post_office = PostOfficeTable.model_validate({"postmaster": "admin@here.example", "route": routes})
    return Acceptance(table, Routes(post_office))


ACCOUNTS = parse_accounts("u@here.example\ta\nadmin@here.example\tb\n")


@pytest.mark.parametrize(
    ("recipient", "normal", "privileged"),
    [
        ("u@here.example", 250, 250),
        ("u@HERE.example.", 250, 250),
        ("nobody@here.example", 550, 550),
        ("u@backup.example", 250, 250),
        ("u@sub.here.example", 550, 250),
        ("u@else.example", 550, 250),
        ("postmaster", 250, 250),
        ("postmaster@here.example", 250, 250),
        ("postmaster@else.example", 550, 250),
    ],
)
def test_C6_C8_C14_who_may_write_to_whom(recipient: str, normal: int, privileged: int) -> None:
    relay = acceptance("here.example", "backup.example")
    mailbox = parse_mailbox(recipient.removesuffix("."))
    assert relay.judge(mailbox, ACCOUNTS, NORMAL).code == normal
    assert relay.judge(mailbox, ACCOUNTS, PRIVILEGED).code == privileged


def test_C7_without_domains_only_postmaster_is_taken() -> None:
    relay = acceptance()
    assert relay.judge(parse_mailbox("postmaster"), ACCOUNTS).is_positive
    assert str(relay.judge(parse_mailbox("u@here.example"), ACCOUNTS)).startswith("550 5.7.1")
    assert relay.judge(parse_mailbox("u@here.example"), Accounts({})).code == 550
