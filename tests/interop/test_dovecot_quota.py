"""Dovecot keeps the same `maildirsize` as we do, each adding to what the other wrote (F-10)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from paperpath.config.quota import Quota
from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.quota import OverQuotaError
from paperpath.folders.quota_text import Usage, read_sums
from tests.support.peers import find_peer
from tests.support.postfix import public_folder

pytestmark = [pytest.mark.interop, pytest.mark.slow]

QUOTA = Quota(100_000, 10)
_USER, _GROUP = "nobody", "nogroup"  # where the test runs as root, for which Dovecot does nothing
_CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/log
ssl = no
mail_location = maildir:{folder}/box
mail_plugins = quota
plugin {{
  quota = maildir:User quota
  quota_rule = *:bytes=100000
  quota_rule2 = *:messages=10
  quota_rule3 = Trash:ignore
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
"""


class Mailbox:
    """A Maildir that we and Dovecot write, and Dovecot's tool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "box"
        self._root = folder
        self._doveadm = find_peer("doveadm")
        (folder / "dovecot.conf").write_text(_CONFIGURATION.format(folder=folder))
        create_maildir(folder, PurePosixPath("box"), ["Work", "Trash"])
        self._hand_over()

    def deliver(self, name: str, octets: int, subfolder: str = "") -> None:
        """Deliver as smtpld does."""
        try:
            with Maildir(self._root, Place(PurePosixPath("box"), subfolder), quota=QUOTA) as maildir:
                maildir.write(name, [b"Subject: x\n\n".ljust(octets, b"x")])
                maildir.flush()
        finally:
            self._hand_over()

    def ask(self, *arguments: str, content: str = "") -> str:
        """Have Dovecot do something; return what it says."""
        user, group, more = (_USER, _GROUP, ()) if os.geteuid() == 0 else (None, None, None)
        done = subprocess.run(
            [self._doveadm, "-f", "tab", "-c", str(self._root / "dovecot.conf"), *arguments],
            input=content,
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=group,
            extra_groups=more,
            env={"USER": "joe", "HOME": str(self._root)},
        )
        return (done.stdout + done.stderr).strip()

    def messages_by_dovecot(self) -> int:
        """Return how many messages Dovecot takes the mailbox to hold."""
        rows = [line.split("\t") for line in self.ask("quota", "get").splitlines()]
        return next(int(row[2]) for row in rows if row[1] == "MESSAGE")

    def sums(self) -> Usage:
        found = read_sums((self.folder / "maildirsize").read_bytes())
        assert found is not None
        assert found.quota == QUOTA
        return found.usage

    def count(self) -> Usage:
        files = [file for part in ("new", "cur") for file in self.folder.rglob(f"{part}/*")]
        counted = [file.stat().st_size for file in files if file.parent.parent.name != ".Trash"]
        return Usage(sum(counted), len(counted))

    def _hand_over(self) -> None:
        if os.geteuid() == 0:
            for path in (self._root, *self._root.rglob("*")):
                shutil.chown(path, _USER, _GROUP)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with public_folder() as folder:
        yield Mailbox(folder)


def test_F10_dovecot_and_we_add_up_one_mailbox(mailbox: Mailbox) -> None:
    for number, subfolder in enumerate(["", "", "Work", "Trash"]):
        mailbox.deliver(f"1700000000.M{number}R1.h", 10_000 + number, subfolder)
    ours = (mailbox.folder / "maildirsize").read_bytes()
    assert mailbox.messages_by_dovecot() == 3
    assert (mailbox.folder / "maildirsize").read_bytes() == ours  # Dovecot believes it as it is

    assert mailbox.ask("save", "-m", "INBOX", content="Subject: theirs\n\nbody\n") == ""
    mailbox.ask("expunge", "mailbox", "INBOX", "1")
    mailbox.ask("move", "Trash", "mailbox", "Work", "all")
    assert mailbox.sums() == mailbox.count()
    mailbox.deliver("1700000001.M1R1.h", 20_000)
    assert mailbox.sums() == mailbox.count()
    assert mailbox.count().messages == 3

    with pytest.raises(OverQuotaError):
        mailbox.deliver("1700000001.M2R1.h", 75_000)
    assert "exceeded" in mailbox.ask("save", "-m", "INBOX", content="Subject: x\n\n" + "x" * 75_000)
    mailbox.ask("expunge", "mailbox", "INBOX", "all")
    mailbox.deliver("1700000001.M2R1.h", 75_000)
    counted = mailbox.sums()
    assert counted == mailbox.count() == Usage(75_000, 1)
    mailbox.ask("quota", "recalc")
    assert mailbox.sums() == counted
