"""Clients that behave badly: each keeps a connection for a while and hands in nothing."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.crash.runner import GoneError
from tests.crash.storm import open_session
from tests.support.submission import Submission
from tests.support.wire import Wire

_PAUSE_S = 0.05
_TRICKLED = 60  # octets, over some seconds
_LINES = 2000
_ENVELOPE = b"MAIL FROM:<pest@else.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\n"


class Pests:
    """They come until they are stopped; `came` counts what they did."""

    def __init__(self, installation: Submission, seed: int) -> None:
        """Start one of each kind."""
        self.came: Counter[str] = Counter()
        self._stop = threading.Event()
        self._places = (installation.port, installation.submission_port)
        kinds = {"trickling": self._trickle, "never reading": self._read_nothing, "hanging up": self._hang_up}
        self._threads = [
            threading.Thread(target=self._come, args=(name, deed, random.Random(f"{seed} {name}")))
            for name, deed in kinds.items()
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have them go, and wait until they are gone."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _come(self, name: str, deed: Callable[[Wire, random.Random], None], source: random.Random) -> None:
        while not self._stop.wait(_PAUSE_S):
            with suppress(OSError, GoneError), open_session(source.choice(self._places)) as wire:
                self.came[name] += 1
                deed(wire, source)

    def _trickle(self, wire: Wire, source: random.Random) -> None:
        """Send a message octet by octet, and go before its end."""
        for octet in (_ENVELOPE + b"x" * _TRICKLED)[: len(_ENVELOPE) + source.randrange(_TRICKLED)]:
            wire.send(bytes([octet]))
            if self._stop.wait(_PAUSE_S):
                return

    def _read_nothing(self, wire: Wire, source: random.Random) -> None:
        """Ask much, and hear none of it."""
        for _ in range(_LINES):
            wire.send(b"NOOP\r\n" * 10)
        self._stop.wait(source.random() * 5)
        wire.reset()

    def _hang_up(self, wire: Wire, source: random.Random) -> None:
        """Go in the middle of content, small or so large that it waits in a file."""
        wire.send(_ENVELOPE)
        replies = [wire.reply()[:3] for _ in range(3)]
        if replies[-1] == b"354":
            wire.send((b"x" * 78 + b"\r\n") * source.randrange(4000))
            wire.reset()
