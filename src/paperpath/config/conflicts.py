"""Mistakes that it takes two keys to see, such as one folder for two purposes.

Called by the loader with the parsed document and not with the models, so that these are reported together
with all other mistakes. What the models refuse is passed over here.
"""

from collections.abc import Iterator
from typing import Any

from paperpath.config.access_conflicts import find_access_conflicts
from paperpath.config.domain import parse_hostname
from paperpath.config.endpoint import parse_endpoint
from paperpath.config.lines import Location
from paperpath.config.own_list import parse_own_zone
from paperpath.config.parsed import look_up, read
from paperpath.config.places import find_maildrop_folder, parse_inner_folder, parse_maildrop
from paperpath.config.route_conflicts import find_route_conflicts
from paperpath.config.tables import DEFAULT_MAILBOX_ROOT, DEFAULT_MAILDROP


def find_conflicts(document: dict[str, Any], lines: dict[Location, int]) -> Iterator[tuple[Location, str]]:
    """Yield the location of each mistake and what is to be said about it."""
    yield from find_route_conflicts(document, lines)
    yield from find_access_conflicts(document, lines)
    yield from _find_shared_folders(document)
    yield from _find_open_metrics(document)
    yield from _find_deaf_submission(document)
    yield from _find_lost_name_servers(document)
    yield from _find_deaf_doors(document)
    yield from _find_users_without_service_user(document)


def _find_shared_folders(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    named_root = look_up(document, "local", "root")
    maildrop = read(parse_maildrop, document.get("maildrop", DEFAULT_MAILDROP))
    root = read(parse_inner_folder, str(DEFAULT_MAILBOX_ROOT) if named_root is None else named_root)
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
    listen = read(parse_endpoint, look_up(document, "metrics", "listen"))
    if listen is not None and not listen.is_loopback and look_up(document, "metrics", "remote") is not True:
        yield (
            ("metrics", "listen"),
            f"expected an address of this host alone, such as 127.0.0.1; {listen} needs remote = true",
        )


def _find_deaf_submission(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    table = look_up(document, "submission")
    if not isinstance(table, dict) or table.get("listen_local", True) is not False:
        return
    if not any(table.get(f"listen{where}") for where in ("", "_tls", "_proxy", "_tls_proxy")):
        location = ("submission", "listen_local")
        yield location, "expected at least one of listen, listen_tls and listen_local = true"


def _find_lost_name_servers(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """A list has names for addresses of clients, and none for the host that publishes it."""
    table = look_up(document, "dnslistd")
    entries = look_up(table, "zone")
    found = [look_up(entry, "name") for entry in entries] if isinstance(entries, list) else []
    zones = [zone for zone in (read(parse_own_zone, name) for name in found) if zone is not None]
    named = look_up(table, "name_servers") or [document.get("hostname")]
    for server in named if isinstance(named, list) else ():
        host = read(parse_hostname, server)
        if host is not None and any(f".{host}".endswith(f".{zone}") for zone in zones):
            yield (
                ("dnslistd", "name_servers"),
                f"expected name servers outside the zones, where no host has a name; {host} is in one",
            )


def _find_deaf_doors(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """Find listeners for proxies where none is named."""
    for name in ("relay", "submission"):
        for key in ("listen_proxy", "listen_tls_proxy"):
            if look_up(document, name, key) and not look_up(document, name, "proxies"):
                yield (name, key), "expected the networks of the proxies in proxies too"


def _find_users_without_service_user(document: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """It takes root to deliver to users, and no other program is to be root beside the one that does."""
    if look_up(document, "local", "system_users") is True and document.get("user") is None:
        yield ("local", "system_users"), 'expected user too, such as user = "paperpath": who the rest runs as'
    first, last = (look_up(document, "local", f"system_{end}_uid") for end in ("first", "last"))
    if isinstance(first, int) and isinstance(last, int) and first > last:
        yield ("local", "system_last_uid"), f"expected at least system_first_uid, {first}, got {last}"
