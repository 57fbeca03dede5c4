"""SEARCH keys evaluated (K-13, K-23, K-25)."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap.content.needle import Needle
from paperpath.imap.content.search import find_cost, prepare_search
from paperpath.imap.content.searched import Cost, SearchContext
from paperpath.imap.search_keys import (
    AgeKey,
    AllKey,
    AndKey,
    BodyKey,
    DateKey,
    DateOf,
    EmailIdKey,
    FlagKey,
    HeaderKey,
    ModSeqKey,
    NotKey,
    NumberKey,
    OrKey,
    SaveDateSupportedKey,
    SearchKey,
    SizeKey,
    TextKey,
    ThreadIdKey,
    UidKey,
    When,
)  # fmt: skip
from paperpath.imap.sets import SAVED_RESULT, STAR, SequenceSet
from tests.support.mime import Message, messages, text

DAY_US = 86_400_000_000
PLAIN = text("""\
From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>
To: all@x.example
Subject: =?iso-8859-1?b?RW50d/xyZmU=?=
 of =?utf-8?q?May?=
Date: Fri, 21 Nov 1997 23:55:06 -0600
X-Empty:
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

The Gr=FC=DFe are in the bo=
dy, once.
""")
MIXED = text("""\
From: Bob <bob@x.example>
Subject: nothing
Date: 1 Feb 2020
Content-Type: multipart/mixed; boundary=a

preamble
--a
Content-Type: text/html
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="report.html"

PHA+aGlkZGVu
--a
Content-Type: message/rfc822

Subject: =?utf-8?q?within?=

inner text
--a
Content-Type: application/octet-stream

