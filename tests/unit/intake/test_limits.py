"""Which clients count as one, and what is said to who is one too many (issue 8)."""

import pytest

from paperpath.config.limit_tables import LimitsTable
from paperpath.intake.limits import Limit, Networks

USUAL = Networks.of(LimitsTable())
WIDE = Networks(24, 48)


@pytest.mark.parametrize(
    ("networks", "client", "network"),
    [
        (USUAL, "192.0.2.1", "192.0.2.1"),
        (USUAL, "2001:db8::ffff:0:0:2", "2001:db8::/64"),
        (USUAL, "2001:db8:0:1::1", "2001:db8:0:1::/64"),
        (USUAL, "fe80::1%eth0", "fe80::/64"),
        (USUAL, "::ffff:192.0.2.1", "192.0.2.1"),
        (USUAL, "uid 1000", "uid 1000"),
        (USUAL, "", ""),
        (WIDE, "192.0.2.1", "192.0.2.0/24"),
        (WIDE, "2001:db8:0:1::1", "2001:db8::/48"),
        (Networks(32, 128), "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_P6_a_network_is_as_wide_as_configured(networks: Networks, client: str, network: str) -> None:
    assert networks.find(client) == network


@pytest.mark.parametrize("limit", Limit)
def test_who_has_reached_a_limit_may_come_again(limit: Limit) -> None:
    assert limit.reply.code in (421, 450)
