import pytest

from paperpath.config.domain import (
    DomainPattern,
    parse_domain_pattern,
    parse_hostname,
    parse_postmaster,
    parse_route_domain,
)

LONGEST_LABEL = "a" * 63
LONGEST_NAME = ".".join([LONGEST_LABEL] * 3 + ["b" * 61, "c"])

NO_NAMES = [
    "",
    ".",
    "a..b",
    "-a.example",
    "a-.example",
    "a_b.example",
    "a b.example",
    "example.org\n",
    "example.org..",
    "127.0.0.1",
    "[127.0.0.256]",
    LONGEST_LABEL + "a.example",
    LONGEST_NAME + "c",
]


@pytest.mark.parametrize(
    ("text", "hostname"),
    [
        ("mail.example.org", "mail.example.org"),
        ("Mail.Example.ORG.", "mail.example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("4.example4", "4.example4"),
        (LONGEST_NAME, LONGEST_NAME),
    ],
)
def test_a_hostname_of_two_labels_or_more_is_taken_and_folded(text, hostname):
    assert parse_hostname(text) == hostname


@pytest.mark.parametrize("text", [*NO_NAMES, "localhost", "localhost.", ".example.org", "*"])
def test_a_hostname_that_is_no_full_name_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected the full name of this host"):
        parse_hostname(text)


@pytest.mark.parametrize(
    "text", ["bücher.example", "BÜCHER.example.", "bu\u0308cher.example", "xn--bcher-kva.example"]
)
def test_A63_every_spelling_of_a_name_is_kept_as_its_a_labels(text):
    assert parse_hostname(text) == "xn--bcher-kva.example"
    for parse in (parse_domain_pattern, parse_route_domain):
        assert parse(text) == DomainPattern("xn--bcher-kva.example")
        assert parse("." + text) == DomainPattern(".xn--bcher-kva.example")
    assert parse_postmaster("me@" + text) == "me@xn--bcher-kva.example"


@pytest.mark.parametrize("parse", [parse_hostname, parse_domain_pattern, parse_route_domain])
@pytest.mark.parametrize(
    "text", ["💩.example", "-ü.example", "ü..example", "ü_a.example", "ü" * 58 + ".example", "ü。"]
)
def test_a_name_that_idna_refuses_is_refused_with_the_reason(parse, text):
    with pytest.raises(ValueError, match=r"^expected .*; what is not ASCII in it must be valid in IDNA2008$"):
        parse(text)


@pytest.mark.parametrize("parse", [parse_hostname, parse_domain_pattern, parse_route_domain])
def test_an_ipv4_address_is_no_name_in_full_width_digits_either(parse):
    with pytest.raises(ValueError, match=r"^expected "):
        parse("\uff11\uff12\uff17.0.0.\uff11")


@pytest.mark.parametrize("parse", [parse_domain_pattern, parse_route_domain])
@pytest.mark.parametrize(
    ("text", "pattern"),
    [("Example.ORG.", "example.org"), (".Example.NET.", ".example.net"), ("localhost", "localhost")],
)
def test_patterns_are_kept_in_lower_case_without_a_trailing_dot(parse, text, pattern):
    assert parse(text) == DomainPattern(pattern)
    assert str(parse(text)) == pattern


@pytest.mark.parametrize("parse", [parse_domain_pattern, parse_route_domain])
@pytest.mark.parametrize("text", [*NO_NAMES, "..example.org", "*.example.org", "**"])
def test_patterns_of_another_form_are_refused(parse, text):
    with pytest.raises(ValueError, match=r"^expected a domain"):
        parse(text)


@pytest.mark.parametrize("parse", [parse_domain_pattern, parse_route_domain])
@pytest.mark.parametrize(
    ("text", "pattern"),
    [("[127.0.0.1]", "[127.0.0.1]"), ("[ipv6:0:0:0:0:0:0:0:1]", "[IPv6:::1]")],
)
def test_E2_an_address_literal_is_a_domain_of_its_own_in_one_spelling(parse, text, pattern):
    assert parse(text) == DomainPattern(pattern)
    assert parse(text).matches("[IPV6:0::1]") is (pattern == "[IPv6:::1]")


def test_every_domain_may_be_routed_and_not_accepted():
    assert parse_route_domain("*") == DomainPattern("*")
    with pytest.raises(ValueError, match="open relay"):
        parse_domain_pattern("*")


@pytest.mark.parametrize(
    ("pattern", "domain", "matched"),
    [
        ("example.org", "example.org", True),
        ("example.org", "EXAMPLE.org.", True),
        ("example.org", "a.example.org", False),
        ("example.org", "badexample.org", False),
        (".example.org", "example.org", False),
        (".example.org", "a.example.org", True),
        (".example.org", "A.B.Example.Org.", True),
        (".example.org", "badexample.org", False),
        (".example.org", ".sub.example.org", True),
        ("sub.example.org", ".example.org", False),
        ("*", "anything", True),
        ("*", ".example.org", True),
        ("xn--bcher-kva.example", "BÜCHER.example", True),
        ("xn--bcher-kva.example", "XN--BCHER-KVA.example.", True),
        ("xn--bcher-kva.example", "bucher.example", False),
        (".xn--bcher-kva.example", "ä.bücher.example", True),
        (".xn--bcher-kva.example", "bücher.example", False),
        ("kiosk.example", "\u212aios\u212a.example", True),
        ("*", "💩.example", True),
        ("example.org", "[", False),
    ],
)
def test_matching_is_exact_or_by_suffix_or_of_everything(pattern, domain, matched):
    assert DomainPattern(pattern).matches(domain) is matched


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("me@example.test", "me@example.test"),
        ("First.Last+tag@Example.TEST.", "First.Last+tag@example.test"),
        ("l" * 64 + "@localhost", "l" * 64 + "@localhost"),
    ],
)
def test_the_postmaster_is_an_address_whose_domain_is_folded(text, address):
    assert parse_postmaster(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me",
        "@example.test",
        "me@",
        "m e@example.test",
        "me\x00@example.test",
        "me@example.test\n",
        "<me@example.test>",
        "a@b@example.test",
        ".me@example.test",
        "m..e@example.test",
        '"me"@example.test',
        "mé@example.test",
        "me@💩.test",
        "me@.example.test",
        "me@[127.0.0.1]",
        "l" * 65 + "@example.test",
    ],
)
def test_a_postmaster_that_is_no_plain_address_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected an address"):
        parse_postmaster(text)
