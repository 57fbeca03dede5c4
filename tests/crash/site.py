"""An installation that crash points are tried on: made once, copied for each try, looked into at the end."""

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from paperpath.folders.quota_text import Usage, read_sums
from paperpath.mail.address import parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.maildrop.drop.writer import drop_message
from paperpath.service.durable import replace_text
from tests.support.installation import Installation, find_free_port
from tests.support.wire import stuffed

_TABLES_EMPTY_AT_THE_END = ("message", "content", "recipient", "taken")
_LEFT_BY_RIGHT = frozenset({"queue.db", "queue.lock", "queue.turn", "reserve"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in a mailbox."""

    account: str
    octets: bytes


class Site(Installation):
    """An installation in a folder that exists."""

    def __init__(self, folder: Path, *, loses_power: bool = False) -> None:
        """Take an installation over that was copied here; its port becomes a free one."""
        self.folder = folder
        self.loses_power = loses_power
        self.file = folder / "paperpath.toml"
        self.mailboxes = folder / "data" / "mailboxes"
        self.maildrop = folder / "data" / "maildrop"
        self.log = folder / "log"
        self.submission = folder / "data" / "run" / "submission.sock"
        self.users = folder / "data" / "run" / "users" / "deliver.sock"
        self.take_free_port()

    def take_free_port(self) -> None:
        """Have whoever listens next do so at a port that is free now."""
        self.port = find_free_port()
        self.file.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{self.port}", self.file.read_text()))

    def drop(self, sender: str, recipients: Sequence[str], content: bytes) -> None:
        """Leave a message in the drop directory."""
        leave_message(self.folder, sender, recipients, content)

    def write_batch(self, sent: Sequence[tuple[str, Sequence[str], bytes]]) -> None:
        """Write a batch: sender, recipients and content of each message."""
        lines = [b"EHLO crash.example\r\n"]
        for sender, recipients, content in sent:
            lines.append(b"MAIL FROM:<%s>\r\n" % sender.encode())
            lines += [b"RCPT TO:<%s>\r\n" % recipient.encode() for recipient in recipients]
            lines += [b"DATA\r\n", stuffed(content)]
        (self.folder / "batch").write_bytes(b"".join(lines) + b"QUIT\r\n")

    def may_batch_go_on(self) -> bool:
        """Tell whether the batch has not ended: it was not begun, or a file says so."""
        octets = (self.folder / "batch").read_bytes()
        end = octets.index(b"\r\n.\r\n") + 5
        begun = self.folder / "data" / "batches" / hashlib.sha256(octets[:end]).hexdigest()[:32]
        return not self.books().accepted or begun.exists()

    def remove_account(self, address: str) -> None:
        """Take an account away, as if by hand."""
        accounts = self.folder / "data" / "accounts"
        lines = accounts.read_text().splitlines(keepends=True)
        replace_text(accounts, "".join(line for line in lines if not line.startswith(address + "\t")))

    def read_mail(self) -> None:
        """Do as mail programs do: move what is new, so that no second copy can replace the first."""
        for file in self.mailboxes.rglob("new/*"):
            file.rename(file.parent.with_name("cur") / f"{file.name}:2,S")

    def stored(self) -> Iterator[Stored]:
        """Give every message of every mailbox, in whatever folder or mbox."""
        for file in self.mailboxes.rglob("*"):
            if file.is_file() and file.parent.name in ("new", "cur"):
                mailbox = next(parent for parent in file.parents if not parent.name.startswith("."))
                while mailbox.name in ("new", "cur", "Maildir") or mailbox.name.startswith("."):
                    mailbox = mailbox.parent
                yield Stored(f"{mailbox.name}@{mailbox.parent.name}", file.read_bytes())
        for file in self.mailboxes.rglob("mbox"):
            account = f"{file.parent.name}@{file.parent.parent.name}"
            yield from (Stored(account, octets) for octets in _read_mbox(file.read_bytes()))

    def leftovers(self) -> list[str]:
        """List what has no business to be there any more, when all mail is gone and smtppd ran last."""
        left = [str(file.relative_to(self.folder)) for file in self._stray_files()]
        left += filter(None, map(_find_overcount, self.mailboxes.rglob("maildirsize")))
        database = self.maildrop / "queue.db"
        connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READWRITE)
        for pragma in ("integrity_check", "foreign_key_check"):
            found = [row for row in connection.execute(f"PRAGMA {pragma}") if row != ("ok",)]
            left += [f"{pragma}: {row}" for row in found]
        for table in _TABLES_EMPTY_AT_THE_END:
            ((count,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
            left += [f"{count} rows of {table}"] if count else []
        known = {str(number) for (number,) in connection.execute("SELECT id FROM worker")}
        connection.close()
        signs = {file.name for file in (self.maildrop / "workers").iterdir()}
        if signs != known or len(known) > 1:
            left.append(f"workers: rows {sorted(known)}, files {sorted(signs)}")
        return left

    def _stray_files(self) -> Iterator[Path]:
        for entry in self.maildrop.iterdir():
            if entry.name not in _LEFT_BY_RIGHT and entry.name not in ("workers", "content", "drop"):
                yield entry
        for folder in ("drop", "drop-damaged", "batches"):
            yield from (self.folder / "data" / folder).glob("*")
        yield from (file for file in (self.maildrop / "content").rglob("*") if file.is_file())
        yield from (
            file
            for file in self.mailboxes.rglob("*")
            if file.is_file() and file.parent.name == "tmp" and not self._goes_with_time(file)
        )
        yield from (  # a lock of ours goes with the next delivery
            lock for lock in self.mailboxes.rglob("mbox.*") if b" paperpath on " not in lock.read_bytes()
        )

    def _goes_with_time(self, file: Path) -> bool:
        """Tell whether a file may lie in tmp of a Maildir, from which whatever is left goes after 36 hours.

        A count that was cut off is no mail. And tmp is never flushed: a name that a delivery took away there
        may be back after a power cut, and the message has come long since.
        """
        return self.loses_power or file.name.startswith("maildirsize.")


def leave_message(folder: Path, sender: str, recipients: Sequence[str], content: bytes) -> None:
    """Leave a message in the drop directory of an installation, as mailto does."""
    envelope = Envelope(
        parse_mailbox(sender),
        tuple(Recipient(parse_mailbox(recipient)) for recipient in recipients),
        Client("", 0, "somebody", "local"),
    )
    drop_message(folder / "data" / "drop", envelope, [content])


def _read_mbox(octets: bytes) -> list[bytes]:
    """Take the entries of an mbox apart, and what was put before lines for their sake."""
    entries = re.split(rb"^From .*\n", octets, flags=re.MULTILINE)
    assert entries[0] == b"", "an mbox begins with an entry"
    return [re.sub(rb"^>(>*From )", rb"\1", entry[:-1], flags=re.MULTILINE) for entry in entries[1:]]


def _find_overcount(maildirsize: Path) -> str:
    """Say where a mailbox is taken to hold more than it does; of lines a power cut may take some (F-10)."""
    sums = read_sums(maildirsize.read_bytes())
    mailbox = maildirsize.parent
    files = [*mailbox.glob("new/*"), *mailbox.glob("cur/*")]
    held = Usage(sum(file.stat().st_size for file in files), len(files))
    if sums is None or (sums.usage.octets <= held.octets and sums.usage.messages <= held.messages):
        return ""
    return f"{maildirsize}: {sums.usage}, and there is {held}"


def copy_site(source: Path, target: Path) -> None:
    """Put a copy of an installation in the place of another."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.sock", "*.wake"))
