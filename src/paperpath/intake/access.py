"""Which service a client gets, by its address: pure (requirements C-6, C-8, L-14).

Nobody is trusted for having a private address: who is not named gets the normal service (promise P7).
"""

import ipaddress
from collections.abc import Sequence
from enum import Enum

from paperpath.config.intake_tables import AccessEntry


class ServiceClass(Enum):
    """What a client may do.

    One who is denied gets no word; a null one has `554` for a greeting, and may quit. A normal one names
    recipients at our domains, on submission after a login; a privileged one any recipient, without.
    """

    DENY = "deny"
    NULL = "null"
    NORMAL = "normal"
    PRIVILEGED = "privileged"

    @property
    def level(self) -> int | None:
        """Its number among those that tcpsrun and its like give; who is denied has none."""
        return _LEVELS.get(self)


SERVICE_EXPECTED = "deny, null, normal or privileged, or a level: 0, 1 or 2"

_LEVELS = {ServiceClass.NULL: 0, ServiceClass.NORMAL: 1, ServiceClass.PRIVILEGED: 2}
_SPELLINGS = {service.value: service for service in ServiceClass}
_SPELLINGS |= {str(level): service for service, level in _LEVELS.items()}


def parse_service_class(text: str) -> ServiceClass:
    """Read a class by its name or its level. Raises: ValueError, whose text says what was expected."""
    if (service := _SPELLINGS.get(text)) is None:
        raise ValueError(f"expected {SERVICE_EXPECTED}")
    return service


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
