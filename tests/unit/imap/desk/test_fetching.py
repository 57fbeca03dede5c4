"""Other programs change a message while it is told: no literal is shorter than announced (K-5, K-14)."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store.tree import MaildirStore
from paperpath.imap.commands import Fetch, Select
from paperpath.imap.completion import Completion
from paperpath.imap.desk.carrying_out import carry_out
from paperpath.imap.desk.desk import BrokenOffError, Deed, Desk
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fetch_items import BinarySection, BodySection, FetchItem, Section
from paperpath.imap.sets import STAR, SequenceSet

BOX = PurePosixPath("joe")
ALL = SequenceSet(((1, STAR),))
SMALL = b"Subject: small\n\nbody of some length\n"
LARGE = b"Subject: large\n\n" + b"some words\n" * 20_000
WHOLE = BodySection(Section(), None, peek=True)
FIRST_PART = BodySection(Section((1,)), None, peek=True)
DECODED = BinarySection((1,), None, peek=True)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    create_maildir(tmp_path, BOX)
    with Maildir(tmp_path, Place(BOX)) as maildir:
        for number, content in enumerate((SMALL, LARGE, SMALL)):
            maildir.write(f"{number}.M1R1.host", [content])
    return tmp_path / BOX


@pytest.fixture
def desk(box: Path) -> Iterator[Desk]:
    desk = Desk(MaildirStore(box.parent, BOX), Dialect(frozenset(Extension)), 1 << 20, lambda: 0)
    list(tell(desk, Select("INBOX")))
    yield desk
    desk.close()


def tell(desk: Desk, command: Fetch | Select) -> Deed:
    return carry_out(desk, command, "t", lambda error: pytest.fail(str(error)))


def complete(deed: Deed) -> tuple[bytes, Completion]:
    pieces: list[bytes] = []
    while True:
        try:
            pieces.append(next(deed))
        except StopIteration as end:
            return b"".join(pieces), end.value


def find_file(box: Path, number: int) -> Path:
    (file,) = (box / "new").glob(f"{number}.M*")
    return file


@pytest.mark.parametrize("item", [WHOLE, FIRST_PART, DECODED])
@pytest.mark.parametrize("change", ["shorter", "otherwise"])
def test_K14_a_response_whose_message_changes_meanwhile_is_broken_off(
    desk: Desk, box: Path, item: FetchItem, change: str
) -> None:
    deed = tell(desk, Fetch(ALL, (item,)))
    told = b""
    while b"some words" not in told:
        told += next(deed)
    assert b"{%d}\r\n" % len((LARGE if item is WHOLE else LARGE[16:]).replace(b"\n", b"\r\n")) in told
    with find_file(box, 1).open("r+b") as file:
        if change == "shorter":
            file.truncate(70_000)
        else:
            file.seek(70_000)
            file.write(b"." * 10_000)  # the lines that end there were two octets more as they are served
    with pytest.raises(BrokenOffError):
        complete(deed)


def test_K14_a_message_that_is_shorter_than_it_was_is_passed_over(desk: Desk, box: Path) -> None:
    complete(tell(desk, Fetch(ALL, (FIRST_PART,))))  # now its structure is known
    os.truncate(find_file(box, 0), 20)
    told, completion = complete(tell(desk, Fetch(ALL, (FIRST_PART,))))
    assert [line.split()[1] for line in told.split(b"\r\n") if b" FETCH (" in line] == [b"2", b"3"]
    assert told.endswith(b"body of some length\r\n)\r\n")
    assert completion.code == "EXPUNGEISSUED"
