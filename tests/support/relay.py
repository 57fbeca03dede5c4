"""A running installation with one smtprd, for tests that treat it badly and then see whether it is well."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.process import count_descriptors
from tests.support.wire import Wire, stuffed

LOOPS = ("uvloop", "asyncio")
_OUR_LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \w+ (info|warning) ")


class Relay(Installation):
    """An installation that runs, and knows what its smtprd looks like while nobody is connected."""

    loop: str
    smtprd: int
    descriptors_at_rest: int
    _said: int

    def take_note(self) -> None:
        """Look at smtprd after a message, when all that it opens late is open."""
        pid = self.pid("smtprd")
        assert pid is not None
        self.smtprd = pid
        for number in range(5):
            assert send_one(self, b"Subject: first\r\n\r\n" + b"x\r\n" * 30_000 * (number % 2))[:3] == b"250"
        wait_until(lambda: self.books().open == 0, "the first messages to be delivered")
        self.descriptors_at_rest = count_descriptors(self.smtprd)
        self._said = len(self.output())

    def assert_well(self, *, expected: str = "") -> None:
        """See that smtprd has let everybody go, takes mail, delivers it, and found nothing else to tell."""
        wait_until(
            lambda: count_descriptors(self.smtprd) <= self.descriptors_at_rest, "the connections to be gone"
        )
        assert send_one(self, b"Subject: well\r\n")[:3] == b"250"
        wait_until(lambda: self.books().open == 0, "all messages to be delivered")
        books = self.books()
        assert books.balance
        assert self.pid("smtprd") == self.smtprd
        wait_until(lambda: not self.content_files(), "the files of delivered messages to go")
        complaints = [line for line in self.complaints() if not (expected and re.search(expected, line))]
        self._said = len(self.output())
        assert not complaints, (len(complaints), complaints[:3])

    def content_files(self) -> list[Path]:
        """List the files of large content, finished and not."""
        folder = self.folder / "data" / "maildrop" / "content"
        return [entry for entry in folder.rglob("*") if entry.is_file()]

    def complaints(self) -> list[str]:
        """Return what was logged as an error, or not written by the log at all."""
        lines = self.output()[self._said :].splitlines()
        return [line for line in lines if not _OUR_LINE.match(line)]


def send_one(relay: Installation, content: bytes, recipient: bytes = b"u@here.example") -> bytes:
    """Send a message over a connection of its own; return the reply to it."""
    with Wire(relay.port) as wire:
        wire.open_transaction(recipient)
        wire.send(stuffed(content))
        return wire.reply()


@contextmanager
def running_relay(
    folder: Path,
    loop: str = "uvloop",
    *,
    more_relay: str = "",
    size: int = 100_000,
    more_hosts: Sequence[str] = (),
) -> Iterator[Relay]:
    """Run an installation on one of the event loops; it may listen on other addresses too."""
    relay = Relay(folder, more_relay=more_relay, size=size)
    relay.loop = loop
    listeners = ", ".join(f'"{host}:{relay.port}"' for host in ("127.0.0.1", *more_hosts))
    text = relay.file.read_text()
    relay.file.write_text(re.sub(r"(?m)^listen = .*$", f"listen = [{listeners}]", text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPATH_LOOP", loop)
        with relay.up():
            relay.take_note()
            yield relay
