"""Daily limits: counted across processes and restarts, in files that stay small."""

import fcntl
from array import array
from pathlib import Path

import pytest

from paperpath.accounts import usage as module
from paperpath.accounts.secrets import Limits
from paperpath.accounts.usage import Excess, Usage, Used
from paperpath.mail.address import Mailbox

JOE = Mailbox("joe", "here.example")
ANN = Mailbox("ann", "here.example")
NOON_S = 20_000 * 86_400 + 43_200.0
DAY_S = 86_400


def people(*names: object) -> list[Mailbox]:
    return [Mailbox(str(name), "else.example") for name in names]


@pytest.fixture
def usage(tmp_path: Path) -> Usage:
    return Usage(tmp_path / "usage")


def test_without_limits_nothing_is_written(usage: Usage, tmp_path: Path) -> None:
    assert usage.take(JOE, Limits(), people(1), NOON_S) is None
    assert list(tmp_path.iterdir()) == []
    assert usage.read(JOE, NOON_S) == Used()


def test_messages_of_a_day_are_limited_for_each_account(usage: Usage) -> None:
    limits = Limits(messages_per_day=2)
    taken = [usage.take(JOE, limits, people(number), NOON_S) for number in range(3)]
    assert taken == [None, None, Excess.MESSAGES]
    assert usage.take(ANN, limits, people(1), NOON_S) is None
    assert usage.read(JOE, NOON_S) == Used(2, 0)
    assert usage.take(JOE, limits, people(1), NOON_S + DAY_S) is None
    assert usage.read(JOE, NOON_S + DAY_S) == Used(1, 0)


def test_recipients_are_new_once(usage: Usage) -> None:
    limits = Limits(new_recipients_per_day=2)
    assert usage.take(JOE, limits, people("a", "b", "a"), NOON_S) is None
    assert usage.take(JOE, limits, people("a", "b"), NOON_S) is None
    assert usage.take(JOE, limits, people("a", "c"), NOON_S) is Excess.NEW_RECIPIENTS
    assert usage.take(JOE, limits, people("c", "d"), NOON_S + DAY_S) is None
    assert usage.take(JOE, limits, people("a", "c"), NOON_S + DAY_S) is None
    assert usage.read(JOE, NOON_S + DAY_S) == Used(2, 2)


def test_what_is_refused_is_not_counted(usage: Usage) -> None:
    limits = Limits(5, 1)
    for _ in range(9):
        assert usage.take(JOE, limits, people("a", "b"), NOON_S) is Excess.NEW_RECIPIENTS
    assert usage.read(JOE, NOON_S) == Used()
    assert usage.take(JOE, limits, people("b"), NOON_S) is None


def test_who_counts_keeps_others_out_meanwhile(
    usage: Usage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(descriptor: int, numbers: "array[int]") -> None:
        (file,) = (tmp_path / "usage").iterdir()
        with file.open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        written.append(numbers[1])

    written: list[int] = []
    monkeypatch.setattr(module, "_write", write)
    usage.take(JOE, Limits(5), [], NOON_S)
    assert written == [1]


@pytest.mark.parametrize("left", [b"", b"torn", b"\xff" * 24])
def test_a_damaged_file_is_begun_anew(usage: Usage, tmp_path: Path, left: bytes) -> None:
    limits = Limits(2, 2)
    usage.take(JOE, limits, people(1), NOON_S)
    (file,) = (tmp_path / "usage").iterdir()
    file.write_bytes(left)
    assert usage.take(JOE, limits, people(1), NOON_S) is None
    assert usage.read(JOE, NOON_S) == Used(1, 1)


def test_the_file_stays_small_and_is_its_owners_alone(
    usage: Usage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KNOWN", 100)
    limits = Limits(new_recipients_per_day=10_000)
    for first in range(0, 500, 50):
        usage.take(JOE, limits, people(*range(first, first + 50)), NOON_S)
    (file,) = (tmp_path / "usage").iterdir()
    assert file.stat().st_size == 8 * 103
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    usage.take(JOE, limits, people(*range(400, 500)), NOON_S)
    assert usage.read(JOE, NOON_S) == Used(11, 500)


def test_what_is_forgotten_begins_anew(usage: Usage) -> None:
    usage.take(JOE, Limits(1), [], NOON_S)
    usage.forget(JOE)
    usage.forget(ANN)
    assert usage.take(JOE, Limits(1), [], NOON_S) is None


def test_P7_no_address_is_made_into_a_path(usage: Usage, tmp_path: Path) -> None:
    assert usage.take(Mailbox("../" * 300, "here.example"), Limits(1), [], NOON_S) is None
    assert [file.parent.name for file in tmp_path.rglob("*") if file.is_file()] == ["usage"]
