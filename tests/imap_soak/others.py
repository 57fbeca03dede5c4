"""Those who change the mailbox without IMAP: smtpld, which gets mail by SMTP, and a program like mutt."""

import os
import random
import smtplib
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.imap_soak.ledger import Ledger, make_email_id
from tests.support.submission import ACCOUNT

_PACE_S = 0.2


class Others:
    """They work until they are stopped."""

    def __init__(self, port: int, maildir: Path, ledger: Ledger, seed: int) -> None:
        """Start them."""
        self._port, self._maildir, self._ledger = port, maildir, ledger
        self._source = random.Random(f"{seed} others")
        self._number = 0
        self._stop = threading.Event()
        deeds: tuple[Callable[[], None], ...] = (self._send, self._touch)
        self._threads = [threading.Thread(target=self._work, args=(deed,)) for deed in deeds]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have them end, and wait for it."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, deed: Callable[[], None]) -> None:
        while not self._stop.wait(_PACE_S):
            deed()

    def _send(self) -> None:
        """Send a message by SMTP; once it is taken it has to come."""
        number = len(self._ledger.delivered)
        marker = b"X-Number: sent %d" % number
        text = b"Subject: soak\r\n" + marker + b"\r\n\r\nhello\r\n"
        with smtplib.SMTP("127.0.0.1", self._port, "soak.example") as client:
            client.sendmail("soak@else.example", [ACCOUNT], text)
        with self._ledger.lock:
            self._ledger.delivered.add(marker)
        self._ledger.count("delivery")

    def _touch(self) -> None:
        """Do what other programs do with files: put one there, change flags, move it from new, remove it."""
        self._source.choice((self._put, self._flag, self._flag, self._remove))()

    def _put(self) -> None:
        self._number += 1
        content = b"Subject: soak\nX-Number: put %d\n\n" % self._number
        email_id = make_email_id(content.replace(b"\n", b"\r\n"))
        self._ledger.begin([email_id], mortal=self._number % 2 == 0)
        name = f"{1_500_000_000 + self._number}.P{os.getpid()}.{'even' if self._number % 2 == 0 else 'odd'}"
        (self._maildir / "tmp" / name).write_bytes(content)
        (self._maildir / "tmp" / name).rename(self._maildir / "new" / name)
        with self._ledger.lock:
            self._ledger.possible[email_id] -= 1
            self._ledger.certain[email_id] += 1
        self._ledger.count("file put")

    def _flag(self) -> None:
        if file := self._choose():
            base, _, flags = file.name.partition(":2,")
            flags = "".join(sorted(set(flags) ^ {self._source.choice("FRS")}))
            with suppress(FileNotFoundError):  # somebody was faster
                file.rename(self._maildir / "cur" / f"{base}:2,{flags}")
                self._ledger.count("file renamed")

    def _remove(self) -> None:
        file = self._choose()
        if file is None or ".even" not in file.name:
            return
        with suppress(FileNotFoundError):
            self._ledger.doom([make_email_id(file.read_bytes().replace(b"\n", b"\r\n"))])
            file.unlink()
            self._ledger.count("file removed")

    def _choose(self) -> Path | None:
        """Choose a file that was put there, wherever it is by now."""
        ours = f".P{os.getpid()}."
        files = [file for part in ("new", "cur") for file in (self._maildir / part).glob(f"*{ours}*")]
        return self._source.choice(files) if files else None
