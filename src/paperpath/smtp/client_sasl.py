"""What we say behind AUTH: SCRAM-SHA-256, PLAIN and LOGIN (RFC 4954 §4, RFC 7677, RFC 4616).

Called by the client core, inside TLS alone: two of them send the password as it is. A conversation is a value
that gives one line per challenge; an answer of `None` cancels (RFC 4954 §4: "*").
"""

import base64
from collections.abc import Callable

from paperpath.smtp import scram
from paperpath.smtp.client_settings import Credentials

_MOST_COMMAND_OCTETS = 512  # RFC 4954 §4: a response that makes AUTH longer waits for a challenge

_Answer = Callable[[bytes], bytes]  # to a challenge


class Conversation:
    """The client's side of one AUTH."""

    def __init__(self, mechanism: str, initial: bytes | None, answers: list[_Answer]) -> None:
        """Take what is to be said: `initial` goes with the command, the others answer a challenge each."""
        self.mechanism = mechanism
        self.initial = None if initial is None else _encode(initial)
        self._answers = answers

    @property
    def is_complete(self) -> bool:
        """Whether all was said, and by SCRAM the peer has proved to know the password: it may let us in."""
        return not self._answers

    def respond(self, challenge: str) -> str | None:
        """Answer a challenge; `None` where it is malformed or forged, or nothing is left to say."""
        if not self._answers:
            return None
        try:
            return _encode(self._answers.pop(0)(base64.b64decode(challenge, validate=True)))
        except (ValueError, scram.ScramError):
            return None


def converse(offered: frozenset[str], credentials: Credentials) -> Conversation | None:
    """Choose the best mechanism of those offered; `None` where we know none of them."""
    user, password = credentials.user.encode(), credentials.password.encode()
    if scram.NAME in offered and (prover := _find_prover(credentials)):
        return _say_at_once(scram.NAME, prover.first, [prover.prove, prover.verify])
    if "PLAIN" in offered:
        return _say_at_once("PLAIN", b"\0" + user + b"\0" + password, [])
    if "LOGIN" in offered:  # of no RFC; its prompts are for people, and differ
        return Conversation("LOGIN", None, [lambda _: user, lambda _: password])
    return None


def _find_prover(credentials: Credentials) -> scram.Prover | None:
    """Begin with SCRAM, `None` where user or password cannot be prepared for it (RFC 4013)."""
    try:
        return scram.Prover(credentials.user, credentials.password, credentials.nonce)
    except scram.ScramError:
        return None


def _say_at_once(mechanism: str, message: bytes, answers: list[_Answer]) -> Conversation:
    """Say something with the command, or behind an empty challenge where the line would be too long."""
    if len(f"AUTH {mechanism} \r\n") + len(_encode(message)) > _MOST_COMMAND_OCTETS:
        return Conversation(mechanism, None, [lambda _: message, *answers])
    return Conversation(mechanism, message, answers)


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
