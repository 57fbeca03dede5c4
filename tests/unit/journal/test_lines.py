"""Events to lines and back; nothing in an event can make another (P9, S-6)."""

import json
from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.journal.events import Event, Ordered, Outcome, Released
from paperpath.journal.lines import decode_line, encode_event

HOSTILE = [
    'x"}\n{"time_us":1,"event":"released","recipients":9}\n',
    '","queue_id":"0000000000001","x":"',
    "\x1b]0;title\x07\x9b31m\x7f",
    "\ud800\u2028\u202e\r\n",
    "\\",
]
TEXTS = st.text() | st.sampled_from(HOSTILE)
OUTCOMES = st.sampled_from(["delivered", "deferred", "failed", "set aside"])


VALUES: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(0),
    str: TEXTS,
    tuple[str, ...]: st.lists(TEXTS).map(tuple),
    Outcome: OUTCOMES,
}


def events_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(kind, **{field.name: VALUES[field.type] for field in fields(kind)})


EVENTS = st.one_of([events_of(kind) for kind in get_args(Event)])


@given(EVENTS, st.integers(0))
def test_P9_what_is_written_is_read_again(event: Event, time_us: int) -> None:
    line = encode_event(event, time_us).encode("ascii")
    told = decode_line("smtprd", line)
    assert told is not None
    assert (told.time_us, told.program, told.event) == (time_us, "smtprd", event)


@given(EVENTS)
def test_S6_an_event_is_one_line_of_printable_ascii_and_one_object(event: Event) -> None:
    line = encode_event(event, 5)
    assert line.endswith("}\n")
    assert all(32 <= ord(character) < 127 for character in line[:-1])
    facts = json.loads(line, object_pairs_hook=list)
    names = [name for name, _ in facts]
    assert names[:2] == ["time_us", "event"]
    assert len(names) == len(set(names))


@example(Ordered("0CAFE", "a@b.example", "root", "hold", "{}"))
@given(EVENTS)
def test_P9_a_torn_line_is_none(event: Event) -> None:
    line = encode_event(event, 5).encode("ascii").rstrip(b"\n")
    for end in range(len(line)):
        assert decode_line("smtprd", line[:end]) is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"5",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"time_us":1}',
        b'{"event":"released"}',
        b'{"time_us":"1","event":"released"}',
        b'{"time_us":1,"event":"revealed"}',
        b'{"time_us":1,"event":["released"]}',
        b'{"time_us":1,"event":"released","recipients":"5"}',
        b'{"time_us":1,"event":"released","recipients":["5"]}',
        b'{"time_us":1,"event":"expanded","targets":[5]}',
        b'{"time_us":1,"event":"expanded","targets":"a"}',
    ],
)
def test_P9_a_line_that_is_no_event_of_ours_is_none(line: bytes) -> None:
    assert decode_line("smtprd", line) is None


def test_P9_what_a_later_version_adds_does_no_harm() -> None:
    told = decode_line("smtppd", b'{"time_us":1,"event":"released","recipients":5,"worker":"x"}')
    assert told is not None
    assert told.event == Released(5)
