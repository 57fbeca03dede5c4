"""Stories: what is found for an address or an id, and what hangs together with it (P9)."""

from collections.abc import Collection, Iterable

import pytest

from paperpath.journal.events import (
    Accepted,
    Attempted,
    BrokenOff,
    Event,
    Expanded,
    Listed,
    MessageRefused,
    Ordered,
    Outcome,
    RefusalsLeftOut,
    Refused,
    Released,
    Reported,
    Sorted,
    Suspended,
    TurnedAway,
)
from paperpath.journal.lines import Told, decode_line, encode_event
from paperpath.journal.search import Pattern
from paperpath.journal.story import Stories, find_stories
from paperpath.journal.telling import describe_story

FIRST, SECOND, REPORT, THIRD = "0000000000001", "0000000000002", "0000000000003", "0000000000004"


def accepted(queue_id: str, session: str, sender: str, *recipients: str) -> Accepted:
    return Accepted(
        queue_id=queue_id,
        session=session,
        origin="relay",
        client="192.0.2.1",
        hello="c.example",
        protocol="ESMTP",
        tls="",
        submitter="",
        message_id=f"<{queue_id}.x$1@c.example>",
        sender=sender,
        recipients=recipients,
        more_recipients=0,
        size=100,
    )


def refused(session: str, argument: str, verb: str = "RCPT") -> Refused:
    return Refused(session, "192.0.2.1", "c.example", "a@b.example", verb, argument, 0, "550 5.1.1 No")


def attempted(queue_id: str, recipient: str, outcome: Outcome = "delivered") -> Attempted:
    return Attempted(queue_id, recipient, outcome, 1, "box", "250 2.1.5 Delivered", 0)


STORY: list[Event] = [
    refused("1.1", "FROM:<a@b.example> X", "MAIL"),
    accepted(FIRST, "1.1", "a@b.example", "Joe@here.example"),
    refused("1.1", "TO:<nobody@Here.Example>"),
    refused("1.2", "TO:<joe@here.example.org>"),
    Sorted(FIRST, "Joe@here.example", "Joe@here.example", "local", "here.example", "route"),
    accepted(SECOND, "1.1", "a@b.example", "list@here.example"),
    refused("1.1", "TO:<late@here.example>"),
    Expanded(SECOND, "list@here.example", ("ann@here.example", "bob@xn--bcher-kva.example"), 0, "alias"),
    Released(5),
    attempted(FIRST, "Joe@here.example"),
    attempted(SECOND, "ann@here.example", "failed"),
    Reported(SECOND, REPORT, "a@b.example", ("ann@here.example",), 0),
    Sorted(REPORT, "a@b.example", "a@b.example", "remote", "b.example", ""),
    RefusalsLeftOut("1.1", "192.0.2.1", 5),
    MessageRefused(
        THIRD,
        "1.3",
        "192.0.2.1",
        "c.example",
        "<odd>",
        "x@y.example",
        ("joe@here.example",),
        0,
        "552 5.3.4 Big",
    ),
    BrokenOff("1.4", "192.0.2.1", "c.example", "x@y.example", ("joe@here.example",), 0, ""),
    Ordered(FIRST, "", "root", "hold", ""),
]


def look_up(events: Iterable[Event]):
    lines = [encode_event(event, moment).encode("ascii") for moment, event in enumerate(events, 1)]
    told = [decode_line("smtprd", line) for line in lines]

    def find(patterns: Collection[Pattern]) -> Iterable[Told]:
        for one in told:
            assert one is not None
            if any(pattern.search(one.line) for pattern in patterns):
                yield one

    return find


def ask(what: str, events: Iterable[Event] = STORY, limit: int = 20) -> Stories:
    return find_stories(what, look_up(events), limit)


def shape(found: Stories) -> dict[str, list[int]]:
    """Return for each story which of the events are in it, counted from 1."""
    return {story.queue_id or "session": [told.time_us for told in story.told] for story in found.stories}


FIRST_STORY = [1, 2, 5, 9, 10, 17]
SECOND_STORY = [3, 6, 8, 9, 11, 12]


def test_P9_a_queue_id_tells_all_of_a_message_and_what_was_refused_on_the_way() -> None:
    found = ask(FIRST)
    assert shape(found) == {FIRST: [1, 2, 5, 9, 10, 17]}
    assert found.complete


@pytest.mark.parametrize("what", [SECOND, REPORT, f"<{SECOND}.x$1@c.example>", f" {SECOND}.x$1@C.Example "])
def test_P9_reports_are_told_with_what_they_are_about_and_the_other_way_round(what: str) -> None:
    assert shape(ask(what)) == {SECOND: SECOND_STORY, REPORT: [13]}


def test_P9_a_queue_id_may_be_written_in_small_letters() -> None:
    assert shape(ask("0bcdefghjkm1z", [Ordered("0BCDEFGHJKM1Z", "", "root", "hold", "")]))


