"""Which service a client gets, by its address and its host's names: pure (requirements C-6, C-8, C-17, L-16).

Nobody is trusted for having a private address: who is not named gets the normal service (promise P7). Of the
rules that name a client the closest decides, as UCSPI has it: one for its address, then one for its host's
name, then the longest network, then the longest end of the name, then one for everybody ("0.0.0.0/0"). Names
are asked for only where a rule could turn on them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from paperpath.config.domain import DomainPattern
from paperpath.config.domain_table import DomainTable
from paperpath.config.intake_tables import AccessEntry, IntakeTable
from paperpath.config.openness import find_openness
from paperpath.config.prefix import Prefix, parse_client_prefix
from paperpath.config.prefix_table import PrefixTable
from paperpath.intake.access import ServiceClass

Clients = Prefix | DomainPattern
"""Whom a rule names: a network or an address; a host, or those below a name."""


class AccessRule(NamedTuple):
    """Who gets which service, and where that stands: a file, or a key, and the line if it is known."""

    clients: Clients
    service: ServiceClass
    source: str
    line: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


class AccessRules:
    """All rules of a way in; of two for the same clients the later one holds."""

    def __init__(self, rules: Iterable[AccessRule] = ()) -> None:
        """Index the rules."""
        self._rules = {rule.clients: rule for rule in rules}
        networks: list[tuple[Prefix, AccessRule]] = []
        names: list[tuple[DomainPattern, AccessRule]] = []
        for clients, rule in self._rules.items():
            if isinstance(clients, DomainPattern):
                names.append((clients, rule))
            elif clients.length and not clients.is_address:
                networks.append((clients, rule))
        self._networks = PrefixTable(networks)
        self._names = DomainTable((clients, rule) for clients, rule in names if _is_end(clients))
        self._has_names = bool(names)
        self._has_hosts = not all(_is_end(clients) for clients, _ in names)

    def __iter__(self) -> Iterator[AccessRule]:
        return iter(self._rules.values())

    def find_all(self, address: str, names: Sequence[str] = ()) -> Iterator[AccessRule]:
        """Give the rules that name a client, the one that decides first; an address may be none."""
        rules, client, names = self._rules, parse_client_prefix(address), sorted(names)
        if client is not None and client in rules:
            yield rules[client]
        yield from (rules[host] for name in names if (host := DomainPattern(name)) in rules)
        if client is not None:
            yield from self._networks.find_all(client)
        ends = [rule for name in names if (rule := self._names.find(name)) is not None]
        yield from sorted(ends, key=_count_labels, reverse=True)
        if client is not None and (everybody := Prefix(client.version, 0, 0)) in rules:
            yield rules[everybody]

    def find(self, address: str, names: Sequence[str] = ()) -> AccessRule | None:
        """Return the rule that decides about a client; `None` if none names it."""
        return next(self.find_all(address, names), None)

    def classify(self, address: str, names: Sequence[str] = ()) -> ServiceClass:
        """Return the service for a client, whose names are those that were confirmed."""
        rule = self.find(address, names)
        return ServiceClass.NORMAL if rule is None else rule.service

    def wants_names(self, address: str) -> bool:
        """Tell whether it could matter which names a client has; what has no address has none."""
        if not self._has_names or parse_client_prefix(address) is None:
            return False
        rule = self.find(address)
        if rule is None or not isinstance(rule.clients, Prefix) or not rule.clients.length:
            return True
        return self._has_hosts and not rule.clients.is_address

    def find_openness(self) -> AccessRule | None:
        """Return the rule that makes this an open relay, or the widest of those that do it together."""
        widest = find_openness(
            (clients, rule.service is ServiceClass.PRIVILEGED)
            for clients, rule in self._rules.items()
            if isinstance(clients, Prefix)
        )
        return None if widest is None else self._rules[widest]


def list_configured(table: IntakeTable, way_in: str) -> list[AccessRule]:
    """List the rules of a table of the configuration, whose name is `way_in`."""
    return [
        AccessRule(clients, ServiceClass(entry.service), f"{way_in}.access[{index}]")
        for index, entry in enumerate(table.access)
        for clients in _list_clients(entry)
    ]


def _list_clients(entry: AccessEntry) -> list[Clients]:
    return [*entry.clients, *entry.hosts]


def _is_end(clients: DomainPattern) -> bool:
    return clients.text.startswith(".")


def _count_labels(rule: AccessRule) -> int:
    return str(rule.clients).count(".")
