"""What an operator does, over a maildrop in memory: what was meant and no more; the books balance (P2)."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from paperpath.commands.queue_selection import PAGE
from paperpath.maildrop.content import read_content
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryMaildrop
from paperpath.maildrop.values import (
    Books,
    Deed,
    Hold,
    Origin,
    QueueFilter,
    Stage,
    State,
    Transport,
)
from tests.unit.commands.desk import CLAIM_US, SENDER, Desk, do

DEEDS = [("hold",), ("release",), ("retry",), ("remove",), ("bounce",), ("reroute", "mx")]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def books(desk: Desk) -> Books:
    found = desk.worker.read_books()
    assert found.balance
    return found


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_on_the_whole_queue_wants_to_be_told_so(desk: Desk, deed: tuple[str, ...]) -> None:
    desk.put("a@here.example")
    for more in ((), ("--limit", "5"), ("--dry-run",)):
        result = desk.run(*deed, *more)
        assert result.exit_code == os.EX_USAGE
        assert "--all" in result.output
    assert desk.states() == ["unsorted"]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_that_matches_nothing_exits_with_1(desk: Desk, deed: tuple[str, ...]) -> None:
    desk.put("a@here.example")
    assert desk.run(*deed, "0NOBODY").exit_code == 1
    assert desk.run(*deed, "--domain", "else.example", "--dry-run").exit_code == 1


@pytest.mark.parametrize("deed", DEEDS)
def test_a_dry_run_counts_and_changes_nothing(desk: Desk, deed: tuple[str, ...]) -> None:
    desk.put("a@here.example", "b@here.example")
    desk.sort()
    if deed == ("release",):
        desk.run("hold", "--all")
    before = desk.entries()
    result = desk.run(*deed, "--domain", "here.example", "--dry-run")
    assert result.exit_code == 0
    assert result.output.startswith("2 recipients would be ")
    assert desk.entries() == before


@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_being_delivered_is_passed_over_and_told(desk: Desk, deed: tuple[str, ...]) -> None:
    desk.put("a@here.example")
    desk.sort()
    (claim,) = desk.claim()
    result = desk.run(*deed, "--all")
    assert result.exit_code == os.EX_TEMPFAIL
    assert "1 recipient passed over: being delivered just now" in result.output
    assert [entry.state for entry in desk.entries()] == [State.CLAIMED]
    tally = json.loads(desk.run(*deed, "--all", "--json").output)
    assert (tally["changed"], tally["delivering"]) == (0, 1)
    assert claim.address == desk.worker.examine([claim.recipient_id]).claims[0].address


def test_hold_and_release(desk: Desk) -> None:
    queue_id = desk.put("a@here.example", "b@here.example")
    held = desk.run("hold", queue_id, "--recipient", "a@here.example", "--reason", "odd\x1b[2J")
    assert (held.exit_code, held.output) == (0, "1 recipient held\n")
    assert desk.states() == ["held", "unsorted"]
    assert r"'odd\x1b[2J'" in desk.run("list").output
    again = desk.run("hold", "--all")
    assert (again.exit_code, desk.states()) == (0, ["held", "held"])
    assert "1 recipient passed over: held already" in again.output
    desk.woken.clear()
    assert desk.run("release", "--state", "held").exit_code == 0
    assert (desk.states(), desk.woken) == (["unsorted"] * 2, [Stage.SORTING] * 2)
    nothing = desk.run("release", queue_id)
    assert nothing.exit_code == 1
    assert "2 recipients passed over: not held" in nothing.output
    assert books(desk).unsorted == 2


def test_retry_makes_due_and_ends_the_suspension(desk: Desk) -> None:
    desk.put("a@here.example")
    desk.sort()
    until_us = CLAIM_US + 3_600_000_000

    async def suspend() -> None:
        await desk.worker.suspend(Transport.LOCAL, "here.example", until_us, "down")

    do(suspend())
    assert desk.claim() == ()
    assert "suspended until" in desk.run("summary").output
    desk.woken.clear()
    assert desk.run("retry", "--domain", "here.example").output == "1 recipient made due\n"
    assert desk.woken == [Stage.LOCAL]
    assert "suspended" not in desk.run("summary").output
    assert len(desk.claim()) == 1


def test_remove_leaves_nothing_and_tells_nobody(desk: Desk) -> None:
    desk.put("a@here.example", "b@here.example")
    assert desk.run("remove", "--all").output == "2 recipients removed\n"
    assert (books(desk).removed, books(desk).open, desk.store.messages) == (2, 0, {})


@pytest.mark.parametrize(
    ("route", "override"),
    [
        ("mx", "mx"),
        ("refuse", "refuse"),
        ("smtp://MX.else.example:25", "smtp://mx.else.example:25"),
        ("routes", ""),
    ],
)
def test_reroute_takes_the_words_of_a_route(desk: Desk, route: str, override: str) -> None:
    desk.put("a@here.example")
    desk.sort()
    assert desk.run("reroute", route, "--all").output == "1 recipient rerouted\n"
    (entry,) = desk.entries()
    assert (entry.state, entry.route_override) == (State.UNSORTED, override)
    assert desk.woken[-1] is Stage.SORTING


@pytest.mark.parametrize("route", ["nowhere", "smtp://", "", "local\x1b[2J"])
def test_reroute_refuses_other_words(desk: Desk, route: str) -> None:
    desk.put("a@here.example")
    result = desk.run("reroute", route, "--all")
    assert result.exit_code == os.EX_USAGE
    assert '"routes"' in result.output
    assert "\x1b" not in result.output


def test_bounce_reports_once_for_each_message_and_not_its_own_reports(desk: Desk) -> None:
    desk.put("a@here.example", "b@here.example", notify="FAILURE", orcpt="rfc822;a+40old.example")
    desk.put("c@here.example")
    desk.put("quiet@here.example", notify="NEVER")
    result = desk.run("bounce", "--all", "--reply", "5.1.2 This domain has closed")
    assert (result.exit_code, result.output) == (0, "4 recipients bounced\n")
    assert (books(desk).failed, books(desk).reported, books(desk).open) == (4, 2, 2)
    first, second = desk.store.messages.values()
    assert (first.sender, first.origin) == (None, Origin.REPORT)
    assert [entry.address for entry in desk.entries()] == [str(SENDER)] * 2
    report = read_content(first.content).decode("ascii")
    for line in (
        "550 5.1.2 This domain has closed",
        "Final-Recipient: rfc822; a@here.example",
        "Original-Recipient: rfc822; a@old.example",
        "Final-Recipient: rfc822; b@here.example",
    ):
        assert line in report, line
    assert "c@here.example" not in report
    assert "c@here.example" in read_content(second.content).decode("ascii")


def test_a_deed_that_takes_pages_does_not_meet_what_it_made_itself(desk: Desk) -> None:
    desk.put(*(f"u{number}@here.example" for number in range(PAGE + 1)))
    assert desk.run("bounce", "--all").output == f"{PAGE + 1} recipients bounced\n"
    assert (books(desk).failed, books(desk).reported, books(desk).open) == (PAGE + 1, 2, 2)


def test_bounce_takes_what_is_held_too_and_refuses_a_reply_that_is_none(desk: Desk) -> None:
    desk.put("a@here.example")
    desk.run("hold", "--all")
    assert desk.run("bounce", "--all", "--reply", "250 fine").exit_code == os.EX_USAGE
    assert desk.run("bounce", "--all").exit_code == 0
    assert (books(desk).failed, books(desk).reported) == (1, 1)


class OvertakenMaildrop(MemoryMaildrop):
    """Somebody claims one recipient between the operator's look and deed."""

    desk: Desk

    def change(self, recipient_ids: Sequence[int], deed: Deed) -> asyncio.Future[int]:
        if isinstance(deed, Hold):
            self.desk.claim_now()
        return super().change(recipient_ids, deed)


