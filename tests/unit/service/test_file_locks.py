"""What /proc says of locks and of whoever waits for a disk."""

import os
from pathlib import Path

import pytest

from paperpath.service import file_locks
from paperpath.service.file_locks import parse_holders, read_holders, waits_for_disk

TABLE = """\
1: FLOCK  ADVISORY  WRITE 13569 fe:00:2146306 0 EOF
1: -> FLOCK  ADVISORY  WRITE 15722 fe:00:2146306 0 EOF
1:  -> FLOCK  ADVISORY  WRITE 26419 fe:00:2146306 0 EOF
2: POSIX  ADVISORY  WRITE 700 fe:00:5 0 EOF
3: OFDLCK ADVISORY  WRITE -1 fe:00:6 128 191
4: FLOCK  ADVISORY  READ  701 fe:00:7 0 EOF
5: FLOCK  ADVISORY  WRITE 702 00:2f:8 0 EOF
6: FLOCK  ADVISORY  WRITE -1 00:2f:9 0 EOF
7: FLOCK  ADVISORY  WRITE 703 <none>:0 0 EOF
8: FLOCK  ADVISORY  WRITE 704 nonsense 0 EOF
broken
"""


def test_P8_holders_are_told_from_those_who_wait() -> None:
    assert parse_holders(TABLE) == {2146306: 13569, 8: 702, 0: 703}


def test_without_the_table_nobody_holds_anything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(file_locks, "LOCKS", tmp_path / "locks")
    assert read_holders() == {}


def test_P8_one_thread_in_disk_sleep_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(file_locks, "_PROCESSES", tmp_path)
    for pid, states in ((1, "SS"), (2, "SD"), (3, "TT")):
        for thread, state in enumerate(states):
            folder = tmp_path / str(pid) / "task" / str(thread)
            folder.mkdir(parents=True)
            (folder / "stat").write_text(f"{pid} (a name) D (x) {state} 1 2 3\n")
    assert [waits_for_disk(pid) for pid in (1, 2, 3, 4)] == [False, True, False, False]


def test_we_do_not_wait_for_a_disk() -> None:
    assert not waits_for_disk(os.getpid())
