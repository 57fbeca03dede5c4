"""What the sink answers to one client: sans-IO, octets in and octets out, as cheap as can be.

Called by the sink's connections. It takes every message and throws it away, but for the token; it offers
what a client could want for speed, and judges nothing (the sink that does is `paperpath sink`). LHLO makes
it LMTP.
"""

import json
from collections.abc import Callable

from paperpath.load.arrivals import Runs
from paperpath.load.token import MOST_OCTETS_BEFORE, find_token

QUESTION = b"XARRIVALS"  # RFC 5321 §4.1.5: X, for it is ours alone
_MOST_LINE_OCTETS = 8192
_END = b"\r\n.\r\n"
_GREETING = b"220 sink.test ESMTP takes everything\r\n"
_HELLO = b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE\r\n"
_OK, _GO_ON, _BYE = b"250 2.0.0 Ok\r\n", b"354 Go on\r\n", b"221 2.0.0 Bye\r\n"
_UNKNOWN = b"500 5.5.2 Unknown here\r\n"


class Dialogue:
    """One client."""

    def __init__(self, runs: Runs, clock: Callable[[], int]) -> None:
        """Begin; `greeting` is to be said first."""
        self._runs = runs
        self._clock = clock
        self._rest = b""
        self._is_lmtp = False
        self._recipients = 0
        self._in_content = False
        self._head = b""  # of the content, as far as its token may be
        self.greeting = _GREETING
        self.has_ended = False

    def receive(self, octets: bytes) -> bytes:
        """Take what came; return what is to be answered."""
        if self._rest:
            octets, self._rest = self._rest + octets, b""
        said: list[bytes] = []
        while octets and not self.has_ended:
            octets = (
                self._take_content(octets, said) if self._in_content else self._take_commands(octets, said)
            )
        return b"".join(said)

    def _take_commands(self, octets: bytes, said: list[bytes]) -> bytes:
        """Answer whole lines up to a DATA or the end of what came; return what is behind."""
        begin = 0
        while (end := octets.find(b"\n", begin)) >= 0:
            line, begin = octets[begin:end], end + 1
            said.append(self._answer(line))
            if self._in_content:
                return b"\r\n" + octets[begin:]  # a message without a line has that before its dot, too
            if self.has_ended:
                return b""
        self._rest = octets[begin:]
        if len(self._rest) > _MOST_LINE_OCTETS:
            said.append(_UNKNOWN)
            self.has_ended = True
        return b""

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._recipients = 0
        elif verb == b"RCPT":
            self._recipients += 1
        elif verb == b"DATA":
            self._in_content, self._head = True, b""
            return _GO_ON
        elif verb in (b"EHLO", b"LHLO"):
            self._is_lmtp = verb == b"LHLO"
            return _HELLO
        elif verb == b"QUIT":
            self.has_ended = True
            return _BYE
        elif line[: len(QUESTION)].upper() == QUESTION:
            return self._tell(line[len(QUESTION) :].strip())
        elif verb not in (b"RSET", b"HELO", b"NOOP"):
            return _UNKNOWN
        return _OK

    def _take_content(self, octets: bytes, said: list[bytes]) -> bytes:
        """Pass over content up to its end, if that has come; return what is behind."""
        end = octets.find(_END)
        passed = end if end >= 0 else max(len(octets) - len(_END) + 1, 0)
        if len(self._head) < MOST_OCTETS_BEFORE:
            self._head += octets[: min(passed, MOST_OCTETS_BEFORE)]
        if end < 0:
            self._rest = octets[passed:]  # its end may have begun
            return b""
        self._runs.note(find_token(self._head), self._clock(), self._recipients)
        said.append(_OK * self._recipients if self._is_lmtp else _OK)
        self._in_content, self._recipients = False, 0
        return octets[end + len(_END) :]

    def _tell(self, run: bytes) -> bytes:
        """Say what came of a run; nothing of it is that of one that nobody knows."""
        arrivals = self._runs.find(run.decode("ascii", "replace"))
        return b"250 %b\r\n" % json.dumps(arrivals and arrivals.describe()).encode()
