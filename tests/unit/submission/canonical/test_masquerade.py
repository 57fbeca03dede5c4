"""The masquerade table: its text, all its mistakes at once, and what is idempotent by it."""

import pytest

from paperpath.config.domain import DomainPattern
from paperpath.mail.address import Mailbox
from paperpath.submission.canonical.mailboxes import put_mask_on
from paperpath.submission.canonical.masquerade import MasqueradeError, parse_masquerade

HIDDEN = (DomainPattern(".example.org"),)


def test_B20_a_table_is_read() -> None:
    text = '# users\n\njru \t J.Random.User@example.org\n"a b"  "c d"@bücher.example  \nJÖ x@example.net\n'
    masquerade = parse_masquerade(text, HIDDEN, "example.org")
    assert dict(masquerade.users) == {
        "jru": Mailbox("J.Random.User", "example.org"),
        "a b": Mailbox("c d", "xn--bcher-kva.example"),
        "jö": Mailbox("x", "example.net"),
    }
    assert put_mask_on(Mailbox("JRU", "HOST.example.org"), masquerade) == Mailbox(
        "J.Random.User", "example.org"
    )
    assert put_mask_on(Mailbox("a b", "example.org"), masquerade) == Mailbox("c d", "xn--bcher-kva.example")
    assert put_mask_on(Mailbox("other", "host.example.org"), masquerade) == Mailbox("other", "example.org")
    assert put_mask_on(Mailbox("jru", "example.net"), masquerade) == Mailbox("jru", "example.net")


def test_B20_without_a_name_nothing_is_hidden() -> None:
    masquerade = parse_masquerade("u x@example.net", HIDDEN, "")
    assert put_mask_on(Mailbox("u", "host.example.org"), masquerade) == Mailbox("u", "host.example.org")


def test_every_mistake_has_its_line() -> None:
    text = (
        "alone\nu @\nv x@example.net\n\nV y@example.net\n..a b@example.net\nw ö@example.net\nx postmaster\n"
    )
    with pytest.raises(MasqueradeError) as caught:
        parse_masquerade(text, HIDDEN, "example.org")
    assert [line for line, _ in caught.value.mistakes] == [1, 2, 5, 6, 7, 8]
    messages = dict(caught.value.mistakes)
    assert messages[1].endswith('got "alone"')
    assert messages[5] == "expected one line for each local part; this one is on line 3"
    assert messages[7].endswith("the address is not ASCII")
    assert str(caught.value).startswith('1: expected a local part, white space and an address such as "jru ')


@pytest.mark.parametrize("text", ["a b@example.org\nb c@example.net", "a b@host.example.org"])
def test_B26_an_address_that_is_masqueraded_itself_is_a_mistake(text: str) -> None:
    with pytest.raises(MasqueradeError, match="1: expected an address that is not masqueraded itself"):
        parse_masquerade(text, HIDDEN, "example.org")
    assert parse_masquerade("a A@example.org", HIDDEN, "example.org").users
