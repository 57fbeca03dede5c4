"""Killing programs at any time loses nothing and doubles nothing (promises P2, P4, P8)."""

import os
import re
import signal
import threading
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Self

import pytest

from tests.support.installation import PROGRAMS, Installation, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow
MESSAGES = 5000
SESSIONS = 20
KILLS_OF_EACH = 4


class Load:
    """Sends numbered messages over several sessions, however often cut; notes which were accepted."""

    def __init__(self, port: int, count: int) -> None:
        self.accepted: list[int] = []
        self._port = port
        self._numbers = iter(range(count))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(SESSIONS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.wait_for_end()

    def wait_for(self, count: int) -> None:
        """Wait until so many messages were accepted."""
        wait_until(lambda: len(self.accepted) >= count, f"{count} accepted", 60)

    def wait_for_end(self) -> None:
        """Wait until every message was sent once."""
        for thread in self._threads:
            thread.join()

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _send(self) -> None:
        number = self._next()
        while number is not None:
            try:
                with Wire(self._port) as wire:
                    if not wire.reply() or not wire.ask(b"EHLO load.example"):
                        continue
                    while number is not None:
                        sent, number = number, self._next()
                        if not self._send_one(wire, sent):
                            break
            except OSError:
                continue  # killed under us; what was not answered is not claimed to be accepted

    def _send_one(self, wire: Wire, number: int) -> bool:
        wire.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\n")
        if [wire.reply()[:3] for _ in range(3)] != [b"250", b"250", b"354"]:
            return False
        wire.send(stuffed(b"Subject: load\r\nX-Number: %d\r\n\r\n" % number + b"x" * 2000 + b"\r\n"))
        if not wire.reply().startswith(b"250 "):
            return False
        with self._lock:
            self.accepted.append(number)
        return True


def numbers(files: list[Path]) -> Counter[int]:
    found: Counter[int] = Counter()
    for file in files:
        match = re.search(rb"^X-Number: (\d+)$", file.read_bytes(), re.MULTILINE)
        assert match is not None, file
        found[int(match[1])] += 1
    return found


def assert_each_accepted_once(installation: Installation, accepted: list[int]) -> None:
    wait_until(lambda: installation.books().open == 0, "the queue to drain", 60)
    found = numbers(installation.delivered())
    assert not set(accepted) - set(found), "accepted and lost"
    assert {number: count for number, count in found.items() if count > 1} == {}
    books = installation.books()
    assert books.balance
    assert books.delivered == found.total()
    assert not list((installation.mailboxes / "here.example" / "u" / "tmp").iterdir())


@pytest.mark.timeout(300)
def test_P2_P4_kill_9_of_each_program_in_turn_during_5000_messages(tmp_path: Path) -> None:
    installation = Installation(tmp_path, processes=2)
    with installation.up():
        with Load(installation.port, MESSAGES) as load:
            victims = cycle(PROGRAMS)
            for kill in range(1, KILLS_OF_EACH * len(PROGRAMS) + 1):
                due = kill * MESSAGES // (KILLS_OF_EACH * len(PROGRAMS) + 1)
                load.wait_for(due)
                installation.kill(next(victims))
        assert len(load.accepted) > MESSAGES * 0.9
        assert_each_accepted_once(installation, load.accepted)


def test_P8_kill_9_of_the_supervisor_ends_all_and_a_new_one_goes_on(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up() as process, Load(installation.port, 300) as load:
        load.wait_for(100)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(map(installation.pid, PROGRAMS)), "the programs to end")
        with installation.up():
            load.wait_for_end()
            assert_each_accepted_once(installation, load.accepted)


def test_P8_all_killed_at_once_and_started_again(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with Load(installation.port, 500) as load:
        for accepted in (100, 200):
            with installation.up() as process:
                load.wait_for(accepted)
                pids = [pid for pid in map(installation.pid, PROGRAMS) if pid]
                for pid in (process.pid, *pids):
                    os.kill(pid, signal.SIGKILL)
                process.wait()
                wait_until(lambda: not any(map(installation.pid, PROGRAMS)), "the programs to be gone")
        with installation.up():
            load.wait_for_end()
            assert_each_accepted_once(installation, load.accepted)
