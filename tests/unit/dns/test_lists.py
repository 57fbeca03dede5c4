"""Names of entries in lists, and what answers mean (RFC 5782; C-16, C-17, C-19, C-20, C-22, X-11, S-6)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.client_list import parse_client_list
from paperpath.dns.answer import Answer, Status
from paperpath.dns.lists import (
    MOST_REASON,
    POINTS,
    Standing,
    clean_reason,
    judge_entry,
    judge_test,
    name_entry,
    parse_client,
)
from paperpath.mail.reply import MOST_LINE_OCTETS, make_reply

NIBBLES = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"
NOTHING: Answer[str] = Answer(Status.NXDOMAIN)
SILENCE: Answer[str] = Answer(Status.TIMED_OUT, detail="no answer")


def found(*values: str) -> Answer[str]:
    return Answer(Status.FOUND, values)


def entry(client: str, zone: str = "bad.example") -> str:
    address = parse_client(client)
    assert address is not None
    return name_entry(address, zone)


def test_C16_an_address_is_asked_for_backwards():
    assert entry("192.0.2.99") == "99.2.0.192.bad.example"
    assert entry("2001:db8:1:2:3:4:567:89ab") == f"{NIBBLES}.bad.example"


def test_C17_an_address_of_ipv4_is_one_however_it_came():
    assert entry("::ffff:192.0.2.99") == entry("192.0.2.99")


@pytest.mark.parametrize("text", ["", "somebody", "192.0.2", "uid 1000"])
def test_who_has_no_address_is_on_no_list(text):
    assert parse_client(text) is None


@given(st.ip_addresses())
def test_C16_names_are_those_of_the_reverse_tree_but_for_its_domain(address):
    reverse = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    assert name_entry(address, "bad.example") == f"{reverse}.bad.example"


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        (found("127.0.0.2"), Standing.LISTED),
        (found("127.0.0.6"), Standing.LISTED),
        (found("127.0.0.1"), Standing.LISTED),
        (found("127.255.254.255"), Standing.LISTED),
        (found("203.0.113.1"), Standing.FAILED),
        (found("128.0.0.2"), Standing.FAILED),
        (found("127.255.255.254"), Standing.FAILED),
        (found("127.255.255.0", "203.0.113.1"), Standing.FAILED),
        (found("203.0.113.1", "127.0.0.2"), Standing.LISTED),
        (NOTHING, Standing.UNLISTED),
        (Answer(Status.NODATA), Standing.UNLISTED),
        (SILENCE, Standing.FAILED),
        (Answer(Status.FAILED, detail="SERVFAIL"), Standing.FAILED),
    ],
)
def test_C19_X11_only_values_of_the_loopback_network_list(answer, standing):
    assert judge_entry(answer).standing is standing


@pytest.mark.parametrize(
    ("values", "answer", "standing"),
    [
        ("127.0.0.2,127.0.0.4", found("127.0.0.4"), Standing.LISTED),
        ("127.0.0.2,127.0.0.4", found("127.0.0.3"), Standing.UNLISTED),
        ("127.0.0.2", found("127.0.0.3", "127.0.0.2"), Standing.LISTED),
        ("127.0.1.0/24", found("127.0.1.77"), Standing.LISTED),
        ("127.0.1.0/24", found("127.0.2.77"), Standing.UNLISTED),
        ("&4", found("127.0.0.6"), Standing.LISTED),
        ("&4", found("127.0.0.2"), Standing.UNLISTED),
        ("&256", found("127.0.1.0"), Standing.LISTED),
        ("&255", found("127.255.255.1"), Standing.FAILED),
        ("127.0.0.2", found("203.0.113.1"), Standing.FAILED),
    ],
)
def test_C19_some_values_alone_may_count(values, answer, standing):
    selection = parse_client_list(f"black:bad.example={values}").selection
    assert judge_entry(answer, selection).standing is standing


def test_C19_what_a_list_said_is_told():
    assert judge_entry(found("127.0.0.2", "127.0.0.4")).detail == "127.0.0.2 127.0.0.4"
    assert "203.0.113.1" in judge_entry(found("203.0.113.1")).detail
    assert "error" in judge_entry(found("127.255.255.252")).detail


def test_C22_the_points_of_both_families():
    assert name_entry(POINTS[4].listed, "z.example") == "2.0.0.127.z.example"
    assert name_entry(POINTS[4].unlisted, "z.example") == "1.0.0.127.z.example"
    mapped = "0.0.0.f.7.f.f.f.f." + "0." * 20
    assert name_entry(POINTS[6].listed, "z.example") == f"2.0.0.{mapped}z.example"
    assert name_entry(POINTS[6].unlisted, "z.example") == f"1.0.0.{mapped}z.example"


@pytest.mark.parametrize(
    ("listed", "unlisted", "trouble"),
    [
        (found("127.0.0.2"), NOTHING, ""),
        (found("127.0.0.2"), Answer(Status.NODATA), ""),
        (found("127.0.0.2"), found("127.0.0.2"), "everything"),
        (NOTHING, NOTHING, "no entry"),
        (found("203.0.113.1"), found("203.0.113.1"), "outside"),
        (found("127.255.255.254"), found("127.255.255.254"), "error"),
        (found("127.0.0.2"), found("203.0.113.1"), "outside"),
    ],
)
def test_C22_a_list_has_one_point_and_not_the_other(listed, unlisted, trouble):
    verdict = judge_test(listed, unlisted)
    assert verdict is not None
    assert trouble in verdict
    assert bool(trouble) == bool(verdict)


def test_C22_a_list_that_is_silent_is_not_judged():
    assert judge_test(SILENCE, NOTHING) is None
    assert judge_test(found("127.0.0.2"), SILENCE) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"Dynamic address, see http://bad.example?192.0.2.99", None),
        (b"first\r\nsecond\n\tthird", "first second third"),
        (b"250 fine\r\n550 5.7.1 mine", "250 fine 550 5.7.1 mine"),
        (b"a (comment) \x1b[31mred\x00", "a [comment] ?[31mred?"),
        ("schön".encode(), "sch?n"),
        (b"caf\xe9", "caf?"),
        (b" \t ", ""),
    ],
)
def test_C20_S6_a_reason_is_one_plain_line(text, line):
    assert clean_reason([text]) == (text.decode() if line is None else line)


def test_C20_the_first_reason_counts():
    assert clean_reason([b"first", b"second"]) == "first"
    assert clean_reason([]) == ""


@given(st.binary(max_size=5000))
def test_C20_S6_whatever_a_list_says_fits_one_line_of_a_reply(octets):
    reason = clean_reason([octets])
    assert reason.isascii()
    assert reason.isprintable() or not reason
    assert not set("()\r\n\0") & set(reason)
    assert len(reason) <= MOST_REASON
    longest = "ffff:" * 7 + "ffff"
    reply = make_reply(550, "5.7.1", f"Mail from {longest} is refused: {reason}")
    assert len(reply.octets) <= MOST_LINE_OCTETS
    assert reason in reply.octets.decode()


def test_C20_two_thousand_octets_are_cut():
    assert clean_reason([b"x" * 2000]) == "x" * MOST_REASON


def test_the_points_are_of_their_family():
    assert all(points.listed.version == version for version, points in POINTS.items())
    assert POINTS[6].listed == ipaddress.IPv6Address("::ffff:127.0.0.2")
