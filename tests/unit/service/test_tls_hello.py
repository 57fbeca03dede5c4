"""Reading the name out of a ClientHello: whatever comes, however it is cut (A-75, P6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.service.tls.hello import MOST_HELLO_OCTETS, HelloReader, find_server_name
from tests.support.tls import VERSIONS, TlsClient, make_client_context

NAME = "mail.example.org"
HELLO = TlsClient(name=NAME).hello()
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True).filter(
    lambda label: not label.startswith("xn--")
)


def read(*segments: bytes, too_long: bool = False, again: bool = False) -> tuple[bytes, int]:
    """Read a hello; return the name and how many segments it took."""
    reader = HelloReader(again=again)
    for count, segment in enumerate(segments, 1):
        if reader.receive(segment):
            assert reader.octets == b"".join(segments[:count])
            assert reader.is_too_long is too_long
            return reader.find_server_name(), count
    raise AssertionError("the reader wants more")


def in_records(message: bytes, octets: int) -> bytes:
    """Put a message into records of so many octets."""
    pieces = [message[place : place + octets] for place in range(0, len(message), octets)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


@pytest.mark.parametrize("version", VERSIONS)
@given(labels=st.lists(LABEL, min_size=2, max_size=5))
def test_A75_the_name_a_client_sends_is_found(version, labels):
    name = ".".join([*labels, "example"])
    assert read(TlsClient(make_client_context(version), name).hello()) == (name.encode(), 1)


def test_a_client_that_names_nothing():
    assert read(TlsClient().hello()) == (b"", 1)


def test_it_is_enough_at_the_last_octet_and_not_before():
    octets = [HELLO[place : place + 1] for place in range(len(HELLO))]
    assert read(*octets) == (NAME.encode(), len(HELLO))


@given(octets=st.integers(1, 600), cut=st.integers(1, 600))
def test_a_hello_in_many_records_is_read_at_any_cut(octets, cut):
    wire = in_records(HELLO[5:], octets)
    name, _ = read(wire[:cut], wire[cut:])
    assert name == NAME.encode()


@pytest.mark.parametrize(
    "first", [b"EHLO x\r\n", b"\x80\x2e\x01", b"\x15", b"\x16\x03\x01\x00\x01\x02", b"\x00"]
)
def test_what_is_no_hello_is_enough_at_once_and_names_nothing(first):
    assert read(first) == (b"", 1)


def test_P6_a_hello_that_is_announced_too_long_is_not_waited_for():
    announced = (MOST_HELLO_OCTETS - 3).to_bytes(3)
    octets = [bytes([octet]) for octet in b"\x16\x03\x01\x00\x04\x01" + announced + bytes(100)]
    assert read(*octets, too_long=True) == (b"", 9)


def test_P6_a_hello_in_crumbs_is_too_long_by_what_wraps_it():
    header = b"\x01\x00\x30\x00"
    octets = [b"\x16\x03\x01\x00\x01" + bytes([octet]) for octet in header + bytes(MOST_HELLO_OCTETS)]
    name, count = read(*octets, too_long=True)
    assert (name, count) == (b"", MOST_HELLO_OCTETS // 6 + 1)
    assert read(b"".join(octets), too_long=True) == (b"", 1)


def test_P6_one_record_that_does_not_end_is_too_long():
    record = b"\x16\x03\x01\xff\xff\x01" + bytes(MOST_HELLO_OCTETS)
    octets = [record[place : place + 100] for place in range(0, len(record), 100)]
    assert read(*octets, too_long=True) == (b"", MOST_HELLO_OCTETS // 100 + 1)


@given(st.integers(0, 3 * MOST_HELLO_OCTETS))
def test_what_follows_a_hello_does_not_make_it_long(more):
    assert read(HELLO + bytes(more)) == (NAME.encode(), 1)


def test_a_second_hello_may_have_a_record_before_it_that_says_nothing():
    nothing = b"\x14\x03\x03\x00\x01\x01"
    assert read(nothing, HELLO, again=True) == (NAME.encode(), 2)
    assert read(nothing + HELLO[:50], HELLO[50:], again=True) == (NAME.encode(), 2)
    assert read(nothing, HELLO) == (b"", 1)
    _, count = read(*[nothing] * MOST_HELLO_OCTETS, again=True, too_long=True)
    assert count == MOST_HELLO_OCTETS // 6 + 1


def test_P6_empty_records_do_not_make_it_wait_for_ever():
    _, count = read(*[b"\x16\x03\x01\x00\x00"] * MOST_HELLO_OCTETS, too_long=True)
    assert count == MOST_HELLO_OCTETS // 5 + 1


@given(st.binary(max_size=200))
def test_any_octets_are_read_without_harm(octets):
    find_server_name(octets)
    reader = HelloReader()
    reader.receive(octets)
    reader.find_server_name()


@given(st.integers(5, len(HELLO) - 1), st.integers(0, 255))
def test_a_hello_with_one_octet_changed_is_read_without_harm(place, octet):
    changed = bytearray(HELLO)
    changed[place] = octet
    find_server_name(bytes(changed[5:]))
    find_server_name(bytes(changed[5:place]))
