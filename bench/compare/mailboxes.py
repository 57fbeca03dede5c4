"""Both sides with many mailboxes, for messages with many recipients: one Maildir for each."""

from functools import partial
from pathlib import Path

from bench import ours, postfix, settings
from bench.maildir import Maildirs
from bench.relay import DOMAIN, RECIPIENT, Relay

MOST = 50
# As smtp-source names them: a number before the name.
NAMES = [f"{number}{RECIPIENT.partition('@')[0]}" for number in range(1, MOST + 1)]


class Paperpath(ours.Paperpath):
    """Paperpath with so many accounts."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self._data = self.folder / "data"
        self.target = Maildirs(self._data / "mailboxes" / DOMAIN / name for name in NAMES)

    def init(self) -> None:
        """Write them into the file of accounts, which people may edit."""
        super().init()
        with (self._data / "accounts").open("a", encoding="utf-8") as accounts:
            accounts.writelines(f"{name}@{DOMAIN}\t{DOMAIN}/{name}\n" for name in NAMES)


def make(name: str, folder: Path, port: int) -> Relay:
    """A side with these mailboxes."""
    if name == ours.NAME:
        return Paperpath(folder, port)
    made = postfix.Postfix(name, folder, port, partial(settings.to_maildirs, mailboxes=NAMES))
    made.mailboxes = NAMES
    made.target = Maildirs(made.places.mail / each for each in NAMES)
    return made
