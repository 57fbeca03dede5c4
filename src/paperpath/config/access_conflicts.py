"""Mistakes in access rules that it takes two of them, or another key, to see.

Called by conflicts.py, with the parsed document: what the models refuse is passed over here.
"""

from collections.abc import Callable, Iterator
from typing import Any

from paperpath.config.domain import DomainPattern, parse_host_pattern
from paperpath.config.lines import Location, find_line
from paperpath.config.openness import find_openness
from paperpath.config.parsed import look_up, read
from paperpath.config.prefix import Prefix, parse_prefix

OPENNESS = (
    "would relay for everyone, or nearly so; expected the networks of clients that you know, "
    "or open_relay = true in [{}]"
)
_READERS: dict[str, Callable[[str], Prefix | DomainPattern]] = {
    "clients": parse_prefix,
    "hosts": parse_host_pattern,
}


def find_access_conflicts(
    document: dict[str, Any], lines: dict[Location, int]
) -> Iterator[tuple[Location, str]]:
    """Yield the location of each mistake and what is to be said about it."""
    for way_in in ("relay", "submission"):
        rules = list(_list_rules(way_in, look_up(document, way_in, "access")))
        yield from _find_repeated(rules, lines)
        if look_up(document, way_in, "open_relay") is not True:
            yield from _find_openness(way_in, rules)


_Rule = tuple[Prefix | DomainPattern, bool, Location]


def _list_rules(way_in: str, entries: object) -> Iterator[_Rule]:
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        is_privileged = look_up(entry, "service") == "privileged"
        for key, parse in _READERS.items():
            names = look_up(entry, key)
            for at, name in enumerate(names if isinstance(names, list) else []):
                found = read(parse, name)
                if found is not None:
                    yield found, is_privileged, (way_in, "access", index, key, at)


def _find_repeated(rules: list[_Rule], lines: dict[Location, int]) -> Iterator[tuple[Location, str]]:
    first: dict[Prefix | DomainPattern, Location] = {}
    for clients, _, location in rules:
        if clients in first:
            line = find_line(lines, first[clients])
            yield location, f'expected one rule for each; "{clients}" has one on line {line}'
        first.setdefault(clients, location)


def _find_openness(way_in: str, rules: list[_Rule]) -> Iterator[tuple[Location, str]]:
    networks = {clients: (granted, at) for clients, granted, at in rules if isinstance(clients, Prefix)}
    widest = find_openness((prefix, granted) for prefix, (granted, _) in networks.items())
    if widest is not None:
        yield networks[widest][1], f'"{widest}" {OPENNESS.format(way_in)}'
