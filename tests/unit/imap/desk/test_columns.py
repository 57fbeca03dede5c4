"""What is told of many messages at once is what is told of each by itself (K-13, K-14), and costs no file."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store.open_folder import MaildirFolder
from paperpath.folders.store.tree import MaildirStore
from paperpath.imap.commands import Command, Fetch, Search, Select, Store, StoreMode
from paperpath.imap.desk import fetching
from paperpath.imap.desk.carrying_out import carry_out
from paperpath.imap.desk.desk import Desk
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fetch_items import Attribute, BodySection, FetchItem, Section
from paperpath.imap.search_keys import HeaderKey
from paperpath.imap.sets import STAR, SequenceSet

BOX = PurePosixPath("joe")
ALL = SequenceSet(((1, STAR),))
MESSAGES = 7
FROM_THE_INDEX = (
    Attribute.FLAGS,
    Attribute.UID,
    Attribute.MODSEQ,
    Attribute.INTERNALDATE,
    Attribute.SAVEDATE,
    Attribute.SIZE,
    Attribute.EMAILID,
    Attribute.ENVELOPE,
)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    create_maildir(tmp_path, BOX)
    with Maildir(tmp_path, Place(BOX)) as maildir:
        for number in range(MESSAGES):
            maildir.write(f"{number}.M1R1.host", [b"Subject: number %d\nTo: you\n\nbody\n" % number])
    return tmp_path / BOX


@pytest.fixture
def desk(box: Path) -> Iterator[Desk]:
    desk = Desk(MaildirStore(box.parent, BOX), Dialect(frozenset(Extension)), 1 << 20, lambda: 0)
    answer(desk, Select("INBOX"))
    yield desk
    desk.close()


def answer(desk: Desk, command: Command) -> bytes:
    told: list[Exception] = []
    octets = b"".join(carry_out(desk, command, "t", told.append))
    assert not told
    return octets


def expunge_one(desk: Desk) -> None:
    """Leave a gap among the UIDs."""
    assert desk.selected is not None
    answer(desk, Store(SequenceSet(((3, 3),)), StoreMode.ADD, ("\\Deleted", "word")))
    desk.selected.folder.expunge()
    b"".join(desk.selected.news(may_expunge=True))


@pytest.mark.parametrize("items", [(item,) for item in FROM_THE_INDEX] + [FROM_THE_INDEX])
def test_K13_columns_say_what_each_message_would(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, items: tuple[FetchItem, ...]
) -> None:
    expunge_one(desk)
    answer(desk, Store(SequenceSet(((2, 3),)), StoreMode.ADD, ("\\Seen", "word")))
    answer(desk, Fetch(ALL, items))  # now everything is kept
    for messages in (ALL, SequenceSet(((1, 2), (4, 5)))):
        together = answer(desk, Fetch(messages, items))
        with monkeypatch.context() as patched:
            patched.setattr(fetching, "write_columns", lambda *_: None)
            assert answer(desk, Fetch(messages, items)) == together
        assert together.count(b" FETCH (") == (MESSAGES - 1 if messages is ALL else 4)


def test_K14_columns_are_given_up_where_a_message_is_gone(desk: Desk) -> None:
    assert desk.selected is not None
    other = MaildirStore(desk.store._home.root, BOX).open("INBOX")  # type: ignore[attr-defined]
    other.look()
    answer(desk, Fetch(ALL, FROM_THE_INDEX))
    answer(desk, Store(SequenceSet(((3, 3),)), StoreMode.ADD, ("\\Deleted",)))
    other.expunge()
    other.close()
    for items in (FROM_THE_INDEX, FROM_THE_INDEX[:2]):
        told = answer(desk, Fetch(ALL, items))
        assert told.count(b" FETCH (") == MESSAGES - 1
        assert b"* 3 FETCH" not in told


def test_K13_what_is_kept_of_headers_is_searched_and_no_file_is_opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Search(HeaderKey("subject", "NUMBER 4"))
    assert answer(desk, command) == b"* SEARCH 5\r\n"
    monkeypatch.setattr(MaildirFolder, "open_message", None)
    assert answer(desk, command) == b"* SEARCH 5\r\n"
    assert answer(desk, Search(HeaderKey("to", ""))).split() == [b"*", b"SEARCH", *b"1 2 3 4 5 6 7".split()]


def test_K14_bodies_come_in_the_order_of_messages_whatever_their_size(desk: Desk, box: Path) -> None:
    large = b"Subject: large\n\n" + b"x" * 200_000 + b"\n"
    with Maildir(box.parent, Place(BOX)) as maildir:
        maildir.write("8.M1R1.host", [large])
        maildir.write("9.M1R1.host", [b"Subject: behind\n\n"])
    answer(desk, Fetch(ALL, (Attribute.FLAGS,)))
    answer(desk, Select("INBOX"))
    told = answer(desk, Fetch(ALL, (BodySection(Section(), None, peek=True),)))
    numbers = [line.split()[1] for line in told.split(b"\r\n") if b" FETCH (BODY[] {" in line]
    assert numbers == [b"%d" % number for number in range(1, MESSAGES + 3)]
    assert large.replace(b"\n", b"\r\n") in told
