"""Who gets which service, and whom it may write to (C-6, C-7, C-8, C-10, P7)."""

import pytest

from paperpath.accounts.file import Accounts, parse_accounts
from paperpath.config.intake_tables import RelayTable
from paperpath.config.tables import PostOfficeTable
from paperpath.intake.access import ServiceClass, parse_service_class
from paperpath.mail.address import parse_mailbox
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.aliases_text import parse_aliases
from paperpath.routing.router import Router

NORMAL, PRIVILEGED = ServiceClass.NORMAL, ServiceClass.PRIVILEGED


def test_C9_L14_a_class_is_read_by_its_name_and_by_its_level() -> None:
    for service in ServiceClass:
        assert parse_service_class(service.value) is service
        if service.level is not None:
            assert parse_service_class(str(service.level)) is service
    assert [service.level for service in ServiceClass] == [None, 0, 1, 2]
    for text in ("", "3", "-1", "02", "Normal", "privileged ", "\u0662"):
        with pytest.raises(ValueError, match="expected deny, null, normal or privileged, or a level"):
            parse_service_class(text)


def acceptance(*domains: str, check_recipients: bool = True) -> Acceptance:
    values = {"listen": ["127.0.0.1:25"], "domains": list(domains), "check_recipients": check_recipients}
    return Acceptance(RelayTable.model_validate(values))


POST_OFFICE = PostOfficeTable.model_validate(
    {
        "postmaster": "admin@here.example",
        "route": [
            {"domain": "here.example", "via": "local"},
            {"domain": "closed.example", "via": "refuse", "reply": "5.1.2 Closed"},
            {"domain": "*", "via": "mx"},
        ],
    }
)
ALIASES = parse_aliases("info: u, nobody\ndead: nobody\ntrap: x@closed.example\naway: x@else.example\n")
ROUTER = Router(POST_OFFICE, ALIASES, parse_accounts("u@here.example\ta\nadmin@here.example\tb\n"))


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
    assert relay.judge(mailbox, ROUTER, NORMAL).code == normal
    assert relay.judge(mailbox, ROUTER, PRIVILEGED).code == privileged


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        ("info@here.example", "250 2.1.5"),
        ("INFO@here.example", "250 2.1.5"),
        ("u+detail@here.example", "250 2.1.5"),
        ("away@here.example", "250 2.1.5"),
        ("dead@here.example", "550 5.1.1"),
        ("trap@here.example", "550 5.1.2 Closed"),
        ("x@closed.example", "550 5.1.2 Closed"),
        ("nobody@here.example", "550 5.1.1"),
    ],
)
def test_E17_what_the_post_office_would_refuse_is_refused_at_the_door(recipient: str, reply: str) -> None:
    relay = acceptance("here.example", "closed.example")
    assert str(relay.judge(parse_mailbox(recipient), ROUTER)).startswith(reply)


def test_E17_the_check_of_names_can_be_switched_off_and_the_refusing_route_not() -> None:
    relay = acceptance("here.example", "closed.example", check_recipients=False)
    assert relay.judge(parse_mailbox("nobody@here.example"), ROUTER).is_positive
    assert relay.judge(parse_mailbox("x@closed.example"), ROUTER).code == 550
    assert relay.judge(parse_mailbox("x@else.example"), ROUTER).code == 550


def test_C7_without_domains_only_postmaster_is_taken() -> None:
    relay = acceptance()
    assert relay.judge(parse_mailbox("postmaster"), ROUTER).is_positive
    assert str(relay.judge(parse_mailbox("u@here.example"), ROUTER)).startswith("550 5.7.1")
    assert (
        relay.judge(parse_mailbox("u@here.example"), Router(POST_OFFICE, ALIASES, Accounts({}))).code == 550
    )
