"""What a log shows of domains that have two spellings (S-9)."""

import pytest

from paperpath.mail.address import Mailbox
from paperpath.mail.shown import show_domain, show_path


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("", ""),
        ("Example.ORG", "Example.ORG"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("bücher.example", "bücher.example (xn--bcher-kva.example)"),
        ("BÜCHER.example", "BÜCHER.example (xn--bcher-kva.example)"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example (bücher.example)"),
        ("XN--BCHER-KVA.example", "XN--BCHER-KVA.example (bücher.example)"),
        ("аpple.example", "аpple.example (xn--pple-43d.example)"),  # the first letter is Cyrillic
        ("xn--nonsense-.example", "xn--nonsense-.example"),
        ("a\udc80.example", "a\udc80.example"),
    ],
)
def test_S9_a_domain_with_two_spellings_is_shown_in_both(domain: str, shown: str) -> None:
    assert show_domain(domain) == shown
    assert show_path(Mailbox("u", domain or "x")) == f"<u@{domain or 'x'}>{shown[len(domain) :]}"


def test_no_sender_has_no_domain() -> None:
    assert show_path(None) == "<>"