def test_P4_a_report_names_nobody_who_was_claimed_meanwhile(desk: Desk) -> None:
    desk.put("a@here.example", "b@here.example")
    desk.sort()
    OvertakenMaildrop.desk = desk
    desk.door = lambda: OvertakenMaildrop(desk.store)
    result = desk.run("bounce", "--all")
    assert result.output.splitlines() == [
        "1 recipient bounced",
        "1 recipient passed over: changed by others meanwhile, or damaged",
    ]
    assert desk.states() == ["claimed", "unsorted"]
    report = read_content(desk.store.messages[2].content).decode("ascii")
    assert "b@here.example" in report
    assert "Final-Recipient: rfc822; a@here.example" not in report
    assert books(desk).failed == 1


class FailingMaildrop(MemoryMaildrop):
    """The disk fails at the second batch."""

    batches = 0

    def change(self, recipient_ids: Sequence[int], deed: Deed) -> asyncio.Future[int]:
        self.batches += 1
        assert len(recipient_ids) <= PAGE
        if self.batches == 2:
            raise StorageError("maildrop: disk \x1b[2J", no_space=False)
        return super().change(recipient_ids, deed)


def test_what_was_done_before_a_failure_is_told(desk: Desk) -> None:
    desk.put(*(f"u{number}@here.example" for number in range(PAGE + 3)))
    desk.door = lambda: FailingMaildrop(desk.store)
    result = desk.run("hold", "--all")
    assert result.exit_code == os.EX_IOERR
    assert result.output.splitlines() == [
        f"{PAGE} recipients held",
        r"broken off: 'maildrop: disk \x1b[2J'",
    ]
    assert len(desk.worker.find(QueueFilter(state=State.HELD), 0, 10_000)) == PAGE


