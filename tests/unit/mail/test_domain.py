"""Names of domains: which are, which are equal, both spellings (A-25, A-26, A-63, E-2, S-9)."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.mail.domain import domain_key, is_address_literal, is_domain, to_a_labels, to_u_labels

GREEK, GREEK_A = "παράδειγμα.example", "xn--hxajbheg2az3al.example"
LONGEST_LABEL = "a" * 63
LONGEST_NAME = ".".join([LONGEST_LABEL] * 3 + ["b" * 61, "c"])
LONGEST_U_LABEL = "ü" * 57  # 63 octets as an A-label


@pytest.mark.parametrize(
    "name", ["a", "a.b", "1.2", "x-y.z", "r3---sn.example", "xn--ls8h.la", LONGEST_LABEL, LONGEST_NAME]
)
def test_A25_letters_digits_and_hyphens_are_a_domain(name: str) -> None:
    assert is_domain(name)
    assert to_a_labels(name.upper()) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "-a",
        "a-",
        "a.-b",
        "a-.b",
        "a_b",
        "a b",
        "a\n",
        "é.example",
        "[192.0.2.1]",
        LONGEST_LABEL + "a",
        LONGEST_LABEL + "a.b",
        LONGEST_NAME + "c",
    ],
)
def test_A25_anything_else_is_not(name: str) -> None:
    assert not is_domain(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HERE.example.", "here.example"),
        (GREEK, GREEK_A),
        (GREEK.upper(), GREEK_A.upper()),
        (GREEK + ".", GREEK_A),
        ("bücher.example", "bu\u0308cher.example"),  # not composed
        ("ｂücher。example", "bücher.example"),  # full width, ideographic full stop
        ("bücher.xn--hxajbheg2az3al.r3---sn.example", "xn--bcher-kva.παράδειγμα.r3---sn.example"),
        ("faß.example", "xn--fa-hia.example"),  # not fass.example, as IDNA2003 had it
        ("\u212aios\u212a.example", "kiosk.example"),
        ("[IPv6:0:0:0:0:0:0:0:1]", "[ipv6:::1]"),
        ("[IPv6:2001:DB8::A]", "[IPv6:2001:db8:0::000a]"),
        ("[IPv6:::ffff:192.0.2.1]", "[IPv6:::FFFF:C000:0201]"),
    ],
)
def test_A63_E2_S9_spellings_of_one_domain_have_one_key(one: str, other: str) -> None:
    assert domain_key(one) == domain_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("faß.example", "fass.example"),
        ("bücher.example", "bucher.example"),
        ("[192.0.2.1]", "[IPv6:::ffff:192.0.2.1]"),
        ("раураl.example", "paypal.example"),  # Cyrillic
    ],
)
def test_S9_unlike_domains_have_unlike_keys(one: str, other: str) -> None:
    assert domain_key(one) != domain_key(other)


@pytest.mark.parametrize(
    "name",
    [
        "💩.example",  # IDNA2008 allows no symbols
        "a\u200db.example",  # a joiner where there is nothing to join
        "\u0301a.example",  # begins with a mark
        "-é.example",
        "é-.example",
        "xn--é.example",
        "é..example",
        ".é.example",
        "é.example.",
        "é_a.example",
        "℀.é",  # stands for a/c
        "é＠a.example",
        "é［.example",
        "\u0627a.\u0627",  # from right to left, then from left to right
        "é\x00.example",
        "\ud800.example",
        LONGEST_U_LABEL + "ü.example",
        "é" * 128,
        "\U000e0100" * 64 + "a.example",  # mapped to nothing, and yet 256 octets of a header's line
    ],
)
def test_A62_what_idna_refuses_is_no_domain_and_has_a_key_all_the_same(name: str) -> None:
    assert to_a_labels(name) is None
    assert domain_key(name) == domain_key(domain_key(name))


def test_A25_a_label_has_63_octets_as_an_a_label() -> None:
    encoded = to_a_labels(LONGEST_U_LABEL + ".example")
    assert encoded is not None
    assert len(encoded.split(".")[0]) == 63


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        (GREEK_A, GREEK),
        (GREEK_A.upper(), GREEK),
        ("XN--BCHER-KVA.Example", "bücher.example"),
        ("Plain.example", "Plain.example"),
        (GREEK, GREEK),
        ("xn--ls8h.la", "xn--ls8h.la"),  # a symbol
        ("xn--abc-.example", "xn--abc-.example"),
        ("xn--.example", "xn--.example"),
        ("xn--ls8h.xn--bcher-kva", "xn--ls8h.bücher"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("xn--bcher-kva.?", "xn--bcher-kva.?"),
        ("", ""),
    ],
)
def test_A64_a_domain_is_written_with_u_labels_where_it_has_any(domain: str, shown: str) -> None:
    assert to_u_labels(domain) == shown


@pytest.mark.parametrize(
    "text",
    ["[192.0.2.1]", "[IPv6:2001:db8::1]", "[ipV6:::ffff:192.0.2.1]", "[IPv6:::]"],
)
def test_A26_address_literals(text: str) -> None:
    assert is_address_literal(text)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[256.0.0.1]",
        "[1.2.3]",
        "[01.2.3.4]",
        "[2001:db8::1]",
        "[IPv6:1::2::3]",
        "[IPv6:fe80::1%eth0]",
        "192.0.2.1",
        "[192.0.2.1",
        "[192.0.2.1]\n",
        "[IPv6:192.0.2.1]",
        "[IPv6:٣::]",
        "[٣.1.1.1]",
        "[x:y]",
    ],
)
def test_A26_malformed_literals(text: str) -> None:
    assert not is_address_literal(text)
    assert domain_key(text) == domain_key(domain_key(text))


@given(st.ip_addresses(v=6))
def test_E2_every_spelling_of_an_ipv6_address_has_one_key(address: ipaddress.IPv6Address) -> None:
    assert domain_key(f"[ipv6:{address.exploded.upper()}]") == domain_key(f"[IPv6:{address.compressed}]")


@given(st.text(max_size=80))
@example("\ud800")
@example("[")
def test_S9_every_text_has_a_key_that_is_its_own_and_shown_keeps_it(text: str) -> None:
    key = domain_key(text)
    encoded = to_a_labels(text)
    assert encoded is None or (key == encoded and encoded.isascii() and is_domain(encoded))
    if encoded is not None:
        assert domain_key(key) == key
        assert domain_key(to_u_labels(key)) == key


@given(st.lists(st.text("abcxyz09-éüßαωжя中文अ", min_size=1, max_size=12), min_size=1, max_size=4))
def test_A63_u_labels_and_a_labels_lead_to_each_other(labels: list[str]) -> None:
    encoded = to_a_labels(".".join(labels))
    if encoded is not None:
        shown = to_u_labels(encoded)
        assert to_a_labels(shown) == encoded
        assert "xn--" in encoded or shown == encoded
