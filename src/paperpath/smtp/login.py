"""One AUTH on a server, from the command to what its driver has to judge (RFC 4954 §4).

Kept by the server core while the state is `LOGIN`. Knows lines and base64, but nothing of what a mechanism
says. Each step gives the next challenge as it is sent, or an event that waits; a line that ends the
attempt raises `CommandError`. Nothing of what the client said is kept when it is over.
"""

import base64

from paperpath.smtp import replies
from paperpath.smtp.events import KeysWanted, LoginEvent, LoginFailed
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.sasl import begin_exchange
from paperpath.smtp.scram import ScramKeys

MOST_LINE_OCTETS = 12288  # of an answer, or of AUTH with one, with CRLF (RFC 4954 §4)

Step = bytes | LoginEvent  # octets to send
_Said = bytes | tuple[ScramKeys, str] | None


class Login:
    """One attempt to log in."""

    def __init__(self, mechanism: str) -> None:
        """Begin an attempt by a mechanism that was offered."""
        self._exchange = begin_exchange(mechanism)
        self._event: LoginEvent | None = None

    @property
    def wants_keys(self) -> bool:
        """Whether the driver is to give keys."""
        return isinstance(self._event, KeysWanted)

    @property
    def may_succeed(self) -> bool:
        """Whether the driver may let somebody in."""
        return self._event is not None and not isinstance(self._event, KeysWanted | LoginFailed)

    def begin(self, initial: bytes) -> Step:
        """Take the initial response, empty where none came; `=` is one of no octets. Raises: CommandError."""
        step = self._go_on(None)
        if not initial:
            return step
        return self._go_on(b"" if initial == b"=" else _decode(initial))

    def answer(self, line: bytes) -> Step:
        """Take the answer to a challenge; `*` cancels. Raises: CommandError."""
        if line == b"*":
            raise CommandError(replies.R501_CANCELLED)
        return self._go_on(_decode(line))

    def take_keys(self, keys: ScramKeys, nonce: str) -> Step:
        """Go on with the keys that were wanted."""
        return self._go_on((keys, nonce))

    def _go_on(self, said: _Said) -> Step:
        given = self._exchange.send(said)
        if isinstance(given, bytes):
            self._event = None
            return replies.format_challenge(given)
        self._event = given
        return given


def _decode(line: bytes) -> bytes:
    """Decode strictly: what is not the one way to write its octets is refused. Raises: CommandError."""
    try:
        octets = base64.b64decode(line)
    except ValueError:
        raise CommandError(replies.R501_NOT_BASE64) from None
    if base64.b64encode(octets) != line:
        raise CommandError(replies.R501_NOT_BASE64)
    return octets
