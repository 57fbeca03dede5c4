"""The mail of a soak: by which ways it comes in, how large it is and to whom, and how fast it comes."""

import base64
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from tests.crash.ledger import Answer, Ledger, Message
from tests.crash.runner import expect
from tests.crash.site import leave_message
from tests.crash.steps import ADMIN, JOE, JOE2, U
from tests.crash.storm import open_session, send_some
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.tls import make_client_context
from tests.support.wire import Wire

HOSTS = 10
MOST_OCTETS = 20 * 2**20
SESSIONS = 2  # of each way
_MAILBOXES = (U, JOE, JOE2, ADMIN)
_MOST_RECIPIENTS = 60
_PER_SECOND = 5.0  # messages of each way
_HUGE_EVERY = 400  # messages of a way, the third among them
_NUMBERS = 1_000_000  # of each way


class Way(Enum):
    """How a message comes in."""

    RELAY = 0
    LOGIN = 1
    LOCAL = 2
    DROP = 3


@dataclass(frozen=True, slots=True)
class Load:
    """All senders of an installation, until `end_s` of the monotonic clock."""

    installation: Submission
    ledger: Ledger
    end_s: float
    seed: int

    def begin(self) -> list[threading.Thread]:
        """Start the senders."""
        site = self.installation
        threads = [threading.Thread(target=self._drop)]
        for way, begin in (
            (Way.RELAY, partial(open_session, site.port)),
            (Way.LOGIN, partial(log_in, site.submission_port)),
            (Way.LOCAL, partial(open_session, site.socket)),
        ):
            messages, lock = self._messages(way), threading.Lock()
            threads += [
                threading.Thread(target=send_some, args=(begin, messages, self.ledger, lock))
                for _ in range(SESSIONS)
            ]
        for thread in threads:
            thread.start()
        return threads

    def _drop(self) -> None:
        for message in self._messages(Way.DROP):
            leave_message(
                self.installation.folder, message.return_path, message.recipients, message.content()
            )
            self.ledger.note(message, Answer.TAKEN)

    def _messages(self, way: Way) -> Iterator[Message]:
        """Give messages, each when its time has come."""
        for message in make_messages(way, random.Random(f"{self.seed} {way.name}")):
            if time.monotonic() > self.end_s:
                return
            time.sleep(1 / _PER_SECOND)  # the load is what it is by this, not by what the machine can do
            yield message


def log_in(port: int) -> Wire:
    """Begin a session over TLS as somebody who may submit. Raises: OSError, GoneError."""
    wire = open_session(port)
    try:
        expect(wire.ask(b"STARTTLS"), b"220")
        wire.start_tls(make_client_context())
        expect(wire.ask(b"EHLO storm.example"), b"250")
        proof = base64.b64encode(f"\0{ACCOUNT}\0{PASSWORD}".encode())
        expect(wire.ask(b"AUTH PLAIN " + proof), b"235")
    except BaseException:
        wire.close()
        raise
    return wire


def make_messages(way: Way, source: random.Random) -> Iterator[Message]:
    """Make messages without end: most small, some large, the third of 20 MiB; few or many recipients."""
    for place in range(1, _NUMBERS):
        number = way.value * _NUMBERS + place
        octets = _choose_size(place, source)
        is_small = octets < 2**16
        count = source.choice((1, 1, 1, 2, 5, source.randint(6, _MOST_RECIPIENTS))) if is_small else 1
        near = tuple(source.sample(_MAILBOXES, source.randrange(min(count, len(_MAILBOXES)) + 1)))
        far = tuple(
            f"r{one}.{number}@h{source.randrange(HOSTS)}.wild.example" for one in range(count - len(near))
        )
        message = Message(number, near + far, dict.fromkeys(near, 1), sender=JOE, octets=octets)
        yield replace(message, dropped=way is Way.DROP, submitted=way in (Way.LOGIN, Way.LOCAL))


def _choose_size(place: int, source: random.Random) -> int:
    if place % _HUGE_EVERY == 3:
        return MOST_OCTETS
    if source.random() < 0.01:
        return source.randrange(2**16, 2**21)
    return 0 if source.random() < 0.1 else int(2 ** source.uniform(0, 15))
