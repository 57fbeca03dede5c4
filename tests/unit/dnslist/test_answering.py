"""Octets in, octets out: what dnslistd says to any question, and to what is none (L-11, C.3; S-10)."""

import ipaddress
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.dns.lists import POINTS, Standing, judge_entry, judge_test, name_entry
from paperpath.dns.names import parse_name
from paperpath.dns.records import TXT, A
from paperpath.dns.wire import make_query, make_question, read_answer
from paperpath.dnslist.answering import MOST_TCP_OCTETS, MOST_UDP_OCTETS, Outcome, Said, answer
from tests.unit.dnslist.zones import LONG, ZONES

BAD = "bad.example.org"


def ask(name: str, kind: str = "A", *, most_octets: int = MOST_UDP_OCTETS, **options) -> dns.message.Message:
    """Ask; return the answer as another implementation reads it."""
    query = dns.message.make_query(name, kind, **options)
    said = answer(query.to_wire(), ZONES, most_octets)
    assert said is not None
    response = dns.message.from_wire(said.octets)
    assert query.is_response(response)
    assert len(said.octets) <= most_octets
    assert not response.flags & dns.flags.RA
    return response


def records(response: dns.message.Message) -> list[str]:
    return [str(record) for rrset in response.answer for record in rrset]


def entry(text: str, zone: str = BAD) -> str:
    return name_entry(ipaddress.ip_address(text), zone)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        (entry("192.0.2.5"), "A", ["127.0.0.4"]),
        (entry("192.0.2.5"), "TXT", ['"Bad 192.0.2.5, see https://bad.example.org/192.0.2.5"']),
        (entry("192.0.2.5"), "ANY", ["127.0.0.4"]),
        (entry("192.0.2.7"), "A", ["127.0.0.2"]),
        (entry("192.0.2.7"), "TXT", ['"\\195\\156nlike"']),
        (entry("2001:db8::1"), "A", ["127.0.0.2"]),
        (entry("2001:db8::1").upper(), "TXT", ['"2001:db8::1 is on this list"']),
        (entry("192.0.2.5", f"v6.{BAD}"), "A", ["127.0.0.4"]),
        (entry("192.0.2.7", f"v6.{BAD}"), "A", ["127.0.0.9"]),
        (entry("2001:db8::1", f"v6.{BAD}"), "TXT", ['"v6 2001:db8::1"']),
        (BAD, "NS", ["ns1.example.net.", "ns2.example.net."]),
        (BAD, "SOA", ["ns1.example.net. me.example.org. 1700000000 3600 600 604800 300"]),
        (BAD, "ANY", ["ns1.example.net. me.example.org. 1700000000 3600 600 604800 300"]),
    ],
)
def test_L11_what_is_there(name, kind, expected):
    response = ask(name, kind)
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    assert records(response) == expected
    assert [rrset.ttl for rrset in response.answer] == [86400 if "v6" in name else 7200]
    assert response.authority == []


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        (entry("192.0.3.5"), "A", "NOERROR"),
        (entry("192.0.3.5"), "TXT", "NOERROR"),
        (entry("2001:db9::"), "A", "NOERROR"),
        (entry("192.0.2.5"), "AAAA", "NOERROR"),
        (entry("192.0.2.5"), "NS", "NOERROR"),
        (BAD, "A", "NOERROR"),
        (BAD, "TXT", "NOERROR"),
        (f"192.{BAD}", "A", "NOERROR"),
        (f"0.2.192.{BAD}", "NS", "NOERROR"),
        (f"8.b.d.0.1.0.0.2.{BAD}", "A", "NOERROR"),
        (f"x.{BAD}", "A", "NXDOMAIN"),
        (f"256.2.0.192.{BAD}", "A", "NXDOMAIN"),
        (f"01.2.0.192.{BAD}", "A", "NXDOMAIN"),
        (f"5.{entry('192.0.2.5')}", "A", "NXDOMAIN"),
        (f"0.{entry('2001:db8::1')}", "A", "NXDOMAIN"),
        (f"x{entry('2001:db8::1')[1:]}", "A", "NXDOMAIN"),
        (f"00.0.0.0.0.0.{BAD}", "A", "NXDOMAIN"),
    ],
)
def test_L11_what_is_not_there(name, kind, rcode):
    response = ask(name, kind)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert response.flags & dns.flags.AA
    assert response.answer == []
    (start,) = response.authority
    assert start.rdtype == dns.rdatatype.SOA
    assert start.name == dns.name.from_text(BAD)
    assert start.ttl == 300


