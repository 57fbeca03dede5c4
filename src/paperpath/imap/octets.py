"""What has come and was not looked at yet: cut into lines, or counted off (RFC 9051 §2.2).

Kept by the core. Holds what it was just given, and of a line that has no end yet what its reader lets it.
Only CRLF ends a line. Work is linear in the octets, however they are cut.
"""


class Input:
    """The octets of a client, in order."""

    def __init__(self) -> None:
        """Begin with none."""
        self._octets = bytearray()
        self._searched = 0  # no CRLF begins before

    def __len__(self) -> int:
        return len(self._octets)

    def add(self, octets: bytes) -> None:
        """Take what came."""
        self._octets += octets

    def next_line(self) -> bytes | None:
        """Cut off the next line, without its CRLF; `None` where its end has not come."""
        end = self._octets.find(b"\r\n", self._searched)
        if end < 0:
            self._searched = max(len(self._octets) - 1, 0)
            return None
        line = bytes(self._octets[:end])
        self._drop(end + 2)
        return line

    def begin_of_line(self, most: int) -> bytes:
        """Return how a line begins whose end has not come."""
        return bytes(self._octets[:most])

    def shorten_line(self, keep: int) -> None:
        """Forget a line whose end has not come, but for its last octets."""
        if len(self._octets) > keep:
            self._drop(len(self._octets) - keep)
            self._searched = max(len(self._octets) - 1, 0)

    def take(self, most: int) -> bytes:
        """Cut off at most so many octets."""
        octets = bytes(self._octets[:most])
        self._drop(len(octets))
        return octets

    def clear(self) -> None:
        """Forget all."""
        self._drop(len(self._octets))

    def _drop(self, count: int) -> None:
        del self._octets[:count]
        self._searched = 0
