"""How many clients are connected, in all and from one address: bounded (promise P6, attack S-2).

Used by the sessions of a process, which share one. Who is too many gets one reply in place of the greeting.
"""

import ipaddress
import math

from paperpath.intake.access import ServiceClass
from paperpath.mail.reply import Reply
from paperpath.smtp import replies

_TELL_EVERY_S = 1.0
_NETWORK_OCTETS = 8  # of an IPv6 address: whoever has one has the whole /64


class Connections:
    """Counts who is connected. The bounds may change at any time; who is in stays."""

    def __init__(self, most: int, most_per_client: int) -> None:
        """Begin with nobody."""
        self.most = most
        self.most_per_client = most_per_client
        self._count = 0
        self._by_client: dict[str | bytes, int] = {}
        self._untold = 0
        self._told_s = -math.inf

    def take_place(self) -> Reply | None:
        """Have room for a client, whoever it is, that leaves later; or return why there is none."""
        if self._count >= self.most:
            return self._refuse(replies.R421_TOO_MANY_CONNECTIONS)
        self._count += 1
        return None

    def enter(self, address: str, service: ServiceClass) -> Reply | None:
        """Let in a client that has a place, or return why not; a privileged one may come often."""
        client = _find_client(address)
        present = self._by_client.get(client, 0)
        if present >= self.most_per_client and service is not ServiceClass.PRIVILEGED:
            return self._refuse(replies.R421_TOO_MANY_FROM_CLIENT)
        self._by_client[client] = present + 1
        return None

    def leave(self, address: str | None) -> None:
        """Let a client go; `None`: one that had a place, and was not let in."""
        self._count -= 1
        if address is None:
            return
        client = _find_client(address)
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]

    def take_untold(self, now_s: float) -> int:
        """Return how many were refused and not told yet, but 0 until a second after they were last told.

        A flood of connections would else be a flood in the log.
        """
        if now_s - self._told_s < _TELL_EVERY_S:
            return 0
        self._told_s = now_s
        untold, self._untold = self._untold, 0
        return untold

    def _refuse(self, reply: Reply) -> Reply:
        self._untold += 1
        return reply


def _find_client(address: str) -> str | bytes:
    if ":" not in address:
        return address
    return ipaddress.IPv6Address(address).packed[:_NETWORK_OCTETS]
