"""Mistakes in routes that it takes two keys, or two routes, to see.

Called by conflicts.py, with the parsed document: what the models refuse is passed over here.
"""

from collections.abc import Iterator
from typing import Any

from paperpath.config.agent_name import find_agent_name
from paperpath.config.domain import parse_route_domain
from paperpath.config.lines import Location, find_line
from paperpath.config.parsed import look_up, read
from paperpath.config.via import REFUSE, NextSocket, parse_via, split_via

_KEYS_OF_HOSTS = ("tls", "user", "password_file", "ca_file")


def find_route_conflicts(
    document: dict[str, Any], lines: dict[Location, int]
) -> Iterator[tuple[Location, str]]:
    """Yield the location of each mistake and what is to be said about it."""
    table = look_up(document, "post_office", "route")
    routes: list[object] = table if isinstance(table, list) else []
    yield from _find_repeated(routes, lines)
    yield from _find_at_odds(routes, lines)
    for index, route in enumerate(routes):
        for key, complaint in (
            *_find_mistakes(route),
            *_find_idle_keys(route),
            *_find_unknown_agent(route, document),
        ):
            yield _locate(index, key), complaint


def _find_repeated(routes: list[object], lines: dict[Location, int]) -> Iterator[tuple[Location, str]]:
    first: dict[str, Location] = {}
    for index, route in enumerate(routes):
        domain = read(parse_route_domain, look_up(route, "domain"))
        if domain is None:
            continue
        location = _locate(index, "domain")
        if domain.text in first:
            line = find_line(lines, first[domain.text])
            yield location, f'expected one route for each domain; "{domain}" has one on line {line}'
        first.setdefault(domain.text, location)


def _find_at_odds(routes: list[object], lines: dict[Location, int]) -> Iterator[tuple[Location, str]]:
    """Find routes to the same hosts that would speak with them in different ways: there is one for them."""
    first: dict[str, tuple[int, object]] = {}
    for index, route in enumerate(routes):
        via = _find_via(route)
        if via is None or "://" not in via:
            continue
        other_index, other = first.setdefault(via, (index, route))
        for key in _KEYS_OF_HOSTS:
            if look_up(other, key) != look_up(route, key):
                line = find_line(lines, _locate(other_index, "via"))
                yield _locate(index, key), f"expected what the route to the same hosts says on line {line}"


def _find_mistakes(route: object) -> Iterator[tuple[str, str]]:
    """Give the key of each mistake of one route: for another kind of route, half there, or unsafe (G-34)."""
    via = _find_via(route)
    has = {key for key in ("reply", "user", "password_file", "ca_file") if look_up(route, key) is not None}
    speaks_in_clear = look_up(route, "tls") in ("never", "opportunistic")
    if "reply" in has and via not in (None, REFUSE):
        yield "reply", f'expected no reply; it is for via = "refuse", and this route is "{via}"'
    if ("user" in has) != ("password_file" in has):
        yield "user" if "user" in has else "password_file", "expected user and password_file together"
    elif "user" in has and via is not None and "://" not in via:
        yield "user", "expected no user; only hosts that the route names are logged in to"
    elif "user" in has and speaks_in_clear:
        yield "tls", 'expected "require", or nothing: a password is never sent in the clear'
    if "ca_file" in has and speaks_in_clear:
        yield "tls", 'expected "require", or nothing: ca_file says that the host is to be verified'


def _find_idle_keys(route: object) -> Iterator[tuple[str, str]]:
    """Give the keys that mean nothing, or do harm, where a UNIX socket is spoken with: in the clear."""
    are_sockets = [isinstance(host, NextSocket) for host in split_via(_find_via(route) or "")]
    if any(are_sockets) and look_up(route, "user") is not None:
        yield "user", "expected no user; nobody logs in over a UNIX socket"
    for key in ("tls", "ca_file"):
        if are_sockets and all(are_sockets) and look_up(route, key) is not None:
            yield key, f"expected no {key}; a UNIX socket needs no TLS"


def _find_unknown_agent(route: object, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    name = find_agent_name(_find_via(route) or "")
    if name and look_up(document, "agents", name) is None:
        yield "via", f"expected an agent that has a table [agents.{name}]"


def _find_via(route: object) -> str | None:
    """Return the way as the models have it, several hosts in one text."""
    via = look_up(route, "via")
    return read(parse_via, " ".join(map(str, via)) if isinstance(via, list) else via)


def _locate(index: int, key: str) -> Location:
    return "post_office", "route", index, key
