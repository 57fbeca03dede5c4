"""What an aliases file may say and most likely should not: pure. Called by `paperpath check`."""

from collections.abc import Iterator

from paperpath.config.tables import PostOfficeTable
from paperpath.config.via import LOCAL
from paperpath.routing.aliases import Aliases


def find_alias_warnings(table: PostOfficeTable, aliases: Aliases) -> Iterator[str]:
    """Give one sentence for each doubt."""
    for alias in aliases:
        if alias.domain and not _is_local(table, alias.domain):
            yield (
                f"{table.aliases}:{alias.line}: {alias.key} is never asked for: "
                f'the route of "{alias.domain}" is not "local"'
            )


def _is_local(table: PostOfficeTable, domain: str) -> bool:
    route = table.find_route(domain)
    return route is not None and route.via == LOCAL
