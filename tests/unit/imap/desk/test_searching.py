"""Who searches for long keeps nobody waiting (promise P6)."""

from contextlib import closing
from pathlib import Path, PurePosixPath

import pytest

from paperpath.folders.maildir import create_maildir
from paperpath.folders.store.tree import MaildirStore
from paperpath.imap.commands import Search, Select
from paperpath.imap.desk.desk import Desk
from paperpath.imap.desk.searching import search
from paperpath.imap.desk.selecting import select
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.search_keys import AllKey, AndKey, BodyKey, HeaderKey, NotKey, OrKey, SearchKey
from paperpath.testing.mail_store_suite import put

BOX = PurePosixPath("joe")
MANY_HEADERS = AndKey(tuple(NotKey(HeaderKey("subject", str(number))) for number in range(100)))


@pytest.mark.parametrize(
    ("key", "is_long"),
    [(AllKey(), False), (OrKey(AllKey(), NotKey(BodyKey("x"))), True), (MANY_HEADERS, True)],
)
def test_P6_a_search_that_reads_much_gives_way_after_every_message(
    tmp_path: Path, key: SearchKey, *, is_long: bool
) -> None:
    create_maildir(tmp_path, BOX)
    store = MaildirStore(tmp_path, BOX)
    put(store, "INBOX", 20)
    with closing(Desk(store, Dialect(frozenset(Extension)), 1000, lambda: 0)) as desk:
        list(select(desk, Select("INBOX")))
        *turns, found = search(desk, Search(key, None, by_uid=True), "t")
    assert found.split() == [b"*", b"SEARCH", *(b"%d" % uid for uid in range(1, 21))]
    assert not any(turns)
    assert (len(turns) >= 20) is is_long
