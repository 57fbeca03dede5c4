"""Writing the journal: batches, days, parts, and disks that are full (P9)."""

import asyncio
import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paperpath.journal import files
from paperpath.journal.events import Released
from paperpath.journal.files import DAY_US, Appender, list_files
from paperpath.journal.lines import decode_line
from paperpath.journal.writer import Journal
from paperpath.service.log import open_log

NOON_US = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z
MIDNIGHT_US = NOON_US + DAY_US // 2


class Clock:
    def __init__(self) -> None:
        self.now_us = NOON_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@contextmanager
def writing(folder: Path, clock: Clock) -> Iterator[Journal]:
    journal = Journal(folder, "smtprd", open_log("smtprd"), clock)
    try:
        yield journal
    finally:
        journal.close()


def read(folder: Path) -> dict[str, list[int]]:
    """Return the numbers told, by file."""
    found = {}
    for file in list_files(folder):
        told = [decode_line(file.program, line) for line in file.path.read_bytes().splitlines()]
        found[file.path.name] = [
            one.event.recipients for one in told if one is not None and isinstance(one.event, Released)
        ]
    return found


def counts(journal: Journal) -> tuple[float, float]:
    ((family),) = journal.families()
    return family.samples[0].value, family.samples[1].value


def test_P9_a_command_writes_at_once_in_files_that_are_nobody_elses(folder: Path, clock: Clock) -> None:
    with writing(folder, clock) as journal:
        journal.tell(Released(1))
        assert read(folder) == {"2026-11-22.smtprd.1": [1]}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "2026-11-22.smtprd.1").stat().st_mode & 0o777 == 0o600


def test_P9_what_one_turn_of_the_loop_tells_is_one_write(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = os.write

    def note(descriptor: int, octets: bytes) -> int:
        written.append(octets)
        return write(descriptor, octets)

    monkeypatch.setattr(os, "write", note)

    async def play() -> None:
        with writing(folder, clock) as journal:
            for number in (1, 2, 3):
                journal.tell(Released(number))
            assert not written
            await asyncio.sleep(0)
            assert read(folder) == {"2026-11-22.smtprd.1": [1, 2, 3]}
            journal.tell(Released(4))

    asyncio.run(play())
    assert read(folder) == {"2026-11-22.smtprd.1": [1, 2, 3, 4]}
    assert len([octets for octets in written if b"released" in octets]) == 2


def test_P9_midnight_begins_another_file(folder: Path, clock: Clock) -> None:
    with writing(folder, clock) as journal:
        clock.now_us = MIDNIGHT_US - 1
        journal.tell(Released(1))
        clock.now_us = MIDNIGHT_US
        journal.tell(Released(2))
        clock.now_us = MIDNIGHT_US - 1  # a clock that is set back
        journal.tell(Released(3))
    assert read(folder) == {"2026-11-22.smtprd.1": [1, 3], "2026-11-23.smtprd.1": [2]}


def test_P9_a_full_part_is_followed_by_another(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PART_OCTETS", 100)
    with writing(folder, clock) as journal:
        for number in range(1, 7):
            journal.tell(Released(number))
            clock.now_us += 1_000_000
    assert read(folder) == {
        "2026-11-22.smtprd.1": [1, 2],
        "2026-11-22.smtprd.2": [3, 4],
        "2026-11-22.smtprd.3": [5, 6],
    }
    with writing(folder, clock) as journal:
        journal.tell(Released(7))
    assert read(folder)["2026-11-22.smtprd.4"] == [7]


def test_P9_a_file_that_was_removed_is_begun_anew(folder: Path, clock: Clock) -> None:
    with writing(folder, clock) as journal:
        journal.tell(Released(1))
        (folder / "2026-11-22.smtprd.1").unlink()
        folder.rmdir()
        clock.now_us += 1_000_000
        journal.tell(Released(2))
        assert read(folder) == {"2026-11-22.smtprd.1": [2]}


def test_P9_two_processes_share_a_file_and_none_spoils_a_line(folder: Path, clock: Clock) -> None:
    with writing(folder, clock) as one, writing(folder, clock) as other:
        for number in range(1, 101):
            (one if number % 2 else other).tell(Released(number))
    assert read(folder) == {"2026-11-22.smtprd.1": list(range(1, 101))}


def test_P9_a_torn_line_costs_no_other(folder: Path, clock: Clock) -> None:
    with writing(folder, clock) as journal:
        journal.tell(Released(1))
        with (folder / "2026-11-22.smtprd.1").open("ab") as torn:
            torn.write(b'{"time_us":1,"event":"rele')
        journal.tell(Released(2))
    assert read(folder) == {"2026-11-22.smtprd.1": [1, 2]}


def test_P9_no_link_is_followed(folder: Path, clock: Clock, tmp_path: Path) -> None:
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.touch()
    (folder / "2026-11-22.smtprd.1").symlink_to(victim)
    with writing(folder, clock) as journal:
        journal.tell(Released(1))
        assert counts(journal) == (0, 1)
    assert victim.read_bytes() == b""


def test_P9_a_full_disk_loses_events_counts_them_and_says_so_once(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = os.write
    room = [10_000]

    def write_if_room(descriptor: int, octets: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = write(descriptor, octets[: room[0]])
        room[0] -= taken
        return taken

    with writing(folder, clock) as journal:
        monkeypatch.setattr(os, "write", write_if_room)
        journal.tell(Released(1))
        room[0] = 20  # a part of the next
        for number in (2, 3, 4):
            journal.tell(Released(number))
        assert counts(journal) == (1, 3)
        room[0] = 10_000
        journal.tell(Released(5))
        journal.tell(Released(6))
        assert counts(journal) == (3, 3)
    assert read(folder) == {"2026-11-22.smtprd.1": [1, 5, 6]}
    log = capsys.readouterr().err.splitlines()
    assert len(log) == 2
    assert re.search(r" error cannot write the journal, .* reason='there was room for a part only'", log[0])
    assert log[1].endswith("warning the journal can be written again events_lost=3")


@pytest.mark.parametrize("room", range(0, 120, 7))
def test_P9_of_a_batch_that_was_cut_the_whole_lines_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    lines = b'{"time_us":1,"event":"released","recipients":5}\n' * 2
    write = os.write
    appender = Appender(folder, "smtprd")
    monkeypatch.setattr(os, "write", lambda fd, octets: write(fd, octets[:room]))
    kept = appender.append(lines, NOON_US)
    monkeypatch.undo()
    appender.append(lines, NOON_US)
    appender.close()
    assert read(folder) == {"2026-11-22.smtprd.1": [5] * (kept + 2)}


def test_P9_a_folder_that_cannot_be_made_stops_nothing(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(tmp_path / "missing" / "journal", clock) as journal:
        journal.tell(Released(1))
        journal.tell(Released(2))
        assert counts(journal) == (0, 2)
    assert capsys.readouterr().err.count("cannot write the journal") == 1


def test_only_files_of_the_journal_are_listed(folder: Path) -> None:
    assert list_files(folder) == []
    folder.mkdir()
    names = ["2026-11-22.smtprd.10", "2026-11-22.smtppd.2", "2026-11-22.smtprd.2", "2026-11-21.smtprd.3"]
    for name in (*names, "notes", "2026-11-22.smtprd", "2026-11-22.smtprd.01", "2026-11-22.smtprd.1~"):
        (folder / name).touch()
    assert [file.path.name for file in list_files(folder)] == [names[3], names[1], names[2], names[0]]
