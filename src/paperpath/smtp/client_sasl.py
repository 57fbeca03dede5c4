"""What we say behind AUTH: PLAIN and LOGIN (RFC 4954 §4, RFC 4616).

Called by the client core, inside TLS alone, for both send the password as it is. A conversation is a value
that gives one line per challenge; an answer of `None` cancels (RFC 4954 §4: "*").
"""

import base64
import binascii
from collections.abc import Iterator

from paperpath.smtp.client_settings import Credentials


class Conversation:
    """The client's side of one AUTH."""

    def __init__(self, mechanism: str, initial: str | None, answers: list[bytes]) -> None:
        """Keep what is to be said: `initial` goes with the command, the others answer a challenge each."""
        self.mechanism = mechanism
        self.initial = initial
        self._answers: Iterator[bytes] = iter(answers)

    def respond(self, challenge: str) -> str | None:
        """Answer a challenge; `None` where it cannot be decoded, or nothing is left to say."""
        try:
            base64.b64decode(challenge, validate=True)
        except (binascii.Error, ValueError):
            return None
        answer = next(self._answers, None)
        return None if answer is None else _encode(answer)


def converse(offered: frozenset[str], credentials: Credentials) -> Conversation | None:
    """Choose the best mechanism of those offered; `None` where we know none of them."""
    user, password = credentials.user.encode(), credentials.password.encode()
    if "PLAIN" in offered:
        return Conversation("PLAIN", _encode(b"\0" + user + b"\0" + password), [])
    if "LOGIN" in offered:  # of no RFC; its prompts are for people, and differ
        return Conversation("LOGIN", None, [user, password])
    return None


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
