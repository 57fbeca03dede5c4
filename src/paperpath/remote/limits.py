"""What the configuration says of each destination: pure. Asked by the windows for every transaction."""

from paperpath.config.tables import RemoteTable
from paperpath.mail.domain import domain_key
from paperpath.remote.windows import Limits


class LimitTable:
    """The limits of one configuration."""

    def __init__(self, table: RemoteTable) -> None:
        """Take the limits."""
        self._general = Limits(table.most_connections, table.most_per_minute)
        self._special = {
            _name_destination(entry.name): Limits(
                entry.most_connections or table.most_connections,
                entry.most_per_minute or table.most_per_minute,
            )
            for entry in table.destination
        }

    def find(self, destination: str) -> Limits:
        """Return the limits of a destination."""
        return self._special.get(destination, self._general)


def _name_destination(name: str) -> str:
    return name if "://" in name else domain_key(name)
