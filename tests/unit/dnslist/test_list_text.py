"""The text of a list of one's own: what is taken, and what is refused with its line."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.dns.lists import parse_client
from paperpath.dnslist.list_text import MOST_MISTAKES, AddressList, Entry, ListTextError, parse_list

TEXT = """\
# ours
192.0.2.7
192.0.2.64/26\t 127.0.0.4  Dynamic   addresses # since May
  198.51.100.9-198.51.100.30  Sent spam, see https://bad.example/#{address}
192.0.2.0/24 127.0.0.3
2001:db8:bad::/48\r
2001:db8::5-2001:db8::7 v6

::ffff:203.0.113.0/120 mapped
::ffff:203.0.113.99
0.0.0.0/2 a quarter of all
"""
SPAM = "Sent spam, see https://bad.example/#{address}"


def find(entries: AddressList, text: str) -> Entry | None:
    address = parse_client(text)
    assert address is not None
    return entries.find(address)


def value(text: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(text)


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("192.0.2.7", Entry()),
        ("192.0.2.8", Entry(value("127.0.0.3"))),
        ("192.0.2.64", Entry(value("127.0.0.4"), "Dynamic   addresses")),
        ("192.0.2.127", Entry(value("127.0.0.4"), "Dynamic   addresses")),
        ("192.0.2.128", Entry(value("127.0.0.3"))),
        ("192.0.3.0", None),
        ("198.51.100.8", None),
        ("198.51.100.9", Entry(reason=SPAM)),
        ("198.51.100.30", Entry(reason=SPAM)),
        ("198.51.100.31", None),
        ("2001:db8:bad:ffff::1", Entry()),
        ("2001:db8:bae::", None),
        ("2001:db8::6", Entry(reason="v6")),
        ("2001:db8::8", None),
        ("203.0.113.98", Entry(reason="mapped")),
        ("::ffff:203.0.113.99", Entry()),
        ("63.255.255.255", Entry(reason="a quarter of all")),
        ("64.0.0.0", None),
        ("::", None),
    ],
)
def test_L11_an_entry_is_a_range_a_value_a_reason(address, entry):
    assert find(parse_list(TEXT), address) == entry


def test_entries_are_counted_and_given():
    entries = parse_list(TEXT)
    assert entries.entries == 9
    assert Entry(reason="v6") in list(entries)
    assert list(parse_list("# nothing\n\n")) == []


RANGE = "expected an address, a network such as"
NO_LIST = "expected a range without {}, which by RFC 5782 no list has"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("192.0.2", RANGE),
        ("192.0.2.256", RANGE),
        ("192.0.02.1", RANGE),
        ("192.0.2.1/33", RANGE),
        ("192.0.2.0/-1", RANGE),
        ("192.0.2.0/٣", RANGE),
        ("2001:db8::/129", RANGE),
        ("example.org", RANGE),
        (":", RANGE),
        ("\0.0.0.1", RANGE),
        ("192.0.2.1-", RANGE),
        ("192.0.2.0/24-192.0.3.0/24", RANGE),
        ("fe80::1%eth0", f"{RANGE}"),
        ("fe80::1%eth0/64", "no interface of this host behind it"),
        ("192.0.2.1/24", "expected an address that ends in zeros, for a network of 24 bits"),
        ("2001:db8::1/64", "expected an address that ends in zeros, for a network of 64 bits"),
        ("192.0.2.9-192.0.2.8", "expected two addresses of one family, the lower one first"),
        ("192.0.2.9-2001:db8::", "expected two addresses of one family, the lower one first"),
        ("192.0.2.1 127.0.0.256", "expected an address in 127.0.0.0/8"),
        ("192.0.2.1 127.255.255.4 x", "expected an address in 127.0.0.0/8"),
        ("192.0.2.1 bad\x07", "expected a reason of one line"),
        ("192.0.2.1 " + "x" * 1001, "expected a reason of one line, at most 1000 octets"),
        ("0.0.0.0/0", NO_LIST.format("127.0.0.1")),
        ("127.0.0.1", NO_LIST.format("127.0.0.1")),
        ("127.0.0.0/8", NO_LIST.format("127.0.0.1")),
        ("126.0.0.0-127.0.0.1", NO_LIST.format("127.0.0.1")),
        ("::/0", NO_LIST.format("::ffff:7f00:1")),
        ("::ffff:0:0/96", NO_LIST.format("::ffff:7f00:1")),
    ],
)
def test_L11_what_is_wrong_is_said_with_its_line(line, message):
    with pytest.raises(ListTextError) as caught:
        parse_list(f"192.0.2.7\n\n{line}\n192.0.2.8\n")
    [(number, said)] = caught.value.mistakes
    assert number == 3
    assert message in said


def test_so_many_mistakes_are_said_and_no_more():
    with pytest.raises(ListTextError) as caught:
        parse_list("x\n" * 1000)
    assert [number for number, _ in caught.value.mistakes] == list(range(1, MOST_MISTAKES + 1))


@given(st.lists(st.text(max_size=30) | st.sampled_from(TEXT.splitlines()), max_size=6).map("\n".join))
@example("fe80::1%/64\n١.٢.٣.٤")
def test_any_text_is_a_list_or_has_mistakes(text):
    try:
        entries = parse_list(text)
    except ListTextError:
        pass
    else:
        assert find(entries, "127.0.0.1") is None
        assert find(entries, "::ffff:7f00:1") is None


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_a_network_has_what_the_library_says_it_has(start, bits, asked):
    network = ipaddress.IPv4Network((start, bits), strict=False)
    address = ipaddress.IPv4Address(asked)
    if value("127.0.0.1") in network:
        return
    for text in (str(network), f"{network[0]}-{network[-1]}", f"::ffff:{network[0]}/{96 + bits}"):
        assert (parse_list(text).find(address) is not None) is (address in network)
