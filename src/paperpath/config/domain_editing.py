"""A domain put into every place of a configuration where it has to stand, or taken out of them; pure.

Called by `paperpath domain`, with text that the loader has found right. The places are `relay.domains`,
`post_office.route` and, when the domain goes, `canonical.hidden`. Whatever is done, the text must mean what
it meant and that one thing: an edit that comes out otherwise met with a layout that is not known here, and
is refused.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from paperpath.config.domain import DomainPattern, parse_domain_pattern, parse_route_domain
from paperpath.config.edited_text import Edited, EditError, UnknownLayoutError, read_edited
from paperpath.config.editing import (
    add_element,
    add_pair,
    add_table,
    quote,
    remove_element,
    remove_table,
)
from paperpath.config.lines import scan_spans

_Place = tuple[str, str]  # of an array: its table and its key
_Document = dict[str, Any]

_ACCEPTED: _Place = ("relay", "domains")
_HIDDEN: _Place = ("canonical", "hidden")
_ROUTES: _Place = ("post_office", "route")
_MENTIONS = (
    ("post_office", "postmaster"),
    ("canonical", "domain"),
    ("canonical", "parent"),
    ("canonical", "shown"),
)


def add_domain(text: str, name: str, via: str) -> Edited:
    """Accept mail for a domain, and give it a route. Raises: EditError; ValueError, where it is no domain."""
    domain = parse_domain_pattern(name)
    document = tomllib.loads(text)
    done = []
    if not _find_domain(document, _ACCEPTED, domain):
        text = _accept(text, name)
        done.append(f"relay.domains: added {name}")
    known = [_get_array(document, _ROUTES)[index]["via"] for index in _find_routes(document, domain)]
    if not known:
        text = _add_route(text, {"domain": name, "via": via})
        done.append(f'post_office.route: added {name}, via "{via}"')
    elif known != [via]:
        raise EditError(f"post_office.route: {name} has a route already, via {known[0]!r}")
    return Edited(text, tuple(done))


def remove_domain(text: str, name: str) -> Edited:
    """Take a domain out of all places. Raises: EditError; ValueError, where it is no domain."""
    domain = parse_domain_pattern(name)
    document = tomllib.loads(text)
    done = []
    for place in (_ACCEPTED, _HIDDEN):
        for index in _find_domain(document, place, domain):
            text = _change(text, remove_element(text, (*place, index)), _removing(place, index))
            done.append(f"{'.'.join(place)}: removed {name}")
    for index in _find_routes(document, domain):
        route = (*_ROUTES, index)
        remove = remove_table if route in scan_spans(text).tables else remove_element
        text = _change(text, remove(text, route), _removing(_ROUTES, index))
        done.append(f"post_office.route: removed {name}")
    return Edited(text, tuple(done), tuple(_find_mentions(document, domain)))


def _find_domain(document: _Document, place: _Place, domain: DomainPattern) -> list[int]:
    """Return where in an array a domain stands, the last first: so none moves before its turn."""
    found = enumerate(map(parse_domain_pattern, _get_array(document, place)))
    return sorted((index for index, known in found if known == domain), reverse=True)


def _find_routes(document: _Document, domain: DomainPattern) -> list[int]:
    """Return which routes are for a domain."""
    routes = enumerate(_get_array(document, _ROUTES))
    return [index for index, route in routes if parse_route_domain(route["domain"]) == domain]


def _find_mentions(document: _Document, domain: DomainPattern) -> Iterator[str]:
    """Yield the keys that name a domain and cannot do without one."""
    for table, key in _MENTIONS:
        value = document.get(table, {}).get(key, "")
        if domain.matches(value.rpartition("@")[2]):
            yield f'{table}.{key} = "{value}"'


def _accept(text: str, name: str) -> str:
    table, key = _ACCEPTED
    spans = scan_spans(text)

    def accept(document: _Document) -> None:
        document[table].setdefault(key, []).append(name)

    if _ACCEPTED in spans.values:
        return _change(text, add_element(text, _ACCEPTED, quote(name)), accept)
    if (table,) in spans.tables:
        return _change(text, add_pair(text, (table,), key, f"[{quote(name)}]"), accept)
    raise EditError("this file has no [relay] by itself; add relay.domains by hand first")


def _add_route(text: str, route: Mapping[str, str]) -> str:
    table, key = _ROUTES
    spans = scan_spans(text)

    def add(document: _Document) -> None:
        document[table].setdefault(key, []).append(dict(route))

    if _ROUTES in spans.values:
        pairs = ", ".join(f"{name} = {quote(value)}" for name, value in route.items())
        return _change(text, add_element(text, _ROUTES, f"{{ {pairs} }}"), add)
    tables = [place for place in spans.tables if place[:1] == (table,)]
    if not tables:
        raise EditError("this file has no [post_office] by itself; add the route by hand")
    routes = [place for place in tables if place[:2] == _ROUTES]
    return _change(text, add_table(text, (routes or tables)[-1], "[[post_office.route]]", route), add)


def _removing(place: _Place, index: int) -> Callable[[_Document], None]:
    def remove(document: _Document) -> None:
        del _get_array(document, place)[index]

    return remove


def _change(before: str, after: str, change: Callable[[_Document], None]) -> str:
    """Return the new text, if it means what the old one does after a change. Raises: EditError."""
    wanted = tomllib.loads(before)
    change(wanted)
    if _drop_no_routes(read_edited(after)) != _drop_no_routes(wanted):
        raise UnknownLayoutError
    return after


def _drop_no_routes(document: _Document) -> _Document:
    """Leave out an array without routes: where they have headers, there is none without the last."""
    table, key = _ROUTES
    if not _get_array(document, _ROUTES):
        document.get(table, {}).pop(key, None)
    return document


def _get_array(document: _Document, place: _Place) -> list[Any]:
    table, key = place
    array: list[Any] = document.get(table, {}).get(key, [])
    return array
