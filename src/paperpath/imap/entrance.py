"""Whether the client of a session is known, and how it may become so (RFC 9051 §6.2, RFC 8314).

One for each session, kept by the core.
"""

from paperpath.imap.assembly import UNKNOWN
from paperpath.imap.capabilities import announce_to_known, announce_to_stranger
from paperpath.imap.completion import Completion, bad, no
from paperpath.imap.fault import Fault
from paperpath.imap.settings import Settings
from paperpath.imap.states import State, next_state
from paperpath.imap.verbs import NEEDED, Verb

_IN_CLEAR = no("Not in the clear; use TLS", "PRIVACYREQUIRED")  # RFC 5530 §3
_NO_TLS = bad("There is no TLS here")
_TLS_ALREADY = bad("This is TLS already")
_MECHANISM = no("That mechanism is not known here")


class Entrance:
    """What a session is by now."""

    def __init__(self, settings: Settings, *, encrypted: bool) -> None:
        """Begin with a client that nobody knows."""
        self._settings = settings
        self._failures = 0
        self.encrypted = encrypted
        self.is_logged_in = False
        self.compressed = False

    @property
    def capabilities(self) -> str:
        """What is announced now."""
        if self.is_logged_in:
            return announce_to_known(self._settings, compressed=self.compressed)
        return announce_to_stranger(self._settings, encrypted=self.encrypted)

    def judge(self, verb: Verb, state: State) -> State | Completion:
        """Return the state that a command leads to, or what refuses it, whatever stands behind its name."""
        if verb in NEEDED and self._settings.extensions.isdisjoint(NEEDED[verb]):
            return UNKNOWN
        following = next_state(state, verb)
        if isinstance(following, State):
            return self._refuse(verb) or following
        return following

    def check_mechanism(self, mechanism: str) -> None:
        """See that somebody may log in by this mechanism. Raises: Fault."""
        if mechanism not in self._settings.mechanisms:
            raise Fault(_MECHANISM)

    def fail(self) -> bool:
        """Take note of a login that failed; tell whether there were enough of them."""
        self._failures += 1
        return self._failures >= self._settings.failed_logins

    @property
    def _is_confidential(self) -> bool:
        return self.encrypted or self._settings.auth_in_clear

    def _refuse(self, verb: Verb) -> Completion | None:
        if verb in {Verb.LOGIN, Verb.AUTHENTICATE}:
            return None if self._is_confidential else _IN_CLEAR
        if verb is not Verb.STARTTLS:
            return None
        if self.encrypted:
            return _TLS_ALREADY
        return None if self._settings.tls else _NO_TLS