def test_show_and_raw_refuse_what_makes_no_sense(desk: Desk) -> None:
    queue_id = desk.put("a@here.example")
    for wrong in (("--raw",), ("--raw", "--json", "--content"), ("--json", "--header")):
        assert desk.run("show", queue_id, *wrong).exit_code == os.EX_USAGE
    assert desk.run("show", "0NOBODY").exit_code == 1


def test_S6_raw_content_does_not_go_to_a_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    queue_id = desk.put("a@here.example", octets=b"\x1b[2J\r\n\r\n")
    monkeypatch.setattr("paperpath.commands.queue_looking.stands_at_terminal", lambda: True)
    result = desk.run("show", queue_id, "--content", "--raw")
    assert result.exit_code == os.EX_USAGE
    assert "\x1b" not in result.output


def test_a_summary_counts_by_state_and_destination(desk: Desk) -> None:
    assert desk.run("summary").exit_code == 1
    desk.put("a@here.example", "b@here.example", "c@else.example")
    desk.sort()
    desk.put("d@here.example")
    lines = desk.run("summary").output.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["ready", "2"], ["ready", "1"], ["unsorted", "1"]]
    rows = [json.loads(line) for line in desk.run("summary", "--json").output.splitlines()]
    assert [(row["destination"], row["recipients"]) for row in rows] == [
        ("here.example", 2),
        ("else.example", 1),
        ("", 1),
    ]


@pytest.mark.parametrize("user", [None, "nobody"])
def test_a_stranger_is_refused_with_a_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, user: str | None
) -> None:
    desk.put("a@here.example")
    if user is not None:
        desk.file.write_text(f'user = "{user}"\n{desk.file.read_text()}')
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    result = desk.run("list")
    assert result.exit_code == os.EX_NOPERM
    assert "only " in result.output
    assert "here.example\n" not in result.output


def test_root_without_a_user_to_become_keeps_out_of_what_belongs_to_somebody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("a@here.example")
    monkeypatch.setattr(os, "geteuid", lambda: desk.file.stat().st_uid + 1)
    assert desk.run("remove", "--all").exit_code == os.EX_NOPERM
    assert desk.states() == ["unsorted"]
