"""Two zones of one list, the one below the other."""

from paperpath.dnslist.list_text import parse_list
from paperpath.dnslist.zone import make_zone
from tests.unit.config.example import RIGHT, configure

LONG = "x" * 700
TEXT = f"""\
192.0.2.0/24 127.0.0.4 Bad {{address}}, see https://bad.example.org/{{address}}
192.0.2.7 Ünlike
192.0.2.8 {LONG}
2001:db8::/32
"""
TABLE = """
[dnslistd]
listen = ["127.0.0.1:5353"]
name_servers = ["ns1.example.net", "ns2.example.net"]

[[dnslistd.zone]]
name = "bad.example.org"
file = "bad"
ttl_s = 7200

[[dnslistd.zone]]
name = "v6.bad.example.org"
file = "bad"
value = "127.0.0.9"
reason = "v6 {address}"
"""
CONFIGURATION = configure(RIGHT + TABLE)
assert CONFIGURATION.dnslistd is not None
ZONES = {
    zone.name: zone
    for zone in (
        make_zone(CONFIGURATION, settings, parse_list(TEXT, 1_700_000_000))
        for settings in CONFIGURATION.dnslistd.zone
    )
}
