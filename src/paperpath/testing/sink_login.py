"""AUTH from the sink's side: the exchanges of our servers, judged by the one password there is.

Driven by the sink's dialogue: `begin`, then `answer` for each line, until `is_over`.
"""

import secrets
from collections.abc import Callable

from paperpath.smtp import replies
from paperpath.smtp.events import KeysWanted, LoginReceived, PasswordReceived
from paperpath.smtp.grammar import parse_login
from paperpath.smtp.login import Login, Step
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.scram import LEAST_ITERATIONS, derive_keys
from paperpath.testing.sink_options import SinkOptions

_GARBAGE = b"334 *this is not base64*\r\n"
_SALT_OCTETS = 16


class Attempt:
    """One attempt to log in; each step returns what is said to the client."""

    def __init__(self, options: SinkOptions) -> None:
        """Take who may log in, and how."""
        self._options = options
        self._login: Login | None = None
        self.is_over = False
        self.has_succeeded = False

    def begin(self, argument: bytes) -> bytes:
        """Take what stands behind AUTH."""
        return self._go_on(lambda: self._choose(argument))

    def answer(self, line: bytes) -> bytes:
        """Take an answer to a challenge."""
        login = self._login
        assert login is not None
        return self._go_on(lambda: login.answer(line))

    def _choose(self, argument: bytes) -> Step:
        mechanism, initial = parse_login(argument)
        if mechanism not in self._options.mechanisms:
            raise CommandError(replies.R504_MECHANISM)
        self._login = Login(mechanism)
        return self._login.begin(initial)

    def _go_on(self, take: Callable[[], Step]) -> bytes:
        try:
            step = take()
        except CommandError as error:
            self.is_over = True
            return error.reply.octets
        if isinstance(step, KeysWanted):
            step = self._give_keys()
        if isinstance(step, bytes):
            return _GARBAGE if self._options.auth_garbage else step
        self.is_over = True
        self.has_succeeded = self._is_right(step)
        return (replies.R235_LOGGED_IN if self.has_succeeded else replies.R535_WRONG).octets

    def _give_keys(self) -> Step:
        assert self._login is not None
        keys = derive_keys(self._options.password, secrets.token_bytes(_SALT_OCTETS), LEAST_ITERATIONS)
        return self._login.take_keys(keys, secrets.token_urlsafe())

    def _is_right(self, step: Step) -> bool:
        options = self._options
        match step:
            case PasswordReceived(_, name, _, password):
                return (name, password) == (options.user, options.password)
            case LoginReceived(_, name):
                return name == options.user
            case _:
                return False