@pytest.mark.parametrize(
    ("address", "stories"),
    [
        ("Joe@HERE.example", {FIRST: FIRST_STORY}),
        ("joe@here.example", {THIRD: [15], "session": [16]}),
        ("nobody@here.example", {"session": [3]}),
        ("bob@bücher.example", {SECOND: SECOND_STORY, REPORT: [13]}),
        ("ann@here.example", {SECOND: SECOND_STORY, REPORT: [13]}),
        ("ere.example", {}),
        ("<>", {}),
        ("nn@here.example", {}),
        ("here.example@", {}),
        ("", {}),
        ("@", {}),
    ],
)
def test_P9_an_address_is_found_as_sender_and_recipient_the_domain_in_any_spelling(
    address: str, stories: dict[str, list[int]]
) -> None:
    assert shape(ask(address)) == stories


def test_P9_a_sender_finds_messages_and_refusals_each_once() -> None:
    shown = [told.time_us for story in ask("a@b.example").stories for told in story.told]
    assert sorted(shown) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12, 13, 17]


def test_P9_a_session_tells_its_refusals_and_messages() -> None:
    found = ask("1.1")
    assert shape(found) == {
        FIRST: FIRST_STORY,
        SECOND: [3, 6, 8, 9, 11, 12],
        REPORT: [13],
        "session": [7, 14],
    }


def test_P9_an_id_of_another_shape_is_found() -> None:
    assert shape(ask("<odd>")) == shape(ask("odd")) == {THIRD: [15]}


def test_P9_the_newest_come_first_in_the_limit() -> None:
    ids = [f"{number:013}" for number in range(100)]
    found = ask("u@x.example", [accepted(one, "", "a@b.example", "u@x.example") for one in ids], limit=3)
    assert [story.queue_id for story in found.stories] == ids[97:]
    assert not found.complete


def test_P6_reports_of_reports_end() -> None:
    ids = [f"{number:013}" for number in range(1000)]
    chain: list[Event] = [
        Reported(one, other, "a@b.example", (), 0) for one, other in zip(ids, [*ids[1:], ids[0]], strict=True)
    ]
    assert 50 < len(ask(ids[0], chain).stories) < 150


def test_P9_a_client_and_the_null_sender_are_found() -> None:
    assert shape(ask("192.0.2.1")).keys() == {FIRST, SECOND, REPORT, THIRD, "session"}
    assert shape(ask("<>", [accepted(FIRST, "", "<>", "u@here.example")])) == {FIRST: [1]}


def test_S6_what_a_client_says_cannot_make_it_part_of_a_story() -> None:
    forged = f'","queue_id":"{FIRST}","x":"'
    events: list[Event] = [
        refused("1.9", forged),
        accepted(FIRST, "", "a@b.example", f'"{forged}"@x.example'),
    ]
    assert shape(ask(FIRST, events)) == {FIRST: [2]}


def test_P9_a_story_tells_when_its_destination_could_not_be_reached() -> None:
    """From when a recipient was sorted there, until it had its last outcome or until now."""

    def away(destination: str) -> Suspended:
        return Suspended(destination, 9, 1, "451 4.4.1 No")

    events: list[Event] = [
        accepted(FIRST, "", "a@b.example", "u@far.example"),
        away("far.example"),
        Sorted(FIRST, "u@far.example", "u@far.example", "remote", "far.example", ""),
        accepted(SECOND, "", "a@b.example", "v@far.example"),
        Sorted(SECOND, "v@far.example", "v@far.example", "remote", "far.example", ""),
        away("far.example"),
        away("else.example"),
        attempted(FIRST, "u@far.example", "deferred"),
        attempted(FIRST, "u@far.example", "relayed"),
        away("far.example"),
    ]
    assert shape(ask(FIRST, events)) == {FIRST: [1, 3, 6, 8, 9]}
    assert shape(ask(SECOND, events)) == {SECOND: [4, 5, 6, 10]}


def test_P9_who_was_turned_away_is_told_of_by_the_address_without_a_session() -> None:
    away = TurnedAway("192.0.2.7", "", "421 4.3.2 Too many", 3)
    events: list[Event] = [*STORY, away, away, TurnedAway("192.0.2.8", "", "421 4.3.2 Too many", 1)]
    (story,) = ask("192.0.2.7", events).stories
    assert [told.time_us for told in story.told] == [len(STORY) + 1, len(STORY) + 2]
    assert describe_story(story) == "client 192.0.2.7, without a session"


@pytest.mark.parametrize("what", ["2001:db8::1", "2001:db8::/64"])
def test_P9_a_network_that_was_turned_away_is_told_of_by_its_own_name_too(what: str) -> None:
    events: list[Event] = [TurnedAway("2001:db8::1", "2001:db8::/64", "421 4.3.2 Too many", 3)]
    (story,) = ask(what, events).stories
    assert describe_story(story) == "network 2001:db8::/64, without a session"


def test_P9_the_list_that_let_a_client_in_is_told_with_its_first_message() -> None:
    listed = Listed("1.1", "192.0.2.1", "white:good.example", "listed: 127.0.0.2")
    first, second = (accepted(queue_id, "1.1", "", "u@here.example") for queue_id in (FIRST, SECOND))
    events: list[Event] = [listed, first, second]
    assert shape(ask(FIRST, events)) == {FIRST: [1, 2]}
    assert shape(ask(SECOND, events)) == {SECOND: [3]}
