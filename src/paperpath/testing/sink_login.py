"""The dialogue of AUTH PLAIN and LOGIN, from the server's side: pure (RFC 4954 §4, RFC 4616).

Driven by the sink's dialogue: `answer` takes what the client says and returns the next challenge, until the
login has an outcome.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass

_CHALLENGES = {"PLAIN": ("",), "LOGIN": ("Username:", "Password:")}
_GARBAGE = "*this is not base64*"


class LoginError(Exception):
    """What the client said is no answer: not base64, or `*`, which cancels."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may log in."""

    user: str
    password: str


class Login:
    """One attempt to log in. Raises LoginError for a mechanism that is not there."""

    def __init__(self, mechanism: str, *, garbage: bool) -> None:
        """Begin; `garbage`: the challenges are such as no client can read."""
        if mechanism not in _CHALLENGES:
            raise LoginError(f"no mechanism {mechanism}")
        self._is_plain = mechanism == "PLAIN"
        self._challenges = [_GARBAGE if garbage else _encode(text) for text in _CHALLENGES[mechanism]]
        self._answers: list[bytes] = []

    @property
    def challenge(self) -> str | None:
        """What to ask next, in base64; nothing when all is said."""
        return self._challenges[len(self._answers)] if len(self._answers) < len(self._challenges) else None

    def answer(self, line: bytes) -> None:
        """Take an answer of the client's, or its initial response. Raises: LoginError."""
        if line == b"*":
            raise LoginError("cancelled")
        try:  # RFC 4954 §4: "=" is an initial response of no octets
            self._answers.append(b"" if line == b"=" else base64.b64decode(line, validate=True))
        except binascii.Error:
            raise LoginError("not base64") from None

    def is_right(self, wanted: Credentials) -> bool:
        """Tell whether all that was said is what was wanted."""
        said = self._answers[0].split(b"\0")[1:] if self._is_plain else self._answers
        return secrets.compare_digest(b"\0".join(said), f"{wanted.user}\0{wanted.password}".encode())


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
