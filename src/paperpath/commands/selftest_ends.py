"""Between which ends a self-test talks: the address of a listener, and one of this host that is served there.

Called by the parts of `paperpath selftest` that connect.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import open_access
from paperpath.intake.access_rules import AccessRules
from paperpath.service.interfaces import read_own_addresses

SERVED = frozenset({ServiceClass.NORMAL, ServiceClass.PRIVILEGED})

_LOOPBACK = ("127.0.0.1", "127.0.0.9", "127.9.9.9")  # 127.0.0.2 is on every list, to be tested by


@dataclass(frozen=True, slots=True)
class Ends:
    """Where to connect to, and from which address; `source` is empty if no address of this host is served."""

    way_in: str
    server: Endpoint
    source: str


def find_ends(configuration: Configuration) -> Iterator[Ends]:
    """Give the ends for each listener where SMTP begins in the clear. Raises: ServiceError."""
    own = read_own_addresses()
    for way_in, table in (("relay", configuration.relay), ("submission", configuration.submission)):
        if table is not None:
            rules = open_access(table, way_in).read()
            for listener in table.listen:
                yield Ends(way_in, *choose_ends(listener, own, rules, SERVED))


def choose_ends(
    listener: Endpoint, own: AbstractSet[str], rules: AccessRules, wanted: AbstractSet[ServiceClass]
) -> tuple[Endpoint, str]:
    """Return where to connect to, and from which address of a wanted class; empty if there is none."""
    hosts = list_hosts(listener, own)
    for host in hosts:
        server = Endpoint(host, listener.port)
        for source in _LOOPBACK if server.is_loopback and ":" not in host else (host,):
            if rules.classify(source) in wanted:
                return server, source
    return Endpoint(hosts[0], listener.port), ""


def list_hosts(listener: Endpoint, own: AbstractSet[str]) -> list[str]:
    """List the addresses at which this host reaches a listener, loopback first."""
    if not listener.is_unspecified:
        return [listener.host]
    is_six = ":" in listener.host
    return ["::1" if is_six else "127.0.0.1", *(one for one in sorted(own) if (":" in one) is is_six)]