@pytest.mark.parametrize(
    ("name", "kind", "group"),
    [
        ("example.org", "A", "IN"),
        ("org", "SOA", "IN"),
        (".", "NS", "IN"),
        ("notbad.example.org", "A", "IN"),
        (BAD, "AXFR", "IN"),
        (BAD, "IXFR", "IN"),
        (BAD, "SOA", "CH"),
        (BAD, "SOA", "ANY"),
    ],
)
def test_what_is_not_ours_is_refused(name, kind, group):
    response = ask(name, kind, rdclass=group)
    assert response.rcode() == dns.rcode.REFUSED
    assert not response.flags & dns.flags.AA
    assert response.answer == response.authority == []


@pytest.mark.parametrize("zone", [BAD, f"v6.{BAD}"])
@pytest.mark.parametrize("version", [4, 6])
def test_C22_L11_every_list_passes_our_own_test(zone, version):
    points = POINTS[version]
    said = []
    for point in (points.listed, points.unlisted):
        name = parse_name(name_entry(point, zone))
        assert name is not None
        question = make_question(name, A)
        octets = answer(make_query(question, 1), ZONES, MOST_UDP_OCTETS)
        assert octets is not None
        reading = read_answer(octets.octets, question, trusted=True)
        assert reading is not None
        said.append(reading.answer)
    assert judge_test(*said) == ""


@given(st.ip_addresses())
@example(ipaddress.ip_address("192.0.2.255"))
@example(ipaddress.ip_address("2001:db8:ffff:ffff::"))
@example(ipaddress.ip_address("::ffff:192.0.2.5"))
def test_C16_C17_L11_our_own_client_reads_of_each_address_what_the_file_says(address):
    name = parse_name(name_entry(address, BAD))
    assert name is not None
    question = make_question(name, A)
    said = answer(make_query(question, 7), ZONES, MOST_UDP_OCTETS)
    assert said is not None
    reading = read_answer(said.octets, question, trusted=True)
    assert reading is not None
    mapped = getattr(address, "ipv4_mapped", None) or address
    is_listed = (
        mapped in ipaddress.ip_network("192.0.2.0/24" if mapped.version == 4 else "2001:db8::/32")
        or mapped == POINTS[4].listed
    )
    assert judge_entry(reading.answer).standing is (Standing.LISTED if is_listed else Standing.UNLISTED)
    assert reading.age_s == (7200 if is_listed else 300)
    assert said.outcome is (Outcome.LISTED if is_listed else Outcome.UNLISTED)


def test_a_long_answer_is_cut_by_udp_and_whole_by_tcp():
    short = ask(entry("192.0.2.8"), "TXT", use_edns=0, payload=4096)
    assert short.flags & dns.flags.TC
    assert short.answer == []
    whole = ask(entry("192.0.2.8"), "TXT", most_octets=MOST_TCP_OCTETS)
    assert not whole.flags & dns.flags.TC
    assert b"".join(whole.answer[0][0].strings).decode() == LONG
    name = parse_name(entry("192.0.2.8"))
    assert name is not None
    question = make_question(name, TXT)
    cut = answer(make_query(question, 7), ZONES, MOST_UDP_OCTETS)
    assert cut is not None
    reading = read_answer(cut.octets, question, trusted=True)
    assert reading is not None
    assert reading.is_truncated


def test_edns_is_answered_by_edns_and_what_is_not_asked_for_is_not_said():
    plain = ask(BAD, "SOA", use_edns=False)
    assert plain.edns == -1
    extended = ask(BAD, "SOA", use_edns=0, want_dnssec=True, payload=65535)
    assert extended.edns == 0
    assert extended.payload == 1232
    assert extended.ednsflags & dns.flags.DO
    assert extended.options == ()
    cookie = ask(BAD, "SOA", use_edns=0, options=[dns.edns.GenericOption(dns.edns.COOKIE, b"12345678")])
    assert cookie.rcode() == dns.rcode.NOERROR


def test_edns_of_another_version_is_told_so():
    query = bytearray(dns.message.make_query(BAD, "SOA", use_edns=0).to_wire())
    query[-5] = 1
    said = answer(bytes(query), ZONES, MOST_UDP_OCTETS)
    assert said is not None
    assert dns.message.from_wire(said.octets).rcode() == dns.rcode.BADVERS
    assert said.outcome is Outcome.MALFORMED


@pytest.mark.parametrize("wants", [True, False])
def test_recursion_is_not_done_and_the_wish_is_repeated(wants):
    query = dns.message.make_query(BAD, "SOA")
    if not wants:
        query.flags &= ~dns.flags.RD
    said = answer(query.to_wire(), ZONES, MOST_UDP_OCTETS)
    assert said is not None
    response = dns.message.from_wire(said.octets)
    assert bool(response.flags & dns.flags.RD) is wants
    assert not response.flags & dns.flags.RA


def test_the_question_comes_back_as_it_was_spelt():
    query = dns.message.make_query("5.2.0.192.BaD.eXample.orG", "A").to_wire()
    said = answer(query, ZONES, MOST_UDP_OCTETS)
    assert said is not None
    assert b"\x03BaD\x07eXample\x03orG\x00" in said.octets
    assert said.outcome is Outcome.LISTED


