"""What a client says, and which replies are due for it (RFC 2920 §3.1).

Used by the client core. Commands go out together where the peer takes that, else one by one; either way the
replies come in this order.
"""

from collections import deque
from collections.abc import Sequence

from paperpath.smtp.client_states import Wait
from paperpath.smtp.observer import Observer

_CRLF = "\r\n"

Line = tuple[Wait, str]


class Outgoing:
    """The client's side of the wire."""

    def __init__(self, observer: Observer) -> None:
        """Begin with nothing said, and the greeting due (RFC 5321 §3.1)."""
        self.due = deque((Wait.GREETING,))
        self.unsaid: deque[Line] = deque()  # commands that wait for the reply to the one before
        self._octets: list[bytes] = []
        self._observer = observer

    def take(self) -> bytes:
        """Return what is to be sent, and forget it."""
        octets = b"".join(self._octets)
        self._octets.clear()
        return octets

    def say(self, lines: Sequence[Line], *, together: bool) -> None:
        """Say commands; where not `together`, the first one now and the others by `say_next`."""
        if together:
            self._write(lines)
        else:
            self.unsaid.extend(lines)
            self.say_next()

    def say_next(self) -> None:
        """Say the next command of those that wait."""
        self._write([self.unsaid.popleft()])

    def say_secret(self, line: str, shown: str) -> None:
        """Say a line of AUTH, of which the observer is shown something else."""
        self._octets.append(line.encode() + b"\r\n")
        self.due.append(Wait.AUTH)
        self._observer.see_command(shown)

    def send_content(self, octets: bytes) -> None:
        """Send content behind 354, to which no reply is due."""
        self._octets.append(octets)

    def send_chunk(self, octets: bytes) -> None:
        """Send content by BDAT (RFC 3030 §2)."""
        self._write([(Wait.CHUNK, f"BDAT {len(octets)}")])
        self._octets.append(octets)

    def end_content(self, octets: bytes, shown: str, replies: int) -> None:
        """Send the end of content, to which that many replies are due."""
        self._octets.append(octets)
        self.due.extend([Wait.END] * replies)
        self._observer.see_command(shown)

    def clear(self) -> None:
        """Forget what was not sent; nothing is due any more."""
        self.due.clear()
        self.unsaid.clear()
        self._octets.clear()

    def _write(self, lines: Sequence[Line]) -> None:
        octets = (_CRLF.join([line for _, line in lines]) + _CRLF).encode()
        if octets.count(b"\r") != len(lines) or octets.count(b"\n") != len(lines):
            raise ValueError("a command would hold a line end of its own")
        self._octets.append(octets)
        for wait, line in lines:
            self.due.append(wait)
            self._observer.see_command(line)
