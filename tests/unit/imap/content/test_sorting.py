"""SORT and THREAD (RFC 5256)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap.content.sorting import sort_messages
from paperpath.imap.content.subjects import find_base_subject
from paperpath.imap.content.summaries import Summary, summarise
from paperpath.imap.content.threads import thread_messages
from paperpath.imap.search_keys import SortCriterion, SortKey, ThreadAlgorithm
from tests.support.mime import text


def message(
    number: int, subject: str = "", references: str = "", message_id: str = "", **others: str
) -> Summary:
    fields = {"Subject": subject, "References": references, "Message-ID": message_id or f"<{number}@x>"}
    header = "".join(f"{name}: {value}\n" for name, value in (fields | others).items())
    return summarise(number, number * 1000, 100 - number, text(header))


def references(*messages: Summary) -> str:
    return thread_messages(messages, ThreadAlgorithm.REFERENCES)


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        (b"Hello", "hello", False),
        (b"Re: Hello", "hello", True),
        (b"RE :  hello  (fwd) (FWD)", "hello", True),
        (b"[list] Re: [list] fw: Fwd[2]: a [b] c", "a [b] c", True),
        (b"[only]", "[only]", False),
        (b"[a] [b]", "[b]", False),
        (b"[fwd: [x] re: y]", "y", True),
        (b"=?utf-8?q?Re:_=C3=84?=", "ä", True),
        (b"re", "re", False),
        (b"Re:", "", True),
        (b"", "", False),
        (None, "", False),
    ],
)
def test_base_subjects(subject: bytes | None, base: str, is_reply: bool) -> None:
    assert find_base_subject(subject) == (base, is_reply)


@given(
    st.lists(st.sampled_from(["[a]", "[", "]", "re:", "fwd", "[fwd:", "(fwd)", " ", ":", "x"])).map("".join)
)
def test_a_base_subject_has_itself_for_base(subject: str) -> None:
    base = find_base_subject(subject.encode()).text
    again = find_base_subject(base.encode())
    assert again.text == base
    assert not again.is_reply


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ([SortCriterion(SortKey.SUBJECT)], [3, 1, 2]),
        ([SortCriterion(SortKey.SUBJECT), SortCriterion(SortKey.SIZE)], [3, 2, 1]),
        ([SortCriterion(SortKey.SUBJECT, reverse=True)], [1, 2, 3]),
        ([SortCriterion(SortKey.SUBJECT), SortCriterion(SortKey.SUBJECT, reverse=True)], [3, 1, 2]),
        ([SortCriterion(SortKey.DATE)], [3, 2, 1]),
        ([SortCriterion(SortKey.ARRIVAL, reverse=True)], [3, 2, 1]),
        ([SortCriterion(SortKey.FROM)], [2, 1, 3]),
        ([SortCriterion(SortKey.TO), SortCriterion(SortKey.CC, reverse=True)], [1, 2, 3]),
    ],
)
def test_messages_are_sorted(criteria: list[SortCriterion], numbers: list[int]) -> None:
    messages = [
        message(1, "b", Date="Mon, 7 Feb 1994 21:52:25 -0800", From="B@x"),
        message(2, "Re: B", Date="Mon, 7 Feb 1994 21:52:25 +0000", From="A <a@z>", To="x@y"),
        message(3, "a", From="c@a", To="x@a"),
    ]
    assert sort_messages(messages, criteria) == numbers


def test_messages_of_one_subject_are_a_thread() -> None:
    messages = [
        message(1, "b"),
        message(2, "a"),
        message(3, "Re: a"),
        message(4, "Fwd: a"),
        message(5, "Re: b"),
    ]
    assert thread_messages(messages, ThreadAlgorithm.ORDEREDSUBJECT) == "(1 5)(2 (3)(4))"
    assert thread_messages([], ThreadAlgorithm.ORDEREDSUBJECT) == ""


@pytest.mark.parametrize(
    ("messages", "threads"),
    [
        ([message(1), message(2, references="<1@x>"), message(3, references="<1@x> <2@x>")], "(1 2 3)"),
        ([message(1), message(2, references="<1@x>"), message(3, references="<1@x>")], "(1 (2)(3))"),
        ([message(1, references="<gone@x>"), message(2, references="<gone@x>")], "((1)(2))"),
        ([message(1, references="<gone@x>"), message(2)], "(1)(2)"),
        ([message(1, references='<"2"@x>'), message(2)], "(2 1)"),
        ([message(1), message(2, **{"In-Reply-To": "your mail <1@x> of <9@x>"})], "(1 2)"),
        ([message(1, references="<2@x>"), message(2, references="<1@x>")], "(2 1)"),
        ([message(1, references="<1@x>")], "(1)"),
        ([message(1), message(2, message_id="<1@x>"), message(3, references="<1@x>")], "(1 3)(2)"),
        ([message(1, "a"), message(2, "Re: a"), message(3, "a")], "((1 2)(3))"),
        ([message(1, "re: a"), message(2, "a")], "(2 1)"),
        ([message(1, "a", "<g@x>"), message(2, "a", "<g@x>"), message(3, "a")], "((1)(2)(3))"),
        (
            [message(2, references="<1@x> <g@x>"), message(3, references="<1@x> <h@x>"), message(1)],
            "(1 (2)(3))",
        ),
    ],
)
def test_what_answers_a_message_is_below_it(messages: list[Summary], threads: str) -> None:
    assert references(*messages) == threads


ids = st.integers(0, 8).map(lambda number: f"<{number}@x>")


@given(
    st.lists(st.tuples(ids, st.lists(ids, max_size=4), st.sampled_from(["", "a", "Re: a", "b"])), max_size=10)
)
def test_every_message_is_in_one_thread(made: list[tuple[str, list[str], str]]) -> None:
    messages = [
        message(number, subject, " ".join(ancestors), message_id)
        for number, (message_id, ancestors, subject) in enumerate(made, 1)
    ]
    for algorithm in ThreadAlgorithm:
        written = thread_messages(messages, algorithm)
        assert sorted(map(int, re.findall("[0-9]+", written))) == list(range(1, len(made) + 1))
        assert re.sub("[0-9 ]", "", written).count("(") == written.count(")")
        assert not re.search(r"\(\)|\( | \)", written)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, -1, 0])
def test_S11_no_references_take_more_than_linear_time(step: int) -> None:
    count = 20_000
    messages = [
        message(number, "Re: x" if step == 0 else "", f"<{number + step}@x> <{number + 2 * step}@x>")
        for number in range(1, count)
    ]
    assert len(re.findall("[0-9]+", references(*messages))) == count - 1