HEAD = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
TAIL = b"\0\1\0\1"


def counts(questions: int = 1, answers: int = 0, authorities: int = 0, additional: int = 0) -> bytes:
    return struct.pack("!HHHHHH", 7, 0x0100, questions, answers, authorities, additional)


@pytest.mark.parametrize(
    "octets",
    [
        HEAD,
        HEAD + b"\x03bad",
        HEAD + b"\x03bad\0\0\1\0",
        HEAD + b"\xc0\x0c" + TAIL,
        HEAD + b"\x03bad\xc0\x0c" + TAIL,
        HEAD + b"\x40" + b"x" * 64 + b"\0" + TAIL,
        HEAD + b"\x01x" * 127 + b"\x01x\0" + TAIL,
        counts(questions=0),
        counts(questions=2) + b"\x03bad\0" + TAIL + b"\x03bad\0" + TAIL,
        counts(answers=1) + b"\x03bad\0" + TAIL,
        counts(authorities=1) + b"\x03bad\0" + TAIL,
        counts(additional=9) + b"\x03bad\0" + TAIL,
        counts(additional=1) + b"\x03bad\0" + TAIL,
        counts(additional=1) + b"\x03bad\0" + TAIL + b"\x01",
        counts(additional=1) + b"\x03bad\0" + TAIL + b"\0\0\x29\x04\xd0\0\0\0\0\0\x01",
        counts(additional=1) + b"\x03bad\0" + TAIL + b"\x01x\0\0\x29\x04\xd0\0\0\0\0\0\0",
        counts(additional=2) + b"\x03bad\0" + TAIL + b"\0\0\x29\x04\xd0\0\0\0\0\0\0" * 2,
        counts(additional=1) + b"\x03bad\0" + TAIL + b"\x01x" * 200 + b"\0" + b"\0" * 10,
    ],
)
def test_what_cannot_be_read_is_said_to_be_so_in_a_header_alone(octets):
    said = answer(octets, ZONES, MOST_UDP_OCTETS)
    assert said == Said(struct.pack("!HHHHHH", 7, 0x8101, 0, 0, 0, 0), Outcome.MALFORMED)


def test_a_record_behind_the_question_may_point_anywhere_and_is_passed_over():
    tsig = b"\x03key\xc0\x0c" + struct.pack("!HHIH", 250, 255, 0, 2) + b"\xff\xff"
    said = answer(counts(additional=1) + b"\x03bad\0" + TAIL + tsig, ZONES, MOST_UDP_OCTETS)
    assert said is not None
    assert said.outcome is Outcome.REFUSED


@pytest.mark.parametrize("kind", [1, 2, 4, 5, 15])
def test_other_kinds_of_query_are_not_known(kind):
    query = dns.message.make_query(BAD, "SOA")
    query.set_opcode(kind)
    said = answer(query.to_wire(), ZONES, MOST_UDP_OCTETS)
    assert said is not None
    response = dns.message.from_wire(said.octets)
    assert response.rcode() == dns.rcode.NOTIMP
    assert response.opcode() == kind


@given(st.binary(max_size=11) | st.binary(min_size=12).map(lambda octets: octets[:2] + b"\x80" + octets[3:]))
def test_S10_nothing_is_said_to_an_answer_or_a_fragment(octets):
    assert answer(octets, ZONES, MOST_UDP_OCTETS) is None


PIECES = st.sampled_from(
    [b"\x03bad\x07example\x03org\0", b"\x015\x012\x010\x03192", b"\xc0\x0c", b"\xc0\x1d", TAIL, b"\0\x10\0\1",
     b"\0\0\x29\x04\xd0\0\0\x80\0\0\0", b"\0\0\xff\0\1", b"\x3f", b"\xff" * 9]
)  # fmt: skip


@given(
    st.binary(min_size=2, max_size=2),
    st.integers(0, 0x7FFF),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.lists(PIECES | st.binary(max_size=8), max_size=12).map(b"".join),
    st.sampled_from([MOST_UDP_OCTETS, MOST_TCP_OCTETS]),
)
def test_S10_whatever_is_asked_the_answer_is_one_and_bounded(number, flags, amounts, rest, most_octets):
    octets = number + struct.pack("!HHHHH", flags, *amounts) + rest
    said = answer(octets, ZONES, most_octets)
    assert said is not None
    assert len(said.octets) <= most_octets
    assert said.octets[:2] == number
    response = dns.message.from_wire(said.octets)
    assert response.flags & dns.flags.QR
    assert (said.outcome in (Outcome.REFUSED, Outcome.MALFORMED)) is (not said.zone)
    assert answer(said.octets, ZONES, most_octets) is None
