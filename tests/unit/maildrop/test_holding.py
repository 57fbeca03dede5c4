"""Who is seen to keep others from writing to the queue (P8)."""

import fcntl
import os
from pathlib import Path

import pytest

from paperpath.maildrop.sqlite import holding
from paperpath.maildrop.sqlite.holding import find_holder
from paperpath.maildrop.sqlite.locks import TURN_FILE, WriteLock
from paperpath.service.stalling import Holder

if not Path("/proc/locks").exists():
    pytest.skip("nobody can see here who holds a lock", allow_module_level=True)


def test_P8_the_holder_of_the_lock_is_seen_with_what_comes_of_it(tmp_path: Path) -> None:
    assert find_holder(tmp_path) is None
    lock = WriteLock(tmp_path)
    assert find_holder(tmp_path) is None
    assert lock.take()
    assert find_holder(tmp_path) == Holder(os.getpid(), "queue.lock", None)
    log = tmp_path / "queue.db-wal"
    log.write_bytes(b"1")
    os.utime(log, ns=(0, 17))
    assert find_holder(tmp_path) == Holder(os.getpid(), "queue.lock", (1, 17))
    lock.release()
    assert find_holder(tmp_path) is None
    lock.close()


def test_P8_the_holder_of_the_turn_is_seen_while_nobody_has_the_lock(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path)
    with (tmp_path / TURN_FILE).open("rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        assert find_holder(tmp_path) == Holder(os.getpid(), "queue.turn", None)
    lock.close()


@pytest.mark.parametrize("disk_waits", [None, 1, 2])
def test_P8_who_waits_for_the_lock_or_for_a_disk_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk_waits: int | None
) -> None:
    lock = WriteLock(tmp_path)
    inodes = [(tmp_path / name).stat().st_ino for name in ("queue.lock", "queue.turn")]
    monkeypatch.setattr(holding, "read_holders", lambda: dict(zip(inodes, (1, 2), strict=True)))
    monkeypatch.setattr(holding, "waits_for_disk", lambda pid: pid == disk_waits)
    assert find_holder(tmp_path) == (None if disk_waits == 1 else Holder(1, "queue.lock", None))
    lock.close()
