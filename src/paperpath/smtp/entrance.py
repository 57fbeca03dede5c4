"""Whether the client of a session is known, and how it may become so (RFC 3207 §4, RFC 4954 §4 and §6).

One for each session, kept by the server core, which asks it what comes before everything else.
"""

from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.sasl import EXTERNAL
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import BEFORE_LOGIN, BEFORE_TLS, Gate


class Entrance:
    """What a session may do as yet. `gate`: what it has to pass first, if anything."""

    def __init__(self, settings: Settings, *, encrypted: bool) -> None:
        """Begin with a client that nobody knows."""
        self._settings = settings
        self.encrypted = encrypted
        self._is_admitted = False
        self._is_logged_in = False
        self._is_vouched_for = False
        self._failures = 0
        self.gate = self._find_gate()

    @property
    def keywords(self) -> tuple[str, ...]:
        """What is announced to EHLO now."""
        settings = self._settings
        keywords = settings.keywords if self.encrypted else settings.keywords_in_clear
        mechanisms = self._mechanisms() if settings.mechanisms else ()
        return (*keywords, " ".join(("AUTH", *mechanisms))) if mechanisms else keywords

    def check(self, mechanism: str) -> None:
        """See that somebody may log in by this mechanism now. Raises: CommandError."""
        if self._is_logged_in:
            raise CommandError(replies.R503_LOGGED_IN)
        if mechanism in self._mechanisms():
            return
        waits_for_tls = mechanism in self._settings.mechanisms and not self._is_confidential
        raise CommandError(replies.R504_MECHANISM_IN_CLEAR if waits_for_tls else replies.R504_MECHANISM)

    def admit(self) -> None:
        """Take note that the client needs no login."""
        self._is_admitted = True
        self.gate = self._find_gate()

    def vouch(self) -> None:
        """Take note that the client can log in by EXTERNAL."""
        self._is_vouched_for = True

    def start_tls(self) -> None:
        """Forget what the client said in the clear (RFC 3207 §4.2); whom we admitted without a word stays."""
        self.encrypted = True
        self._is_logged_in = self._is_vouched_for = False
        self.gate = self._find_gate()

    def log_in(self) -> None:
        """Take note that somebody has logged in."""
        self._is_logged_in = True
        self.gate = self._find_gate()

    def fail(self, reply: Reply) -> bool:
        """Take note of a login that failed; tell whether there were enough of them."""
        self._failures += reply.code >= 500
        return self._failures >= self._settings.failed_logins

    @property
    def _is_confidential(self) -> bool:
        return self.encrypted or self._settings.auth_in_clear

    def _mechanisms(self) -> tuple[str, ...]:
        if not self._is_confidential:
            return ()
        return tuple(name for name in self._settings.mechanisms if name != EXTERNAL or self._is_vouched_for)

    def _find_gate(self) -> Gate | None:
        settings = self._settings
        if settings.tls_required and not self.encrypted:
            return BEFORE_TLS
        if settings.auth_required and not (self._is_admitted or self._is_logged_in):
            return BEFORE_LOGIN
        return None
