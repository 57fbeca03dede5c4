"""Which service a client gets, by its address: pure (requirements C-6, C-8).

Nobody is trusted for having a private address: who is not named gets the normal service (promise P7).
"""

import ipaddress
from collections.abc import Sequence
from enum import Enum

from paperpath.config.intake_tables import AccessEntry


class ServiceClass(Enum):
    """What a client may do: a normal one names recipients at our domains, a privileged one any recipient."""

    NORMAL = "normal"
    PRIVILEGED = "privileged"


class AccessRules:
    """The rules in their order; the first that names a client decides."""

    def __init__(self, entries: Sequence[AccessEntry]) -> None:
        """Take the rules."""
        self._rules = [
            (network, ServiceClass(entry.service)) for entry in entries for network in entry.clients
        ]

    def classify(self, address: str) -> ServiceClass:
        """Return the service for a client; an address that cannot be read, or none, is nobody's."""
        if not self._rules:
            return ServiceClass.NORMAL
        try:
            client = ipaddress.ip_address(address)
        except ValueError:
            return ServiceClass.NORMAL
        return next((service for network, service in self._rules if client in network), ServiceClass.NORMAL)
