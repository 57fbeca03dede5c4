"""Headers made to be trouble: completed or refused, never mangled, and in time (attacks S-10, S-11)."""

import re
from dataclasses import replace

import pytest

from paperpath.config.domain import DomainPattern
from paperpath.submission.canonical.values import Masquerade
from tests.support.canonical import COMPLETE, RULES, WHOLE, put, refuse, to_wire

LENIENT = replace(RULES, is_strict=False)
MIB = 2**20


def test_S10_ten_thousand_fields_are_nothing() -> None:
    octets = to_wire(WHOLE) + b"".join(b"X-%d: y\r\n" % number for number in range(10_000))
    assert put(octets).made.header is octets


@pytest.mark.parametrize("name", ["Bcc", "Return-Path"])
def test_S10_ten_thousand_fields_are_removed(name: str) -> None:
    done = put(f"{name}: a@b.example\n" * 10_000 + WHOLE)
    assert (done.header, done.changes) == (WHOLE, [f"{name} removed"])


def test_S10_ten_thousand_fields_are_merged() -> None:
    done = put(WHOLE + "".join(f"Cc: n{number}@else.example\n" for number in range(10_000)))
    assert done.header.count("@else.example") == 10_001
    assert done.header.count("\nCc: ") == 1


def test_S10_ten_thousand_fields_of_which_there_may_be_one_are_refused() -> None:
    reply = refuse("From: a@b.example\n" * 10_000)
    assert reply == "554 5.6.0 From stands 10000 times in the header; there may be one"


def test_S10_ten_thousand_names_with_blanks_and_ten_thousand_encoded_fields() -> None:
    names = "".join(f"X-{number} : y\n" for number in range(10_000))
    assert put(WHOLE + names).header == WHOLE + names.replace(" :", ":")
    assert put(WHOLE + "Subject-X: é\n" * 10_000).header.isascii()


