"""The lines of a rules file, changed in one place: whatever else stands there stays as it is, comments too.

Called by `paperpath access`. Pure.
"""

import re
from contextlib import suppress

from paperpath.intake.access import ServiceClass
from paperpath.intake.access_rules import Clients
from paperpath.intake.access_text import parse_rule

_SERVICE = re.compile(r"(\s*\S+\s+)\S+")  # what stands before it, and itself


def set_rule(lines: list[str], clients: Clients, service: ServiceClass) -> ServiceClass | None:
    """Give clients a service; return which they had."""
    found = _find(lines, clients)
    if found is None:
        lines.append(f"{clients}\t{service.value}\n")
        return None
    index, old = found
    if old is not service:
        lines[index] = _SERVICE.sub(rf"\g<1>{service.value}", lines[index], count=1)
    return old


def delete_rule(lines: list[str], clients: Clients) -> ServiceClass | None:
    """Take out the rule for just these clients; return which service they had."""
    found = _find(lines, clients)
    if found is None:
        return None
    index, old = found
    del lines[index]
    return old


def _find(lines: list[str], clients: Clients) -> tuple[int, ServiceClass] | None:
    for index, line in enumerate(lines):
        with suppress(ValueError):  # what is wrong is told by whoever reads all of it
            parsed = parse_rule(line)
            if parsed is not None and parsed[0] == clients:
                return index, parsed[1]
    return None
