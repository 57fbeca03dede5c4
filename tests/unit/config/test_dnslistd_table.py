"""The table of dnslistd: what is taken, and what is refused with its line (L-11)."""

import ipaddress

import pytest

from paperpath.config.dnslistd_table import MOST_ZONES
from tests.unit.config.example import FILE, RIGHT, complain, configure

TABLE = """
[dnslistd]
listen = ["127.0.0.1:5353", "[::1]:5353"]

[[dnslistd.zone]]
name = "Bad.Example.org."
file = "bad"
"""
FIRST = RIGHT.count("\n") + 1  # the empty line above the table


def test_a_zone_needs_a_name_and_a_file():
    table = configure(RIGHT + TABLE).dnslistd
    assert table is not None
    (zone,) = table.zone
    assert zone.name == "bad.example.org"
    assert zone.file == FILE.absolute().parent / "bad"
    assert zone.value == ipaddress.IPv4Address("127.0.0.2")
    assert (zone.ttl_s, zone.negative_ttl_s) == (86_400, 300)
    assert configure().dnslistd is None


@pytest.mark.parametrize(
    ("there", "instead", "line", "shown"),
    [
        ('"Bad.Example.org."', '"bad"', 5, "zone[0].name: expected a domain such as"),
        ('"Bad.Example.org."', f'"{"a." * 95}example"', 5, "zone[0].name: expected a domain such as"),
        ('file = "bad"', "", 4, "zone[0].file: missing; expected a file"),
        ('"bad"', '"bad"\nvalue = "10.0.0.1"', 7, "zone[0].value: expected an address in 127.0.0.0/8"),
        ('"bad"', '"bad"\nvalue = "127.255.255.1"', 7, "zone[0].value: expected an address in 127.0.0.0/8"),
        ('"bad"', '"bad"\nreason = "a\\nb"', 7, "zone[0].reason: expected a reason of one line"),
        ('"bad"', '"bad"\nttl_s = -1', 7, "zone[0].ttl_s: expected a whole number of seconds"),
        ('"bad"', '"bad"\nnegative_ttl_s = 604801', 7, "zone[0].negative_ttl_s: expected a whole number"),
        ('["127.0.0.1:5353", "[::1]:5353"]', "[]", 2, "listen: expected at least one"),
        (
            '"bad"',
            '"bad"\n[[dnslistd.zone]]\nname = "bad.example.org"\nfile = "x"',
            4,
            "zone: expected at least one table",
        ),
        (
            "[[dnslistd.zone]]",
            "name_servers = ['ns.bad.example.org']\n[[dnslistd.zone]]",
            4,
            "name_servers: expected name servers outside",
        ),
        (
            "[[dnslistd.zone]]",
            "name_servers = ['bad.example.org']\n[[dnslistd.zone]]",
            4,
            "name_servers: expected name servers outside",
        ),
        (
            "[[dnslistd.zone]]",
            "name_servers = ['ns']\n[[dnslistd.zone]]",
            4,
            "name_servers[0]: expected the full name",
        ),
        ("Bad.", "", 1, "name_servers: expected name servers outside"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(there, instead, line, shown):
    assert there in TABLE
    (message,) = complain(RIGHT + TABLE.replace(there, instead))
    assert message.startswith(f"{FILE}:{FIRST + line}: dnslistd.{shown}")


def test_name_servers_elsewhere_are_taken_whatever_this_host_is_called():
    table = TABLE.replace("Bad.", "").replace("[[", "name_servers = ['ns.example.net']\n[[", 1)
    assert configure(RIGHT + table).dnslistd is not None


def test_there_are_so_many_zones_and_no_more():
    def write(count: int) -> str:
        zones = "".join(f"[[dnslistd.zone]]\nname = 'a{n}.example'\nfile = 'a'\n" for n in range(count))
        return RIGHT + TABLE[: TABLE.index("[[")] + zones

    assert configure(write(MOST_ZONES)).dnslistd is not None
    assert "at most 32" in complain(write(MOST_ZONES + 1))[0]
    assert "zone: expected" in complain(write(0) + "zone = []\n")[0]
