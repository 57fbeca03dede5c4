"""The limits of destinations as the configuration has them: pure."""

from paperpath.config.tables import RemoteTable
from paperpath.mail.domain import domain_key
from paperpath.remote.windows import Limits, LimitTable


def make_limits(table: RemoteTable) -> LimitTable:
    """Return the limits that a configuration says."""
    special = {
        entry.name if "://" in entry.name else domain_key(entry.name): Limits(
            entry.most_connections or table.most_connections, entry.most_per_minute or table.most_per_minute
        )
        for entry in table.destination
    }
    return LimitTable(Limits(table.most_connections, table.most_per_minute), special)
