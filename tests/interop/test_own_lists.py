"""dnslistd and rbldnsd on the same data say the same of every address (L-11, C-16)."""

import ipaddress
from collections.abc import Iterator
from random import Random

import pytest

from paperpath.dns.lists import name_entry
from paperpath.dns.records import TXT, A
from tests.support.installation import Installation, wait_until
from tests.support.own_lists import ask_all, choose_places, make_table, write_lists
from tests.support.rbldnsd import running_rbldnsd

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SPANS = [
    ("192.0.2.0/24", "127.0.0.2", "A network"),
    ("192.0.2.77", "127.0.0.3", "Worse, see http://bad.example/{address}"),
    ("198.51.0.0/16", "127.0.0.4", "Many"),
    ("198.51.100.0/24", "127.0.0.5", "Fewer"),
    ("203.0.113.5-203.0.113.130", "127.0.0.6", "A range"),
    ("10.0.0.0/15", "127.0.0.7", "Two at once"),
    ("127.0.0.2", "127.0.0.2", "The test point"),
]
SPANS_6 = [
    ("2001:db8::/32", "127.0.0.2", "A network"),
    ("2001:db8:1:2::/64", "127.0.0.3", "Worse, see http://bad.example/{address}"),
    ("2001:db8:1:2::7/128", "127.0.0.4", "Worst"),
    ("fc00::/7", "127.0.0.5", "Nobody's"),
]
FOUR, SIX = "four.example", "six.example"


def choose_addresses(spans: list[tuple[str, str, str]], bits: int) -> list[str]:
    """Choose the edges of all ranges and what lies beside them, and others at random."""
    random, chosen = Random(bits), set[int]()
    for text, *_ in spans:
        first, _, last = text.partition("-")
        network = ipaddress.ip_network(first)
        end = int(ipaddress.ip_address(last)) if last else int(network[-1])
        chosen |= {int(network[0]) - 1, int(network[0]), end, end + 1, random.randint(int(network[0]), end)}
    chosen |= {random.getrandbits(bits) for _ in range(20)}
    make = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
    return [str(make(number)) for number in sorted(chosen)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Return where rbldnsd answers, and where dnslistd does."""
    folder = tmp_path_factory.mktemp("lists")
    installation, places = Installation(folder), choose_places()
    for zone, spans in ((FOUR, SPANS), (SIX, SPANS_6)):
        write_lists(folder, {zone: "".join(f"{' '.join(span)}\n" for span in spans)})
    installation.file.write_text(installation.file.read_text() + make_table(places, (FOUR, SIX)))
    theirs = {
        kind: "$SOA 3000 ns.example. h.example. 0 600 300 86400 60\n"
        + "".join(f"{span} :{value}:{reason.replace('{address}', '$')}\n" for span, value, reason in spans)
        for kind, spans in (("ip4set", SPANS), ("ip6trie", SPANS_6))
    }
    zones = (f"{FOUR}:ip4set:ip4set", f"{SIX}:ip6trie:ip6trie")
    with running_rbldnsd(theirs, zones) as other, installation.start("dnslistd"):
        wait_until(lambda: " ready " in installation.output(), "dnslistd to be ready")
        yield other, places[0]


@pytest.mark.parametrize(("zone", "spans", "bits"), [(FOUR, SPANS, 32), (SIX, SPANS_6, 128)])
def test_C16_L11_both_say_the_same_of_every_address(servers, zone, spans, bits):
    addresses = choose_addresses(spans, bits)
    names = [name_entry(ipaddress.ip_address(address), zone) for address in addresses]
    for kind in (A, TXT):
        theirs, ours = ([answer.records for answer in ask_all(server, names, kind)] for server in servers)
        assert dict(zip(addresses, ours, strict=True)) == dict(zip(addresses, theirs, strict=True))
        assert sum(map(bool, ours)) >= len(spans)
        assert not all(ours)
