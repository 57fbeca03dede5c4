"""SELECT with QRESYNC while others work: what it tells fits together (K-24)."""

import re
from array import array
from pathlib import Path, PurePosixPath

from paperpath.folders.maildir import create_maildir
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange
from paperpath.imap.commands import QuickResync, Select
from paperpath.imap.desk.desk import Desk
from paperpath.imap.desk.selecting import _cut_out, select
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.testing.mail_store_suite import put

BOX = PurePosixPath("joe")


def test_K24_what_is_shown_is_told_of_and_what_happens_meanwhile_is_news(tmp_path: Path) -> None:
    create_maildir(tmp_path, BOX)
    store = MaildirStore(tmp_path, BOX)
    put(store, "INBOX", 4)
    other = store.open("INBOX")
    before = other.look().snapshot
    other.store_flags([1, 3], FlagChange.ADD, ["\\Deleted"])
    other.expunge([1])
    dialect = Dialect(frozenset(Extension))
    dialect.enable([Extension.QRESYNC])
    desk = Desk(store, dialect, 1000, lambda: 0)
    known = QuickResync(before.uid_validity, before.modseq)
    deed = select(desk, Select("INBOX", resync=known))
    said = next(deed)  # the folder was looked at
    other.expunge([3])
    other.store_flags([4], FlagChange.ADD, ["\\Seen"])
    said += b"".join(deed)
    assert b"* VANISHED (EARLIER) 1\r\n" in said
    assert b"UID 3 FLAGS () " in said  # it is shown, or numbers would not fit
    assert b"UID 4 FLAGS (\\Seen" in said
    highest = re.search(rb"HIGHESTMODSEQ (\d+)", said)
    assert highest is not None
    assert all(int(modseq) <= int(highest[1]) for modseq in re.findall(rb"MODSEQ \((\d+)\)", said))
    assert desk.selected is not None
    news = b"".join(desk.selected.news(may_expunge=True))
    assert b"* VANISHED 3\r\n" in news
    assert b"UID 4 FLAGS (\\Seen" in news
    desk.close()
    other.close()


def test_ranges_lose_the_numbers_that_are_among_others() -> None:
    shown = array("I", [2, 5, 6, 9])
    assert _cut_out([(1, 4), (5, 6), (8, 12)], shown) == [(1, 1), (3, 4), (8, 8), (10, 12)]
