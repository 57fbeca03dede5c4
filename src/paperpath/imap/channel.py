"""The octets of one session: those that came, and those that are to be sent. What is under the core."""

from paperpath.imap.octets import Input
from paperpath.imap.outgoing import Outgoing


class Channel:
    """What a driver sees of the octets."""

    def __init__(self) -> None:
        """Begin with none."""
        self._input = Input()
        self._output = Outgoing()

    @property
    def pending_octets(self) -> int:
        """How many octets wait to be looked at; the driver stops reading when they grow."""
        return len(self._input)

    @property
    def octets_waiting(self) -> int:
        """How many octets `octets_to_send` would give."""
        return len(self._output)

    def receive(self, octets: bytes) -> None:
        """Take what came from the client."""
        self._input.add(octets)

    def octets_to_send(self) -> bytes:
        """Return what is to be sent, and forget it."""
        return self._output.take()

    def send(self, octets: bytes) -> None:
        """Have an untagged response sent, as responses.py writes it."""
        self._output.add(octets)

    def _next_short_line(self, most: int) -> bytes | None:
        """Cut off a line; of a longer one so much that its reader sees that it is too long."""
        line = self._input.next_line()
        if line is None:
            self._input.shorten_line(most + 1)
        return line