octets
--a--
""")
MESSAGES = (
    Message(PLAIN, 1, 10, frozenset({"\\Seen", "$Junk"}), 5 * DAY_US + 7, 9 * DAY_US, 4, "M1", "T1"),
    Message(MIXED, 2, 20, frozenset({"\\Recent"}), 6 * DAY_US, 8 * DAY_US, 7, "M2", "T2"),
    Message(b"", 3, 30, frozenset(), 8 * DAY_US, 8 * DAY_US, 9, "M3"),
)
CONTEXT = SearchContext(3, 30, now_us=8 * DAY_US, saved={20})


def day(number: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(number)


def numbers(*ranges: tuple[int, int]) -> SequenceSet:
    return SequenceSet(ranges)


def find(key: SearchKey) -> list[int]:
    matches = prepare_search(key, CONTEXT)
    return [message.number for message in MESSAGES if matches(message)]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (AllKey(), [1, 2, 3]),
        (SaveDateSupportedKey(), [1, 2, 3]),
        (FlagKey("\\Seen"), [1]),
        (FlagKey("\\seen", is_set=False), [2, 3]),
        (FlagKey("$JUNK"), [1]),
        (FlagKey("\\Recent"), [2]),
        (HeaderKey("from", "JÜRGEN"), [1]),
        (HeaderKey("From", "bob@"), [2]),
        (HeaderKey("from", "utf-8"), []),
        (HeaderKey("subject", "entwu\u0308rfe of may"), [1]),
        (HeaderKey("subject", ""), [1, 2]),
        (HeaderKey("x-empty", ""), [1]),
        (HeaderKey("x-empty", "x"), []),
        (HeaderKey("subject", "within"), []),
        (BodyKey("grüsse"), [1]),
        (BodyKey("GRÜSSE ARE IN THE BODY,"), [1]),
        (BodyKey("hidden"), [2]),
        (BodyKey("report.html"), [2]),
        (BodyKey("within"), [2]),
        (BodyKey("Inner Text"), [2]),
        (BodyKey("octets"), []),
        (BodyKey("bob@"), []),
        (BodyKey(""), [1, 2, 3]),
        (TextKey("bob@"), [2]),
        (TextKey("once"), [1]),
        (TextKey("subject: nothing"), [2]),
        (DateKey(DateOf.INTERNAL, When.ON, day(5)), [1]),
        (DateKey(DateOf.INTERNAL, When.BEFORE, day(6)), [1]),
        (DateKey(DateOf.INTERNAL, When.SINCE, day(6)), [2, 3]),
        (DateKey(DateOf.SAVED, When.ON, day(9)), [1]),
        (DateKey(DateOf.SENT, When.ON, dt.date(1997, 11, 21)), [1]),
        (DateKey(DateOf.SENT, When.SINCE, dt.date(1997, 11, 22)), [2]),
        (DateKey(DateOf.SENT, When.BEFORE, dt.date(2030, 1, 1)), [1, 2]),
        (AgeKey(2 * 86_400, younger=True), [2, 3]),
        (AgeKey(2 * 86_400, younger=False), [1, 2]),
        (SizeKey(len(MIXED), larger=True), []),
        (SizeKey(len(MIXED) - 1, larger=True), [2]),
        (SizeKey(1, larger=False), [3]),
        (NumberKey(numbers((1, 1), (3, 2**32 - 1))), [1, 3]),
        (NumberKey(numbers((9, STAR))), [3]),
        (UidKey(numbers((11, 20))), [2]),
        (UidKey(numbers((STAR, STAR))), [3]),
        (NumberKey(SAVED_RESULT), [2]),
        (UidKey(SAVED_RESULT), [2]),
        (ModSeqKey(7), [2, 3]),
        (EmailIdKey("M2"), [2]),
        (ThreadIdKey("T1"), [1]),
        (NotKey(FlagKey("\\Seen")), [2, 3]),
        (OrKey(BodyKey("hidden"), FlagKey("\\Seen")), [1, 2]),
        (AndKey((TextKey("x.example"), FlagKey("\\Seen"))), [1]),
        (AndKey(()), [1, 2, 3]),
    ],
)
def test_K13_search_keys(key: SearchKey, found: Sequence[int]) -> None:
    assert find(key) == found


def test_what_costs_least_is_asked_first() -> None:
    message = Message(PLAIN)
    key = AndKey((TextKey("once"), HeaderKey("subject", "x"), FlagKey("\\Seen")))
    assert not prepare_search(key, CONTEXT)(message)
    assert message.asked == []
    either = OrKey(BodyKey("once"), HeaderKey("from", "j@"))
    assert prepare_search(either, CONTEXT)(message)
    assert message.asked == ["header"]


def test_what_a_key_costs() -> None:
    assert find_cost(AllKey()) is Cost.NOTHING
    assert find_cost(NotKey(HeaderKey("to", ""))) is Cost.HEADER
    assert find_cost(OrKey(AllKey(), AndKey((TextKey("x"), AllKey())))) is Cost.BODY
    assert find_cost(DateKey(DateOf.SENT, When.ON, day(1))) is Cost.HEADER
    assert find_cost(DateKey(DateOf.SAVED, When.ON, day(1))) is Cost.NOTHING


@given(messages, st.sampled_from([b"\r\n\r\n", b"a", b"x: y"]))
def test_K13_any_message_can_be_searched(message: bytes, word: bytes) -> None:
    key = NotKey(AndKey((TextKey(word.decode()), BodyKey("none has this"))))
    assert prepare_search(key, CONTEXT)(Message(message))


@given(
    st.text(alphabet="aßÉe\u0301\n ", max_size=30), st.text(alphabet="assée ", max_size=3), st.integers(1, 4)
)
def test_a_needle_is_found_over_where_texts_are_cut(hay: str, wanted: str, length: int) -> None:
    pieces = [hay[place : place + length] for place in range(0, len(hay), length)]
    assert Needle(wanted).is_in_any(pieces) is Needle(wanted).is_in(hay)


def test_a_character_in_two_pieces_is_found() -> None:
    assert Needle("caf\u00e9").is_in_any(["ca", "fe", "\u0301", "!"])
    assert not Needle("cafe\u0301s").is_in_any(["cafe", "\u0301", "\n"])
    assert Needle("b" * 10).is_in_any(["a" * 70_000 + "b" * 4, "b" * 6])
