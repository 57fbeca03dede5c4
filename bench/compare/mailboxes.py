"""Both sides with many mailboxes, for messages with many recipients: one Maildir for each."""

import shutil
from functools import partial
from pathlib import Path

from bench import ours, postfix, settings
from bench.maildir import Maildirs
from bench.relay import DOMAIN, RECIPIENT, Relay

MOST = 50
OWN, _, _ = RECIPIENT.partition("@")
MORE = [f"{number}{OWN}" for number in range(2, MOST + 1)]
NAMES = [OWN, *MORE]  # as smtp-source names them: all but one with a number before the name


class Paperpath(ours.Paperpath):
    """Paperpath with so many accounts."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self._data = self.folder / "data"
        self.target = Maildirs(self._data / "mailboxes" / DOMAIN / name for name in NAMES)

    def init(self) -> None:
        """Make their folders, and write them into the file of accounts, which people may edit."""
        super().init()
        for name in MORE:
            shutil.copytree(self.maildir.new.parent, self.maildir.new.parent.with_name(name))
        with (self._data / "accounts").open("a", encoding="utf-8") as accounts:
            accounts.writelines(f"{name}@{DOMAIN}\t{DOMAIN}/{name}\n" for name in MORE)


def make(name: str, folder: Path, port: int) -> Relay:
    """A side with these mailboxes."""
    if name == ours.NAME:
        return Paperpath(folder, port)
    made = postfix.Postfix(name, folder, port, partial(settings.to_maildirs, mailboxes=NAMES))
    made.mailboxes = NAMES
    made.target = Maildirs(made.places.mail / each for each in NAMES)
    return made
