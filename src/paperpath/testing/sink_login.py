"""The dialogue of AUTH PLAIN and LOGIN, from the server's side: pure (RFC 4954 §4, RFC 4616).

Driven by the sink's dialogue: `begin`, then `answer` for each line, until `is_over`.
"""

import base64
import binascii
import secrets

from paperpath.mail.reply import Reply, make_reply

_CHALLENGES = {"PLAIN": ("",), "LOGIN": ("Username:", "Password:")}
_GARBAGE = "*this is not base64*"

R235_LOGGED_IN = make_reply(235, "2.7.0", "Logged in")
R501_NO_ANSWER = make_reply(501, "5.5.2", "That is no answer to the challenge")
R504_MECHANISM = make_reply(504, "5.5.4", "No such mechanism")
R535_WRONG = make_reply(535, "5.7.8", "Wrong user or password")


class Login:
    """One attempt to log in. `garbage`: the challenges are such as no client can read."""

    def __init__(self, user: str, password: str, *, garbage: bool) -> None:
        """Take who may log in."""
        self._wanted = f"{user}\0{password}".encode()
        self._garbage = garbage
        self._mechanism = ""
        self._answers: list[bytes] = []
        self.is_over = False

    def begin(self, argument: bytes) -> Reply:
        """Take what stands behind AUTH; return the first challenge, or the outcome."""
        mechanism, _, initial = argument.partition(b" ")
        self._mechanism = mechanism.decode("ascii", "replace").upper()
        if self._mechanism not in _CHALLENGES:
            return self._end(R504_MECHANISM)
        return self.answer(initial) if initial else self._ask()

    def answer(self, line: bytes) -> Reply:
        """Take an answer, of which `*` cancels; return the next challenge, or the outcome."""
        try:  # RFC 4954 §4: "=" is an initial response of no octets
            self._answers.append(b"" if line == b"=" else base64.b64decode(line, validate=True))
        except binascii.Error:
            return self._end(R501_NO_ANSWER)
        return self._ask()

    def _ask(self) -> Reply:
        challenges = _CHALLENGES[self._mechanism]
        if len(self._answers) < len(challenges):
            text = challenges[len(self._answers)]
            return Reply(334, "", (_GARBAGE if self._garbage else base64.b64encode(text.encode()).decode(),))
        # PLAIN: another identity, NUL, user, NUL, password
        said = self._answers[0].split(b"\0")[1:] if self._mechanism == "PLAIN" else self._answers
        is_right = secrets.compare_digest(b"\0".join(said), self._wanted)
        return self._end(R235_LOGGED_IN if is_right else R535_WRONG)

    def _end(self, reply: Reply) -> Reply:
        self.is_over = True
        return reply
