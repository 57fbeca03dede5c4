"""Each message of a batch is processed once, however often its processing was interrupted (J-24)."""

import asyncio
import errno
from collections.abc import Sequence
from pathlib import Path
from typing import SupportsIndex

import pytest

from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import NewMessage, Origin
from paperpath.submission.batch.errors import InterruptedBatchError
from paperpath.submission.batch.memory import REMEMBERED_S, BatchMemory
from tests.unit.submission.batch.setting import Setting, message

BAD = ("nobody@here.example", "u@here.example")
BATCH = b"EHLO c\r\n" + message("1") + message("2", *BAD) + message("3", BAD[0]) + message("4") + b"QUIT\r\n"
REPORTS = [("joe@here.example", ["nobody@here.example 5.1.1"])] * 2


class Died(BaseException):
    """The power is gone."""


class Fails(MemoryMaildrop):
    """Fails once, at what it accepts after so many others; dies with the power, or has no room."""

    left = 0
    error: BaseException | None = None

    def accept(self, message: NewMessage) -> asyncio.Future[None]:
        if Fails.left == 0 and Fails.error is not None:
            error, Fails.error = Fails.error, None
            if isinstance(error, Died):
                raise error
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(error)
            return future
        Fails.left -= 1
        return super().accept(message)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def list_keys(setting: Setting) -> list[str]:
    return [key for key in setting.store.taken if key]


def list_files(setting: Setting) -> list[str]:
    folder = setting.folder / "batches"
    return [file.name for file in folder.iterdir()] if folder.exists() else []


@pytest.mark.parametrize("accepted_before", range(5))
@pytest.mark.parametrize("dies", [True, False])
def test_J24_what_was_interrupted_goes_on_behind_what_was_processed(
    setting: Setting, accepted_before: int, dies: bool
) -> None:
    setting.make_maildrop = Fails
    Fails.left = accepted_before
    Fails.error = Died() if dies else StorageError("disk", no_space=True)
    if dies:
        with pytest.raises(Died):
            setting.run(BATCH)
    else:
        assert setting.run(BATCH) == (1 if accepted_before else 2)
        assert list_files(setting) != []
    assert setting.run(BATCH) == 0
    assert setting.subjects == ["1", "2", "4"]
    assert setting.reports == REPORTS
    assert (list_keys(setting), list_files(setting)) == ([], [])


def test_J24_exit_codes_and_counts_tell_of_earlier_runs(setting: Setting) -> None:
    setting.make_maildrop = Fails
    Fails.left, Fails.error = 2, StorageError("disk", no_space=True)  # a message, and a report
    assert setting.run(BATCH) == 1
    assert (setting.tally.accepted, setting.tally.before) == (1, 0)
    assert "452" in setting.trouble
    Fails.left, Fails.error = 0, StorageError("disk", no_space=False)
    assert setting.run(BATCH) == 1
    assert (setting.tally.accepted, setting.tally.before) == (0, 1)
    assert setting.run(BATCH) == 0
    assert (setting.tally.accepted, setting.tally.returned, setting.tally.before) == (2, 1, 1)


def test_J24_a_batch_that_came_to_its_end_is_a_new_one_when_it_comes_again(setting: Setting) -> None:
    assert setting.run(BATCH) == 0
    assert setting.run(BATCH) == 0
    assert setting.subjects == ["1", "2", "4"] * 2
    assert setting.reports == REPORTS * 2


def test_J24_J25_a_batch_that_was_mended_or_had_been_cut_short_goes_on(setting: Setting) -> None:
    assert setting.run(BATCH[: BATCH.index(b"Subject: 3")]) == 1
    assert (
        setting.run(
            BATCH.replace(b"Subject: 4\r\n\r\nhello\r\n.\r\n", b"Subject: 4\r\n\r\nhello\r\n.\r\nFOO\r\n")
        )
        == 1
    )
    assert setting.run(BATCH.replace(b"Subject: 4", b"Subject: four")) == 0
    assert setting.subjects == ["1", "2", "4", "four"]  # what stands before the change is known, and no more
    assert setting.reports == REPORTS
    assert (list_keys(setting), list_files(setting)) == ([], [])


def test_J24_another_batch_is_not_taken_for_it(setting: Setting) -> None:
    assert setting.run(BATCH[: BATCH.index(b"Subject: 2")]) == 1
    assert setting.run(b"EHLO d\r\n" + message("1") + message("2")) == 0
    assert setting.subjects == ["1", "1", "2"]


def test_J24_what_nobody_comes_back_to_is_forgotten_in_the_end(setting: Setting) -> None:
    assert setting.run(BATCH[: BATCH.index(b"Subject: 3")]) == 1
    assert len(list_keys(setting)) == 3
    setting.now_s += REMEMBERED_S - 1
    assert setting.run(b"EHLO d\r\n" + message("5")) == 0
    assert len(list_keys(setting)) == 3
    setting.now_s += 2
    assert setting.run(b"EHLO d\r\n" + message("5")) == 0
    assert (list_keys(setting), list_files(setting)) == ([], [])


def test_J24_who_died_behind_the_end_leaves_nothing_that_stays(setting: Setting) -> None:
    class DiesBehindTheEnd(MemoryMaildrop):
        def forget_unique(self, keys: Sequence[str]) -> asyncio.Future[None]:
            raise Died

    setting.make_maildrop = DiesBehindTheEnd
    with pytest.raises(Died):
        setting.run(BATCH)
    (left,) = list_files(setting)
    assert left.endswith(".ended")
    setting.make_maildrop = MemoryMaildrop
    assert setting.run(BATCH) == 0  # it had ended, so this is another one
    assert setting.subjects == ["1", "2", "4"] * 2
    assert (list_keys(setting), list_files(setting)) == ([], [])


def test_J24_two_processes_do_not_read_the_same_batch(tmp_path: Path) -> None:
    async def try_all() -> None:
        maildrop = MemoryMaildrop(MemoryStore())
        first, second, other, third = (BatchMemory(maildrop, tmp_path / "batches") for _ in range(4))
        await first.find_key("a" * 32)
        with pytest.raises(InterruptedBatchError):
            await second.find_key("a" * 32)
        await other.find_key("b" * 32)
        (tmp_path / "batches" / ("a" * 32)).rename(tmp_path / "batches" / f"{'a' * 32}.ended")
        with pytest.raises(InterruptedBatchError):  # its keys are being forgotten
            await second.find_key("a" * 32)
        first.close()
        await third.find_key("a" * 32)
        for memory in (other, third):
            await memory.end()
            memory.close()
        assert list((tmp_path / "batches").iterdir()) == []

    asyncio.run(try_all())


def test_J24_a_batch_that_cannot_be_read_on_is_interrupted_and_no_mistake(setting: Setting) -> None:
    class Broken(list[bytes]):
        def pop(self, place: SupportsIndex = -1) -> bytes:
            if len(self) == 1:
                raise OSError(errno.EIO, "Input/output error")
            return super().pop(place)

    assert asyncio.run(setting._run(Broken([BATCH[:300], BATCH[300:]]))) == 1
    assert "Input/output error" in setting.trouble
    assert setting.rests == []
    assert [one for one in setting.store.messages.values() if one.origin is Origin.SUBMISSION] != []
    assert setting.run(BATCH) == 0
    assert setting.subjects == ["1", "2", "4"]
