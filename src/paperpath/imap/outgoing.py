"""What is to be sent to a client, in order. Kept by the core."""

from paperpath.imap.assembly import Assembly
from paperpath.imap.completion import Completion
from paperpath.imap.responses import write_completion

_GO_AHEAD = b"+ Go ahead\r\n"


class Outgoing:
    """The octets that wait to be sent."""

    def __init__(self) -> None:
        """Begin with none."""
        self._octets: list[bytes] = []

    def __len__(self) -> int:
        return sum(map(len, self._octets))

    def add(self, octets: bytes) -> None:
        """Add what is written already."""
        self._octets.append(octets)

    def say(self, completion: Completion) -> None:
        """Tell the client something that it did not ask for."""
        self._octets.append(write_completion("", completion))

    def answer(self, assembly: Assembly, completion: Completion) -> None:
        """Tell how a command ended; one whose tag cannot be read is answered without."""
        self._octets.append(write_completion(assembly.tag, completion))

    def ask(self) -> None:
        """Ask for what the client waits to send."""
        self._octets.append(_GO_AHEAD)

    def take(self) -> bytes:
        """Return all, and forget it."""
        octets = b"".join(self._octets)
        self._octets.clear()
        return octets
