"""How somebody logs in: by LOGIN, or by AUTHENTICATE and the answers behind it (RFC 9051 §6.2.2, §6.2.3).

Kept by the core. The mechanisms are those of `paperpath.smtp.sasl`; here is how their challenges and answers
are written in IMAP. Nothing of what the client said is kept when it is over.
"""

import base64

from paperpath.imap.completion import Completion, Condition, bad, no
from paperpath.imap.dialect import Dialect
from paperpath.imap.entrance import Entrance
from paperpath.imap.fault import Fault
from paperpath.imap.grammar.access import parse_authenticate, parse_login
from paperpath.imap.scanner import Scanner
from paperpath.smtp.events import KeysWanted, LoginEvent, LoginFailed, PasswordReceived
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.sasl import Exchange, begin_exchange
from paperpath.smtp.scram import ScramKeys

MOST_ANSWER_OCTETS = 12_288  # of a line

WRONG = no("Wrong name or password", "AUTHENTICATIONFAILED")
_TOO_LONG = bad("The answer is too long")
_CANCELLED = bad("Cancelled")  # RFC 9051 §6.2.2
_NOT_BASE64 = bad("That is not base64")
_NOBODY_LOOKED = frozenset({"UNAVAILABLE", "PRIVACYREQUIRED"})  # RFC 5530 §3
_MOST_OCTETS = 255  # of a name or a password, as in SASL

Step = bytes | LoginEvent  # octets to send
_Said = bytes | tuple[ScramKeys, str] | None


class Login:
    """One attempt to log in, by either of the two ways. `event`: what waits for the driver, if anything."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._exchange: Exchange | None = None
        self.event: LoginEvent | None = None

    @property
    def may_succeed(self) -> bool:
        """Whether the driver may let somebody in."""
        return self.event is not None and not isinstance(self.event, KeysWanted | LoginFailed)

    def take_password(self, words: Scanner) -> Step:
        """Take what stands behind LOGIN; it makes what PLAIN would. Raises: Fault."""
        name, password = parse_login(words)
        if not all(0 < len(octets) <= _MOST_OCTETS for octets in (name, password)):
            raise Fault(WRONG)
        try:
            self.event = PasswordReceived("LOGIN", name.decode("utf-8"), "", password.decode("utf-8"))
        except UnicodeDecodeError:
            raise Fault(WRONG) from None
        return self.event

    def begin(self, words: Scanner, dialect: Dialect, entrance: Entrance) -> Step:
        """Take what stands behind AUTHENTICATE; `=` is an initial response of no octets. Raises: Fault."""
        mechanism, initial = parse_authenticate(words, dialect)
        entrance.check_mechanism(mechanism)
        self._exchange = begin_exchange(mechanism)
        step = self._go_on(None)
        if not initial:
            return step
        return self._go_on(b"" if initial == b"=" else _decode(initial))

    def answer(self, line: bytes) -> Step:
        """Take the answer to a challenge; `*` cancels. Raises: Fault."""
        if line == b"*":
            raise Fault(_CANCELLED)
        if len(line) >= MOST_ANSWER_OCTETS:
            raise Fault(_TOO_LONG)
        return self._go_on(_decode(line))

    def take_keys(self, keys: ScramKeys, nonce: str) -> Step:
        """Go on with the keys that were wanted."""
        return self._go_on((keys, nonce))

    def _go_on(self, said: _Said) -> Step:
        assert self._exchange is not None
        self.event = None
        try:
            given = self._exchange.send(said)
        except CommandError:
            raise Fault(WRONG) from None
        if isinstance(given, bytes):
            return b"+ " + base64.b64encode(given) + b"\r\n"
        self.event = given
        return given


def is_failure(completion: Completion) -> bool:
    """Tell whether somebody failed to prove who he is, rather than that nobody looked."""
    return completion.condition is Condition.NO and completion.code not in _NOBODY_LOOKED


def _decode(line: bytes) -> bytes:
    """Decode strictly: what is not the one way to write its octets is refused. Raises: Fault."""
    try:
        octets = base64.b64decode(line)
    except ValueError:
        raise Fault(_NOT_BASE64) from None
    if base64.b64encode(octets) != line:
        raise Fault(_NOT_BASE64)
    return octets
