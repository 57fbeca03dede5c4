"""Which recipients an operator means."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from paperpath.commands.queue_selection import PAGE, Selection, read_pages
from paperpath.mail.outcome import Deferred
from paperpath.mail.reply import make_reply
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import QueueEntry, QueueFilter, Settlement, State
from tests.unit.commands.desk import Desk, do


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


class CountingMaildrop(MemoryMaildrop):
    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.asked: list[int] = []

    def find(self, wanted: QueueFilter, after: int, limit: int) -> Sequence[QueueEntry]:
        self.asked.append(limit)
        return super().find(wanted, after, limit)


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 7])
def test_P6_everything_comes_once_and_in_pages(desk: Desk, count: int) -> None:
    if count:
        desk.put(*(f"u{number}@here.example" for number in range(count)))
    maildrop = CountingMaildrop(desk.store)
    pages = list(read_pages(maildrop, Selection()))
    assert [entry.recipient_id for page in pages for entry in page] == list(range(1, count + 1))
    assert all(0 < len(page) <= PAGE for page in pages)
    assert max(maildrop.asked) == PAGE
    assert len(maildrop.asked) == count // PAGE + 1


@pytest.mark.parametrize("limit", [1, 3, PAGE, PAGE + 1])
def test_a_limit_holds_over_all_filters(desk: Desk, limit: int) -> None:
    names = [
        desk.put(*(f"u{number}@here.example" for number in range(400))),
        desk.put(*(f"u{number}@here.example" for number in range(400))),
    ]
    selection = Selection(tuple(map(QueueFilter, names)), limit)
    found = [entry.recipient_id for page in read_pages(desk.worker, selection) for entry in page]
    assert found == list(range(1, limit + 1))


def test_pages_end_at_a_number(desk: Desk) -> None:
    desk.put(*(f"u{number}@here.example" for number in range(10)))
    pages = read_pages(desk.worker, Selection(), 3, 7)
    assert [entry.recipient_id for page in pages for entry in page] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), ["a@here.example", "b@here.example", "c@bücher.example"]),
        (("--domain", "HERE.example."), ["a@here.example", "b@here.example"]),
        (("--domain", "xn--bcher-kva.example"), ["c@bücher.example"]),
        (("--domain", "else.example"), []),
        (("--sender", "<>"), ["c@bücher.example"]),
        (("--sender", "sender@else.example"), ["a@here.example", "b@here.example"]),
        (("--recipient", '"b"@here.example'), ["b@here.example"]),
        (("--older-than", "1h"), ["a@here.example", "b@here.example"]),
        (("--older-than", "52w"), []),
        (("--state", "ready"), ["a@here.example", "b@here.example"]),
        (("--state", "held"), []),
        (("--error", "is full"), ["a@here.example"]),
        (("--error", "is full", "--recipient", "b@here.example"), []),
        (("--destination", "HERE.example."), ["a@here.example", "b@here.example"]),
        (("--destination", "smtp://here.example:25"), []),
        (("--destination", "here.example", "--recipient", "b@here.example"), ["b@here.example"]),
        (("--limit", "1"), ["a@here.example"]),
    ],
)
def test_each_filter_finds_what_it_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, filters: tuple[str, ...], expected: list[str]
) -> None:
    hour_us = 3_600_000_000
    monkeypatch.setattr("paperpath.commands.queue_selection.read_clock_us", lambda: 10_000 * hour_us)
    desk.put("a@here.example", "b@here.example", at_us=9_990 * hour_us)
    desk.sort()
    (claim,) = desk.claim()
    full = Deferred(make_reply(452, "4.2.2", "The mailbox is full"), 5)

    async def settle() -> None:
        await desk.worker.settle([Settlement(claim.recipient_id, full)])

    do(settle())
    desk.put("c@bücher.example", sender=None, at_us=10_000 * hour_us)
    names = [
        entry.recipient_id
        for page in read_pages(desk.worker, Selection())
        for entry in page
        if entry.address in expected
    ]
    result = desk.run("list", "--json", *filters)
    assert result.exit_code == (0 if expected else 1)
    assert [f'"recipient_id": {number},' in result.output for number in (1, 2, 3)] == [
        number in names for number in (1, 2, 3)
    ]


def test_several_queue_ids_are_meant_together(desk: Desk) -> None:
    names = [desk.put(f"{letter}@here.example") for letter in "abc"]
    result = desk.run("hold", names[2], names[0], names[0])
    assert (result.exit_code, result.output) == (0, "2 recipients held\n")
    assert desk.states() == [State.HELD.value, State.UNSORTED.value, State.HELD.value]


@pytest.mark.parametrize(
    "filters",
    [
        ("--older-than", "soon"),
        ("--older-than", "3 h"),
        ("--older-than", "-3h"),
        ("--older-than", "9999999h"),
        ("--domain", "no domain"),
        ("--domain", "here..example"),
        ("--sender", "nobody"),
        ("--recipient", "a b@here.example"),
        ("--recipient", "\x1b[2J"),
    ],
)
def test_what_no_filter_can_mean_is_refused_with_its_name(desk: Desk, filters: tuple[str, str]) -> None:
    desk.put("a@here.example")
    result = desk.run("remove", *filters)
    assert result.exit_code == os.EX_USAGE
    assert result.output.startswith(f"{filters[0]}: ")
    assert "\x1b" not in result.output
    assert desk.states() == ["unsorted"]
