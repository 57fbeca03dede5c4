"""The storm: a whole installation under load, while a random program is killed again and again."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.crash.deaths import kill_one
from tests.crash.ledger import Answer, Ledger, Message
from tests.crash.programs import OFFICE, warm_up
from tests.crash.runner import GoneError, come_to_rest, expect, send_one
from tests.crash.site import Site
from tests.crash.steps import ACCOUNTS, ADMIN, GONE, JOE, JOE2, LARGE, Scenario, Step, U, write_aliases
from tests.support.installation import PROGRAMS, Installation, wait_until
from tests.support.wire import Wire

_SESSIONS = 10
_PATIENCE_S = 120.0
# To whom a recipient leads, and what fails of it.
_MAILBOXES = {
    U: {U},
    JOE: {JOE},
    JOE2: {JOE2},
    ADMIN: {ADMIN},
    "team@here.example": {U, JOE, JOE2, ADMIN},
    "inner@here.example": {U, JOE2, ADMIN},
    "mixed@here.example": {JOE},
}
_FAILING = frozenset({"mixed@here.example"})


@dataclass(frozen=True, slots=True)
class Storm:
    """What a storm did, and what is wrong after it."""

    answers: dict[str, int]
    kills: dict[str, int]
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        said = ", ".join(f"{count} {answer}" for answer, count in sorted(self.answers.items()))
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return "\n".join([f"messages: {said}", f"killed: {killed}", *(self.wrong or ["the books balance"])])


def storm(folder: Path, messages: int, seconds: float, seed: int) -> Storm:
    """Send messages while programs die; wait until all has come to rest; balance the books."""
    installation = Installation(folder, accounts=tuple(set(ACCOUNTS) - {GONE}), processes=2)
    write_aliases(installation)
    source = random.Random(seed)
    ledger = Ledger()
    with installation.up():
        kills = send_all(
            installation.port,
            list(make_messages(messages, source)),
            ledger,
            seconds,
            lambda: kill_one(installation.pids, PROGRAMS, source),
        )
        wait_until(lambda: not installation.books().open, "all mail to come to rest", _PATIENCE_S)
    warm_up()
    wrong = come_to_rest(Site(folder), Scenario("storm", [Step(OFFICE)]), ledger)
    answers = Counter(answer.value for _, answer in ledger.sent.values())
    return Storm(dict(answers), dict(kills), tuple(wrong))


def make_messages(count: int, source: random.Random) -> Iterator[Message]:
    """Make messages with random recipients, of which some fail, now and then a large one."""
    for number in range(1, count + 1):
        octets = LARGE if source.random() < 0.02 else source.randrange(3000)
        if source.random() < 0.05:
            yield Message(number, (U,), {}, sender=JOE, octets=octets, reports={U: 1}, been_at=U)
            continue
        recipients = tuple(source.sample(sorted(_MAILBOXES), source.choice((1, 1, 1, 2, 3))))
        copies = dict.fromkeys(set[str]().union(*(_MAILBOXES[recipient] for recipient in recipients)), 1)
        reports = dict.fromkeys(_FAILING.intersection(recipients), 1)
        yield Message(number, recipients, copies, sender=JOE, octets=octets, reports=reports)


def send_all(
    port: int,
    messages: list[Message],
    ledger: Ledger,
    seconds: float,
    kill: Callable[[], Counter[str]],
) -> Counter[str]:
    """Send over several sessions, and kill meanwhile; return how often each program was killed."""
    waiting = iter(messages)
    lock = threading.Lock()
    threads = [
        threading.Thread(target=send_some, args=(partial(open_session, port), waiting, ledger, lock))
        for _ in range(_SESSIONS)
    ]
    for thread in threads:
        thread.start()
    kills: Counter[str] = Counter()
    due_s = time.monotonic() + seconds
    while any(thread.is_alive() for thread in threads):
        threads[0].join(0.01)
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + seconds
            kills += kill()
    return kills


def open_session(place: int | Path) -> Wire:
    """Connect, and say who we are. Raises: OSError, GoneError."""
    wire = Wire(place)
    try:
        expect(wire.reply(), b"220")
        expect(wire.ask(b"EHLO storm.example"), b"250")
    except BaseException:
        wire.close()
        raise
    return wire


def send_some(
    begin: Callable[[], Wire], messages: Iterator[Message], ledger: Ledger, lock: threading.Lock
) -> None:
    """Send messages as long as there are any; whatever happens to the session, each once."""
    while True:
        with suppress(OSError, GoneError), begin() as wire:
            while True:
                with lock:
                    message = next(messages, None)
                    if message is None:
                        return
                    ledger.note(message, Answer.NONE)
                answer = send_one(wire, message)
                with lock:
                    ledger.note(message, answer)
        time.sleep(0.02)  # until the program is there again
