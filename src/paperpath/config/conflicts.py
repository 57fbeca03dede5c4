"""Mistakes that it takes two keys to see: a domain routed twice, one folder for two purposes.

Called by the loader with the parsed document and not with the models, so that these are reported together
with all other mistakes. What the models refuse is passed over here.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from paperpath.config.domain import parse_route_domain
from paperpath.config.endpoint import parse_endpoint
from paperpath.config.lines import Location, find_line
from paperpath.config.places import find_maildrop_folder, parse_inner_folder, parse_maildrop
from paperpath.config.tables import DEFAULT_MAILBOX_ROOT, DEFAULT_MAILDROP
from paperpath.config.via import LOCAL, MX, REFUSE, parse_via

_Value = TypeVar("_Value")


def find_conflicts(document: dict[str, Any], lines: dict[Location, int]) -> Iterator[tuple[Location, str]]:
    """Yield the location of each mistake and what is to be said about it."""
    yield from _find_repeated_routes(document, lines)
    yield from _find_replies_of_other_routes(document)
    yield from _find_half_logins(document)
    yield from _find_unverified_hosts(document)
    yield from _find_routes_at_odds(document, lines)
    yield from _find_shared_folders(document)
    yield from _find_open_metrics(document)
    yield from _find_deaf_submission(document)


def _find_repeated_routes(
    document: dict[str, Any], lines: dict[Location, int]
) -> Iterator[tuple[Location, str]]:
    routes = _look_up(document, "post_office", "route")
    first: dict[str, Location] = {}
    for index, entry in enumerate(routes if isinstance(routes, list) else []):
        location = ("post_office", "route", index, "domain")
        domain = _read(parse_route_domain, _look_up(entry, "domain"))
        if domain is None:
            continue
        if domain.text in first:
            line = find_line(lines, first[domain.text])
            yield location, f'expected one route for each domain; "{domain}" has one on line {line}'
        first.setdefault(domain.text, location)


def _find_replies_of_other_routes(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    routes = _look_up(document, "post_office", "route")
    for index, entry in enumerate(routes if isinstance(routes, list) else []):
        via = _read(parse_via, _look_up(entry, "via"))
        if via not in (None, REFUSE) and _look_up(entry, "reply") is not None:
            yield (
                ("post_office", "route", index, "reply"),
                f'expected no reply; it is for via = "refuse", and this route is "{via}"',
            )


def _find_half_logins(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """Find routes that log in with half of what it takes, to nobody in particular, or in the clear (G-34)."""
    routes = _look_up(document, "post_office", "route")
    for index, entry in enumerate(routes if isinstance(routes, list) else []):
        route: Location = ("post_office", "route", index)
        has_user, has_password = (_look_up(entry, key) is not None for key in ("user", "password_file"))
        if has_user != has_password:
            key = "user" if has_user else "password_file"
            yield (*route, key), "expected user and password_file together"
        elif has_user and _read(parse_via, _look_up(entry, "via")) in (LOCAL, MX, REFUSE):
            yield (*route, "user"), "expected no user; only hosts that the route names are logged in to"
        elif has_user and _look_up(entry, "tls") in ("never", "opportunistic"):
            yield (*route, "tls"), 'expected "require", or nothing: a password is never sent in the clear'


def _find_unverified_hosts(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """Find routes that name who vouches for a host, and would speak with it unverified all the same."""
    routes = _look_up(document, "post_office", "route")
    for index, entry in enumerate(routes if isinstance(routes, list) else []):
        if _look_up(entry, "ca_file") is not None and _look_up(entry, "tls") in ("never", "opportunistic"):
            location = ("post_office", "route", index, "tls")
            yield location, 'expected "require", or nothing: ca_file says that the host is to be verified'


def _find_routes_at_odds(
    document: dict[str, Any], lines: dict[Location, int]
) -> Iterator[tuple[Location, str]]:
    """Find routes to the same hosts that would speak with them in different ways: there is one for them."""
    routes = _look_up(document, "post_office", "route")
    first: dict[str, tuple[int, object]] = {}
    for index, entry in enumerate(routes if isinstance(routes, list) else []):
        via = _look_up(entry, "via")
        hosts = " ".join(map(str, via)) if isinstance(via, list) else via
        if not isinstance(hosts, str) or "://" not in hosts:
            continue
        other_index, other = first.setdefault(hosts, (index, entry))
        for key in ("tls", "user", "password_file", "ca_file"):
            if _look_up(other, key) != _look_up(entry, key):
                line = find_line(lines, ("post_office", "route", other_index, "via"))
                yield (
                    ("post_office", "route", index, key),
                    f"expected what the route to the same hosts says on line {line}",
                )


def _find_shared_folders(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    named_root = _look_up(document, "local", "root")
    maildrop = _read(parse_maildrop, document.get("maildrop", DEFAULT_MAILDROP))
    root = _read(parse_inner_folder, str(DEFAULT_MAILBOX_ROOT) if named_root is None else named_root)
    if maildrop is None or root is None:
        return
    folder = find_maildrop_folder(maildrop)
    if folder.is_relative_to(root) or root.is_relative_to(folder):
        location: Location = ("maildrop",) if named_root is None else ("local", "root")
        yield (
            location,
            f'expected two folders apart; the maildrop is in "{folder}" and the mailboxes in "{root}"',
        )


def _find_open_metrics(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    listen = _read(parse_endpoint, _look_up(document, "metrics", "listen"))
    if listen is not None and not listen.is_loopback and _look_up(document, "metrics", "remote") is not True:
        yield (
            ("metrics", "listen"),
            f"expected an address of this host alone, such as 127.0.0.1; {listen} needs remote = true",
        )


def _find_deaf_submission(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    table = _look_up(document, "submission")
    if not isinstance(table, dict) or table.get("listen_local", True) is not False:
        return
    if not table.get("listen") and not table.get("listen_tls"):
        location = ("submission", "listen_local")
        yield location, "expected at least one of listen, listen_tls and listen_local = true"


def _look_up(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _read(parse: Callable[[str], _Value], value: object) -> _Value | None:
    try:
        return parse(value) if isinstance(value, str) else None
    except ValueError:
        return None
