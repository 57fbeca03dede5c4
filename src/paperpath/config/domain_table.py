"""What is configured for domains: found exactly first, then by the longest subdomain pattern, then by "*".

Used by the tables' own look-up, the relay's rule for recipients and the routing.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from paperpath.config.domain import ANY_DOMAIN, DomainPattern
from paperpath.mail.domain import domain_key

Value = TypeVar("Value")


class DomainTable(Generic[Value]):
    """Values by domain pattern. The cost of a look-up is that of the domain's labels, not of the table."""

    def __init__(self, entries: Iterable[tuple[DomainPattern, Value]]) -> None:
        """Index the entries."""
        self._values = {pattern.text: value for pattern, value in entries}

    def find(self, domain: str) -> Value | None:
        """Return what is configured for a domain, or for all that a pattern's text stands for.

        `None` where nothing is.
        """
        name = domain_key(domain)
        if name in self._values:
            return self._values[name]
        if not name.startswith("["):
            dot = name.find(".")
            while dot >= 0:
                if name[dot:] in self._values:
                    return self._values[name[dot:]]
                dot = name.find(".", dot + 1)
        return self._values.get(ANY_DOMAIN)
