"""Several sessions in IDLE on one mailbox are told of the same things by one look (K-17, K-6)."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from paperpath.folders.store.open_folder import MaildirFolder
from tests.support.imap_desk import BOX, Client, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as house:
        yield house


def idle(house: House, command: str = "SELECT INBOX") -> Client:
    client = house.enter()
    client.ask(command)
    assert client.ask("IDLE")[0].startswith(b"+")
    return client


def test_K17_one_look_serves_all_who_show_the_same(house: House) -> None:
    clients = [idle(house) for _ in range(5)]
    with mock.patch.object(MaildirFolder, "look", autospec=True, side_effect=MaildirFolder.look) as look:
        house.deliver(b"Subject: one\r\n\r\n")
    assert look.call_count == 1
    heard = [client.take_lines() for client in clients]
    assert {lines[0] for lines in heard} == {b"* 1 EXISTS"}
    assert sorted(lines[1] for lines in heard) == [b"* 0 RECENT"] * 4 + [b"* 1 RECENT"]  # RFC 3501 §2.3.2


def test_K17_who_only_reads_takes_nothing_recent_from_the_others(house: House) -> None:
    reader, writer = idle(house, "EXAMINE INBOX"), idle(house)
    house.deliver(b"Subject: one\r\n\r\n")
    assert reader.take_lines()[0] == writer.take_lines()[0] == b"* 1 EXISTS"
    assert writer.say(b"DONE\r\n") != []
    assert writer.ask("SEARCH RECENT")[0] == b"* SEARCH 1"


def test_K17_whoever_came_when_hears_of_everything(house: House) -> None:
    first = idle(house)
    house.deliver(b"Subject: one\r\n\r\n")
    second = idle(house)
    for number in range(3):
        house.deliver(b"Subject: more %d\r\n\r\n" % number)
    other = house.enter()
    other.ask("SELECT INBOX")
    other.ask("STORE 2,3 +FLAGS.SILENT (\\Deleted)")
    third = idle(house)
    other.ask("STORE 4 +FLAGS (\\Flagged)")
    other.ask("EXPUNGE")
    house.look()
    for client, exists in ((first, [1, 2, 3, 4]), (second, [2, 3, 4]), (third, [])):
        lines = client.take_lines()
        assert [line for line in lines if b"EXISTS" in line] == [b"* %d EXISTS" % each for each in exists]
        assert [line for line in lines if b"EXPUNGE" in line] == [b"* 2 EXPUNGE"] * 2
        assert any(b"\\Flagged" in line for line in lines)
        client.say(b"DONE\r\n")
        assert client.ask("FETCH 1:* (UID)") == other.ask("FETCH 1:* (UID)")
        assert client.ask("UID SEARCH FLAGGED") == other.ask("UID SEARCH FLAGGED")


def test_K17_who_shows_less_already_is_told_of_the_rest_only(house: House) -> None:
    for number in (1, 2, 3):
        put_unseen(house, f"{number}.host")
    first = idle(house)
    change_unseen(house, lambda new: (new / "1.host").unlink())
    second = idle(house)
    change_unseen(house, lambda new: (new / "2.host").unlink())
    house.look()
    for client, gone in ((first, 2), (second, 1)):
        assert client.take_lines() == [b"* 1 EXPUNGE"] * gone
        client.say(b"DONE\r\n")
        assert client.ask("UID SEARCH ALL")[0] == b"* SEARCH 3"


def test_K17_a_look_that_found_nothing_serves_only_who_was_told_then(house: House) -> None:
    clients = [idle(house), idle(house)]
    house.look()
    assert [client.take_lines() for client in clients] == [[], []]
    put_unseen(house, "1.host")
    house.look()
    assert {client.take_lines()[0] for client in clients} == {b"* 1 EXISTS"}


def test_K17_who_begins_to_idle_looks_for_himself(house: House) -> None:
    first, second = idle(house), idle(house)
    put_unseen(house, "1.host")
    house.service.watch.tell(house.service.watch.look())
    house.run(first.dialogue.advance())
    second.dialogue.core.receive(b"DONE\r\n")
    house.run(second.dialogue.advance())
    put_unseen(house, "2.host")
    house.look()  # without him
    assert b"* 2 EXISTS" in second.ask("IDLE")


def put_unseen(house: House, name: str) -> None:
    """Have a message come without a word to anybody."""
    change_unseen(house, lambda new: (new / name).write_bytes(b"Subject: one\n\n"))


def change_unseen(house: House, change: Callable[[Path], object]) -> None:
    """Change what is new without a word to anybody; the time of change tells, however fast we are."""
    new = house.folder / BOX / "new"
    later_ns = new.stat().st_mtime_ns + 1
    change(new)
    os.utime(new, ns=(later_ns, later_ns))
