"""Events in words (P9), whatever a peer put into them (S-6)."""

import pytest
from hypothesis import example, given

from paperpath.journal.events import (
    Accepted,
    Attempted,
    BrokenOff,
    Changed,
    Event,
    Expanded,
    Listed,
    MessageRefused,
    Ordered,
    RefusalsLeftOut,
    Refused,
    Released,
    Reported,
    SessionEnded,
    Sorted,
    Suspended,
    TurnedAway,
)
from paperpath.journal.lines import Told
from paperpath.journal.story import Story
from paperpath.journal.telling import describe_event, describe_story, describe_told
from tests.unit.journal.test_lines import EVENTS, HOSTILE

ACCEPTED = Accepted(
    "0CAFE",
    "1.1",
    "relay",
    "192.0.2.1",
    "c.example",
    "ESMTPS",
    "TLSv1.3 TLS_AES_256_GCM_SHA384",
    "",
    "<x@c.example>",
    "<>",
    ("u@here.example", "v@here.example"),
    3,
    512,
)


@example(Ordered("0CAFE", *HOSTILE[:4]))
@given(EVENTS)
def test_S6_whatever_is_in_it_an_event_is_told_in_one_printable_line(event: Event) -> None:
    told = Told(0, "smtprd", event, b"")
    for text in (describe_told(told), describe_story(Story(HOSTILE[2], (told,)))):
        assert all(32 <= ord(character) < 127 for character in text)


def test_S6_no_value_can_speak_for_another() -> None:
    reply = "550 No; from admin@here.example for everybody"
    forged = "x for admin@here.example"
    told = describe_event(MessageRefused("", "", "192.0.2.1", forged, "", forged, (forged,), 0, reply))
    assert told == (
        f"message refused: '{reply}'; from '{forged}' for '{forged}', from 192.0.2.1 ('{forged}')"
    )


TOLD = [
    (
        Refused("1.1", "192.0.2.1", "", "", "AUTH", "", 20, "500 5.5.1 No such command"),
        "refused AUTH (20 octets) from 192.0.2.1: '500 5.5.1 No such command'",
    ),
    (
        Refused("1.1", "192.0.2.1", "c.example", "<>", "RCPT", "TO:<a@b.example>", 0, "550 No"),
        "refused RCPT TO:<a@b.example> from 192.0.2.1 (c.example): '550 No'",
    ),
    (
        Listed("1.1", "192.0.2.1", "black:bad.example", "listed: 127.0.0.2"),
        "black:bad.example decided about 192.0.2.1: 'listed: 127.0.0.2'",
    ),
    (
        TurnedAway("192.0.2.1", "", "421 4.3.2 Too many", 1),
        "turned away 192.0.2.1: '421 4.3.2 Too many'",
    ),
    (
        TurnedAway("192.0.2.1", "", "421 4.3.2 Too many", 7),
        "turned away 192.0.2.1, its network 7 times since this was last told: '421 4.3.2 Too many'",
    ),
    (
        SessionEnded("1.1", "192.0.2.1", "421 4.7.0 Too many errors"),
        "session from 192.0.2.1 ended by us: '421 4.7.0 Too many errors'",
    ),
    (RefusalsLeftOut("1.1", "192.0.2.1", 7), "7 more commands refused in this session from 192.0.2.1"),
    (
        BrokenOff("1.1", "192.0.2.1", "c.example", "a@b.example", (), 0, ""),
        "no message: the client left; from a@b.example for nobody, from 192.0.2.1 (c.example)",
    ),
    (
        BrokenOff("1.1", "192.0.2.1", "", "<>", ("u@here.example",), 0, "421 Idle"),
        "no message: we ended: '421 Idle'; from <> for u@here.example, from 192.0.2.1",
    ),
    (
        ACCEPTED,
        "accepted 512 octets from <> for u@here.example, v@here.example and 3 more, by relay from 192.0.2.1"
        " (c.example) with ESMTPS, 'TLSv1.3 TLS_AES_256_GCM_SHA384'",
    ),
    (
        Accepted("0CAFE", "", "drop", "", "", "", "", "joe", "", "j@x.example", ("a@x.example",), 0, 5),
        "accepted 5 octets from j@x.example for a@x.example, by drop from joe",
    ),
    (Changed("0CAFE", ("Bcc removed",), 0), "put into canonical form: 'Bcc removed'"),
    (
        Changed("0CAFE", ("Date added", "From added"), 7),
        "put into canonical form: 'Date added', 'From added' and 7 more",
    ),
    (
        Sorted("0CAFE", "Postmaster", "me@x.example", "local", "x.example", "route x.example"),
        "sorted Postmaster as me@x.example: local to x.example, by 'route x.example'",
    ),
    (
        Expanded("0CAFE", "list@x.example", ("a@x.example",), 0, "alias list"),
        "expanded list@x.example into a@x.example, by 'alias list'",
    ),
    (Expanded("0CAFE", "list@x.example", (), 0, ""), "expanded list@x.example into nobody"),
    (
        Attempted("0CAFE", "u@x.example", "delivered", 2, "x.example/u", "250 Delivered", 0),
        "delivered u@x.example into x.example/u, attempt 2: '250 Delivered'",
    ),
    (
        Attempted("0CAFE", "u@x.example", "deferred", 1, "x.example/u", "451 Busy", 1000000),
        "deferred u@x.example at x.example/u, attempt 1, again at 1970-01-01T00:00:01.000000Z: '451 Busy'",
    ),
    (
        Attempted("0CAFE", "u@x.example", "set aside", 0, "", "451 Damaged", 0),
        "'set aside' u@x.example: '451 Damaged'",
    ),
    (
        Reported("0CAFE", "0BEEF", "a@b.example", ("u@x.example",), 1),
        "report 0BEEF made for a@b.example, about u@x.example and 1 more",
    ),
    (Released(3), "a worker had died; its claims were released, 3 in all"),
    (
        Suspended("far.example", 1_000_000, 2, "451 4.4.1 No"),
        "far.example cannot be reached, 2 times in a row now; next attempt at "
        "1970-01-01T00:00:01.000000Z: '451 4.4.1 No'",
    ),
    (
        Ordered("0CAFE", "u@x.example", "root", "reroute", "via mx"),
        "operator root: reroute u@x.example: 'via mx'",
    ),
    (Ordered("0CAFE", "", "root", "hold", ""), "operator root: hold"),
]


@pytest.mark.parametrize(("event", "told"), TOLD)
def test_P9_each_event_says_what_happened(event: Event, told: str) -> None:
    assert describe_event(event) == told


def test_P9_a_story_begins_with_what_it_is_about() -> None:
    told = Told(5, "smtprd", ACCEPTED, b"")
    assert describe_story(Story("0CAFE", (told,))) == "0CAFE, from <>, Message-ID <x@c.example>"
    assert describe_told(told).startswith("1970-01-01T00:00:00.000005Z smtprd accepted 512 octets")
    assert describe_story(Story("0CAFE", (Told(5, "smtppd", Released(1), b""),))) == "0CAFE"
    refused = Refused("1.1", "192.0.2.1", "", "", "AUTH", "", 20, "500 No")
    session = Story("", (Told(5, "smtprd", refused, b""),))
    assert describe_story(session) == "session 1.1, without a message"