@pytest.mark.slow
def test_S11_a_field_of_a_mebioctet_is_folded_or_refused() -> None:
    text = "some words " * (MIB // 11)
    done = put(f"{WHOLE}Subject: {text}\n")
    assert done.values("Subject") == [text.strip()]
    assert max(map(len, done.header.split("\n"))) <= 78
    assert refuse(f"{WHOLE}Subject: {'x' * MIB}\n").startswith("554 5.6.0 Subject: a word of")
    folded = f"{WHOLE}Subject: {'x' * 70}" + f"\n {'x' * 70}" * (MIB // 72) + "\n"
    assert put(folded).changes == []


def test_S11_a_word_of_a_mebioctet_beside_an_address_that_may_be_masqueraded() -> None:
    masquerade = Masquerade((DomainPattern(".here.example"),), "here.example")
    header = WHOLE.replace("joe@here.example", f"{'x' * MIB} <joe@here.example>")
    done = put(header, rules=replace(RULES, masquerade=masquerade))
    assert done.values("From")[0].endswith("x?= <joe@here.example>")
    assert done.changes == ["From folded anew"]


def test_S11_a_list_of_ten_thousand_is_completed_and_one_of_a_mebioctet_refused() -> None:
    done = put(WHOLE.replace("mary@else.example", "joe, " * 10_000 + "mary"))
    assert done.header.count("joe@here.example") == 10_001
    assert max(map(len, done.header.split("\n"))) <= 78
    too_long = WHOLE.replace("mary@else.example", "joe, " * (MIB // 5) + "mary")
    assert refuse(too_long).startswith("554 5.6.0 To: The list is too long")


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "(",
        ")",
        '"',
        "<",
        "@",
        ",",
        ":",
        ";",
        "\\",
        "a@",
        "<a",
        '""',
        "=?",
        "=?utf-8?q?",
        "g:",
        "a@b.example ",
    ],
)
def test_S11_a_mebioctet_of_one_thing_is_refused_or_harmless(unit: str) -> None:
    header = WHOLE.replace("mary@else.example", unit * (MIB // len(unit)))
    if unit == ",":
        assert put(header).values("Bcc") == [""]
    else:
        assert refuse(header, rules=LENIENT).startswith("554 5.")


def test_S11_white_space_by_the_mebioctet() -> None:
    done = put(f"{WHOLE}Subject: a" + "\n " * (MIB // 2) + "\n b\n")
    assert done.values("Subject") == ["a b"]
    assert put(f"{WHOLE}Subject: a {' ' * 900}\n{' ' * 900}b\n").changes == []


def test_a_header_that_is_too_big_is_refused() -> None:
    assert refuse(to_wire(WHOLE) + b"X: y\r\n" * MIB).startswith("554 5.6.0 The header has more than")


@pytest.mark.parametrize("octets", [b"a\0b", b"\0", b"a\rb", b"a\nb", b"\r", b"a\n.b", b"a\r\r\nb"])
def test_B26_NUL_and_stray_line_ends_are_refused(octets: bytes) -> None:
    for header in (to_wire(WHOLE) + b"Subject: " + octets + b"\r\n", octets + to_wire(WHOLE)):
        assert re.match("554 5.6.0 The header holds a (?:NUL|CR or LF)", refuse(header))


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.org)bob@evil.example",
        "alice@example.org(bob@evil.example",
        "alice@example.org>, <bob@evil.example",
        "<alice@example.org> <bob@evil.example>",
        "alice@example.org <bob@evil.example>",
        "=?utf-8?q?alice=40evil=2Eexample?=@example.org",
        "<=?utf-8?b?YUBi?=@example.org>",
        "alice@=?utf-8?q?example?=.org",
        '"alice"bob@example.org',
        "alice@example.org;bob@evil.example",
        "alice@[192.0.2.1",
        "alice@[192.0.2.999]",
        "alice@exa mple.org",
        "alice@example..org",
        ".alice@example.org",
        "<<alice@example.org>>",
        "g: h: alice@example.org;;",
        "alice\x7f@example.org",
        "alice\x01@example.org",
    ],
)
def test_B6_addresses_that_two_readers_could_read_in_two_ways_are_refused(address: str) -> None:
    for mailbox in ("joe@here.example", "mary@else.example"):
        assert refuse(WHOLE.replace(mailbox, address), rules=LENIENT).startswith("554 5.")


def test_groups_stay_groups() -> None:
    header = WHOLE.replace("mary@else.example", "g: a@b.example, C <c@d.example>;, h:;, e@f.example")
    assert put(header).changes == []


def test_encoded_words_where_they_mean_nothing_stay_as_they_are() -> None:
    header = WHOLE.replace("joe@here", '"=?utf-8?q?J=C3=B6?=" <joe@here').replace(
        "example\nTo", "example>\nTo"
    )
    odd = "Subject: =?utf-8?q?broken =?= ?= =?x?y?z?=\nX: =?utf-8?q?=FF?=\n"
    assert put(header + odd).changes == []


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_header_without_a_body_is_completed(end: bytes) -> None:
    done = put(b"Subject: x" + end)
    assert done.header.startswith("Subject: x\nFrom: joe@here.example\nDate: ")
    assert done.header.endswith("Bcc:\n")


def test_a_body_without_a_header_gets_one() -> None:
    done = put("", b"body\r\n")
    assert done.changes == ["From added", "Date added", "Message-ID added", "Bcc added"]
    assert done.body == b"body\r\n"


def test_a_message_of_nothing_is_completed() -> None:
    assert (
        put(b"").header == f"From: joe@here.example\n{COMPLETE.replace('<id@here', '<token@mx.here')}Bcc:\n"
    )


def test_a_refusal_fits_into_a_reply_whatever_the_name() -> None:
    reply = refuse(to_wire(WHOLE) + b"X" * 900 + b": \xff\r\n")
    assert reply.startswith(f"554 5.6.0 {'X' * 40}...: octets above 7F")


def test_S10_a_list_that_would_take_long_to_read_is_refused() -> None:
    members = ", ".join(f"J\u00f6e {number} <n{number}@else.example>" for number in range(10_001))
    assert put(WHOLE + f"Cc: {members}\n").header.isascii()
    assert refuse(WHOLE + f"Cc: {members}, last\n").startswith("554 5.6.0 Cc: The list is too long")
    assert refuse(WHOLE + "Cc: " + "a:;" * 10_001 + "\n").startswith("554 5.6.0 Cc: The list is too long")


def test_S10_a_header_of_too_many_fields_is_refused() -> None:
    assert refuse(WHOLE + "X: y\n" * 20_000).startswith("554 5.6.0 The header has more than 20000 fields")
