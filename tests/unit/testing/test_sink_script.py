"""The words of the failing sink, and what goes out for them."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.reply import make_reply
from paperpath.testing.sink_script import (
    LIES,
    WAYS,
    Act,
    Deed,
    Director,
    Ending,
    Kind,
    Stage,
    find_word,
    play,
    read_deed,
)

USUAL = make_reply(250, "2.1.5", "Fine")


def deed_of(word: str, default: Stage = Stage.RCPT) -> Deed:
    deed = read_deed(word, default)
    assert deed is not None
    return deed


@pytest.mark.parametrize(
    ("word", "kind", "stage", "code"),
    [
        ("tempfail", Kind.CODE, Stage.RCPT, 450),
        ("permfail", Kind.CODE, Stage.RCPT, 550),
        ("tempfail-at-dot", Kind.CODE, Stage.DOT, 450),
        ("421-at-data", Kind.CODE, Stage.DATA, 421),
        ("552-at-dot", Kind.CODE, Stage.DOT, 552),
        ("452-at-rcpt", Kind.CODE, Stage.RCPT, 452),
        ("299", Kind.CODE, Stage.RCPT, 299),
        ("421-after-dot", Kind.CODE, Stage.TAKEN, 421),
        ("421-at-idle", Kind.CODE, Stage.IDLE, 421),
        ("disconnect-at-content", Kind.DISCONNECT, Stage.CONTENT, 0),
        ("disconnect-after-dot", Kind.DISCONNECT, Stage.TAKEN, 0),
        ("reset-at-dot", Kind.RESET, Stage.DOT, 0),
        ("stall-at-quit", Kind.STALL, Stage.QUIT, 0),
        ("lies-354-to-mail", Kind.CODE, Stage.MAIL, 354),
        ("lies-250-to-data", Kind.CODE, Stage.DATA, 250),
        ("lies-two-replies", Kind.TWO_REPLIES, Stage.RCPT, 0),
        ("lies-endless-reply-at-dot", Kind.ENDLESS_REPLY, Stage.DOT, 0),
        ("multiline-at-data", Kind.MULTILINE, Stage.DATA, 0),
    ],
)
def test_words_are_read(word: str, kind: Kind, stage: Stage, code: int) -> None:
    assert read_deed(word, Stage.RCPT) == Deed(word, kind, stage, code)


@pytest.mark.parametrize(("word", "pause_s"), [("slow-3s", 3.0), ("slow-250ms-at-dot", 0.25)])
def test_slow_words_have_a_time(word: str, pause_s: float) -> None:
    assert play(deed_of(word), USUAL) == Act(USUAL.octets, Ending.GO_ON, pause_s)


@pytest.mark.parametrize(
    "word",
    ["", "joe", "tempfail-at-home", "421-data", "slow", "slow-3h", "99", "lies-often", "٤٢١", "stall-after"],
)
def test_other_local_parts_mean_nothing(word: str) -> None:
    assert read_deed(word, Stage.RCPT) is None


@pytest.mark.parametrize(
    ("local", "word"),
    [("Tempfail", "tempfail"), ("421-at-data.17", "421-at-data"), ("lies+a.b", "lies"), (".x", ""), ("", "")],
)
def test_what_stands_behind_the_word_is_a_tag(local: str, word: str) -> None:
    assert find_word(local) == word


def test_a_message_goes_on_where_the_reply_lets_it() -> None:
    passing = (
        "299",
        "250-at-dot",
        "354-at-data",
        "multiline",
        "slow-1s",
        "lies-two-replies",
        "lies-bare-code",
    )
    stopping = (
        "450",
        "354",
        "250-at-data",
        "disconnect",
        "stall",
        "lies-garbage",
        "lies-354-without-recipients",
    )
    assert [word for word in passing if not deed_of(word).lets_pass] == []
    assert [word for word in stopping if deed_of(word).lets_pass] == []


@pytest.mark.parametrize(
    ("word", "act"),
    [
        ("450", Act(b"450 4.0.0 As told: 450\r\n")),
        ("421", Act(b"421 4.0.0 As told: 421\r\n", Ending.CLOSE)),
        ("552-at-content", Act(b"552 5.0.0 As told: 552-at-content\r\n", Ending.CLOSE)),
        ("disconnect", Act(b"", Ending.CLOSE)),
        ("reset", Act(b"", Ending.RESET)),
        ("stall", Act(b"", Ending.STALL)),
        ("stall-at-content", Act(b"", Ending.DEAF)),
        ("multiline", Act(b"250-2.1.5 One\r\n250-2.1.5 Two\r\n250 2.1.5 Fine\r\n")),
        ("lies-two-replies", Act(b"250 2.1.5 Fine\r\n" * 2)),
        ("lies-endless-reply", Act(b"250-And so on\r\n", Ending.FLOOD)),
        ("lies-endless-line", Act(b"250", Ending.FLOOD)),
        ("lies-mixed-codes", Act(b"250-One thing\r\n550 And another\r\n")),
        ("lies-bare-code", Act(b"250\r\n")),
        ("lies-bare-newline", Act(b"250 2.1.5 Fine\n")),
    ],
)
def test_each_word_has_its_act(word: str, act: Act) -> None:
    assert play(deed_of(word), USUAL) == act


def test_every_way_of_chance_and_every_lie_is_a_word() -> None:
    for stage, words in WAYS.items():
        assert [word for word in words if read_deed(word, stage) is None] == []
    assert [word for word in LIES if read_deed(word, Stage.RCPT) is None] == []
    assert {deed_of(word).kind for word in WAYS[Stage.RCPT]} == set(Kind)


def test_lies_tells_one_lie_after_the_other() -> None:
    director = Director(Random(1), 0, always=False)
    told = [director.direct(f"lies.{number}", Stage.RCPT) for number in range(2 * len(LIES))]
    assert [deed.word for deed in told if deed is not None] == [*LIES, *LIES]


def test_chance_is_repeatable_and_keeps_to_its_probability() -> None:
    def throw() -> list[Deed | None]:
        director = Director(Random(7), 0.3, always=False)
        return [director.direct("random", Stage.RCPT) for _ in range(1000)]

    thrown = throw()
    assert thrown == throw()
    assert 250 < sum(deed is not None for deed in thrown) < 350


def test_chance_reaches_others_only_where_it_is_told_to() -> None:
    some, every = Director(Random(1), 1, always=False), Director(Random(1), 1, always=True)
    assert some.direct("joe", Stage.RCPT) is None
    assert some.direct_early(Stage.GREETING) is None
    assert every.direct("joe", Stage.RCPT) is not None
    assert every.direct_early(Stage.GREETING) is not None
    told = every.direct("permfail", Stage.RCPT)
    assert told is not None
    assert told.word == "permfail"


@given(st.text(max_size=40), st.sampled_from(Stage))
def test_any_local_part_is_read(local: str, stage: Stage) -> None:
    deed = read_deed(find_word(local), stage)
    if deed is not None:
        assert isinstance(play(deed, USUAL), Act)
