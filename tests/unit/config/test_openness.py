"""What relays for everyone is seen, in one range or in many (P7)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.openness import find_openness
from paperpath.config.prefix import parse_prefix


def widest(granted: str, others: str = "") -> str | None:
    grants = [(parse_prefix(text), True) for text in granted.split()]
    found = find_openness(grants + [(parse_prefix(text), False) for text in others.split()])
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("granted", "others", "expected"),
    [
        ("0.0.0.0/0", "", "0.0.0.0/0"),
        ("::/0", "", "::/0"),
        ("::ffff:0:0/96", "", "0.0.0.0/0"),
        ("2000::/3", "", "2000::/3"),
        ("0.0.0.0/1 128.0.0.0/1", "", "0.0.0.0/1"),
        ("0.0.0.0/1", "", "0.0.0.0/1"),
        (" ".join(f"{n}.0.0.0/8" for n in range(1, 224)), "", "1.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/2 64.0.0.0/2", "0.0.0.0/0"),
        ("0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1", None),
        ("0.0.0.0/0 127.0.0.0/8", "0.0.0.0/1 128.0.0.0/1", None),
        ("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 fc00::/7 fe80::/10 ::1", "", None),
        ("224.0.0.0/3 ff00::/8 ::/3", "", None),
        ("203.0.113.0/24 198.0.0.0/8 2001:db8::/32", "0.0.0.0/0 ::/0", None),
        ("", "0.0.0.0/0", None),
    ],
)
def test_P7_what_is_nearly_everybody_is_seen(granted: str, others: str, expected: str | None) -> None:
    assert widest(granted, others) == expected


networks = st.builds(
    lambda bits, n: ipaddress.IPv4Network((bits << 24 >> (32 - n) << (32 - n), n)),
    st.integers(0, 255),
    st.integers(0, 8),
)


@given(st.dictionaries(networks, st.booleans(), max_size=30))
def test_P7_it_is_seen_just_where_a_count_of_all_addresses_says_so(
    grants: dict[ipaddress.IPv4Network, bool],
) -> None:
    def is_granted(first: int) -> bool:
        address = ipaddress.IPv4Address(first << 24)
        holding = [network for network in grants if address in network]
        return bool(holding) and grants[max(holding, key=lambda network: network.prefixlen)]

    share = sum(map(is_granted, range(224))) / 224
    found = find_openness((parse_prefix(str(network)), to) for network, to in grants.items())
    assert (found is not None) == (share > 1 / 8)
