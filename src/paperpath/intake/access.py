"""The services that a client may get, by name and by number: pure (requirements C-9, L-14)."""

from enum import Enum

from paperpath.config.complaints import show_value


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
        raise ValueError(f"expected {SERVICE_EXPECTED}, got {show_value(text)}")
    return service
