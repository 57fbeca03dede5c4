"""The addresses of the envelope, completed or refused."""

from dataclasses import replace

import pytest

from paperpath.config.domain import DomainPattern
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.submission.canonical.envelope import complete_recipient, complete_sender
from paperpath.submission.canonical.values import Masquerade
from tests.support.canonical import RULES

COMPLETED = [
    (Mailbox("joe", ""), Mailbox("joe", "here.example")),
    (Mailbox("unknown", ""), Mailbox("unknown", "here.example")),
    (Mailbox("joe", "else.example"), Mailbox("joe", "else.example")),
    (Mailbox("joe", "else.example."), Mailbox("joe", "else.example")),
    (Mailbox("joe", "sales.incomplete"), Mailbox("joe", "sales.incomplete")),
    (Mailbox("joe", "[192.0.2.1]"), Mailbox("joe", "[192.0.2.1]")),
    (Mailbox("a b", ""), Mailbox("a b", "here.example")),
]


@pytest.mark.parametrize(("given", "expected"), COMPLETED)
def test_B9_envelope_domains_are_completed(given: Mailbox, expected: Mailbox) -> None:
    assert complete_sender(given, RULES) == expected
    assert complete_recipient(given, RULES) == expected


@pytest.mark.parametrize("domain", ["sales", "sales."])
def test_B9_a_single_label_is_expanded_only_if_configured(domain: str) -> None:
    sender, recipient = (
        complete(Mailbox("joe", domain), RULES) for complete in (complete_sender, complete_recipient)
    )
    assert isinstance(sender, Reply)
    assert isinstance(recipient, Reply)
    assert (sender.code, sender.status) == (554, "5.1.7")
    assert (
        str(recipient)
        == f"554 5.1.3 The recipient joe@{domain} has a domain of one label; write the full one"
    )
    rules = replace(RULES, parent="here.example")
    assert complete_sender(Mailbox("joe", domain), rules) == Mailbox("joe", "sales.here.example")
    assert complete_recipient(Mailbox("joe", domain), rules) == Mailbox("joe", "sales.here.example")


def test_B9_the_bare_postmaster_is_this_hosts() -> None:
    assert complete_recipient(Mailbox("Postmaster", ""), RULES) == Mailbox("Postmaster", "")
    assert complete_sender(Mailbox("Postmaster", ""), RULES) == Mailbox("Postmaster", "here.example")


def test_B20_the_envelope_sender_is_masqueraded_and_no_recipient() -> None:
    masquerade = Masquerade(
        (DomainPattern(".here.example"),), "here.example", {"u": Mailbox("U", "here.example")}
    )
    rules = replace(RULES, masquerade=masquerade)
    assert complete_sender(Mailbox("u", "host1.here.example"), rules) == Mailbox("U", "here.example")
    assert complete_sender(Mailbox("u", ""), rules) == Mailbox("U", "here.example")
    assert complete_recipient(Mailbox("u", "host1.here.example"), rules) == Mailbox("u", "host1.here.example")
    assert complete_recipient(Mailbox("u", ""), rules) == Mailbox("u", "here.example")
