"""Null SMTP: a server that serves nobody: `554` for a greeting, and 503 to all but QUIT (RFC 5321 §3.1).

Driven as the server core is, by intake.null_session and by the tests; knows no more of the world than that.
Holds 512 octets of a line at most. What follows DATA is commands as well, each of them refused.
"""

from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from paperpath.smtp.events import CommandRefused, QuitReceived
from paperpath.smtp.grammar import show_command
from paperpath.smtp.observer import NOBODY, Observer
from paperpath.smtp.states import State

MOST_REFUSED = 100  # commands, as long as anybody may need to find QUIT; more is a flood

_MOST_HELD_OCTETS = 512  # RFC 5321 §4.5.3.1.4


class NullConnection:
    """One session seen from a server that gives no service."""

    def __init__(self, hostname: str, observer: Observer = NOBODY) -> None:
        """Begin with the greeting ready to be sent."""
        self._observer = observer
        self._state = State.CONNECTED
        self._input = b""
        self._read_to = 0  # what lies before was dealt with
        self._line_start = b""  # of a line that is too long to be held
        self._passed_over = 0  # octets of it that are gone
        self._refused = 0
        self._output: list[bytes] = []
        self._say(replies.null_greeting(hostname))

    @property
    def state(self) -> State:
        """Where the session is: connected or closed."""
        return self._state

    @property
    def pending_octets(self) -> int:
        """How many octets wait to be looked at."""
        return len(self._input) - self._read_to

    def receive(self, octets: bytes) -> None:
        """Take what came from the client."""
        self._input = self._input[self._read_to :] + octets
        self._read_to = 0

    def octets_to_send(self) -> bytes:
        """Return what is to be sent, and forget it."""
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    def next_event(self) -> CommandRefused | QuitReceived | None:
        """Return the next event, which is answered already; `None` when more octets are needed first."""
        if self._state is State.CLOSED:
            self._input, self._read_to = b"", 0
            return None
        end = self._input.find(b"\r\n", self._read_to)
        if end < 0:
            self._keep_rest()
            return None
        line = self._input[self._read_to : end]
        self._read_to = end + 2
        return self._carry_out(line)

    def close(self, reply: Reply) -> None:
        """End the session from our side; what was pending is dropped."""
        self._say(reply)
        self._state = State.CLOSED

    def _keep_rest(self) -> None:
        """Hold on to the begin of a line; of an over-long one to what may be half of its CRLF."""
        rest = self._input[self._read_to :]
        if len(rest) > _MOST_HELD_OCTETS:
            self._line_start = self._line_start or rest[:_MOST_HELD_OCTETS]
            self._passed_over += len(rest) - 1
            rest = rest[-1:]
        self._input, self._read_to = rest, 0

    def _carry_out(self, line: bytes) -> CommandRefused | QuitReceived:
        length, start = self._passed_over + len(line), self._line_start or line
        is_whole = not self._passed_over and length < _MOST_HELD_OCTETS  # wherever it was cut
        self._passed_over, self._line_start = 0, b""
        if is_whole and line.strip(b" \t").upper() == b"QUIT":
            self._observer.see_command("QUIT")
            self._say(replies.R221_BYE)
            self._state = State.CLOSED
            return QuitReceived()
        verb, argument = show_command(start, verbs_only=True)
        self._observer.see_command(verb.upper() or "unknown")
        self._say(replies.R503_NO_SERVICE)
        self._refused += 1
        if self._refused == MOST_REFUSED:
            self.close(replies.R421_TOO_MANY_ERRORS)
        return CommandRefused(verb, length, replies.R503_NO_SERVICE, argument if is_whole else "")

    def _say(self, reply: Reply) -> None:
        self._output.append(reply.octets)
        self._observer.see_reply(reply)
