"""Dates: what is meant by them, and which may stay as they are (B-10, B-18)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.fields.dates import parse_date
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.glance import is_canonical_date
from paperpath.mail.trace import format_date

CANONICAL = [
    ("Fri, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("21 Nov 1997 09:55 -0600", "Fri, 21 Nov 1997 09:55:00 -0600"),
    ("Fri,21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("\tFri,\r\n 21  Nov\t1997\r\n\t09:55:06 -0600 ", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("FRI, 21 nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("Fri, 21 Nov 1997 09:55:06 -0600 (CST)", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("Fri, 21 Nov 1997 09:55:06 -0600 (a \\) zone)\r\n (b)", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("Sat, 1 Jan 2000 00:00:00 +0000", "Sat, 1 Jan 2000 00:00:00 +0000"),
    ("Sat, 01 Jan 2000 00:00:00 -0000", "Sat, 1 Jan 2000 00:00:00 +0000"),
    ("Tue, 29 Feb 2000 23:59:59 +1345", "Tue, 29 Feb 2000 23:59:59 +1345"),
    ("Sat, 31 Dec 2016 23:59:60 +0000", "Sun, 1 Jan 2017 00:00:00 +0000"),
    ("Mon, 1 Jan 1900 00:00:00 +2359", "Mon, 1 Jan 1900 00:00:00 +2359"),
]
MENDED = [
    ("Fri, 21 Nov 97 09:55 EST", "Fri, 21 Nov 1997 09:55:00 -0500"),
    ("21 Nov 49 09:55:06 GMT", "Sun, 21 Nov 2049 09:55:06 +0000"),
    ("21 Nov 50 09:55:06 UT", "Tue, 21 Nov 1950 09:55:06 +0000"),
    ("21 Nov 00 09:55:06 EDT", "Tue, 21 Nov 2000 09:55:06 -0400"),
    ("21 Nov 097 09:55:06 CST", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("21 Nov 126 09:55:06 CDT", "Sat, 21 Nov 2026 09:55:06 -0500"),
    ("21 Nov 1997 09:55:06 MST", "Fri, 21 Nov 1997 09:55:06 -0700"),
    ("21 Nov 1997 09:55:06 mdt", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("21 Nov 1997 09:55:06 Pst", "Fri, 21 Nov 1997 09:55:06 -0800"),
    ("21 Nov 1997 09:55:06 PDT", "Fri, 21 Nov 1997 09:55:06 -0700"),
    ("21 Nov 1997 09:55:06 Z", "Fri, 21 Nov 1997 09:55:06 +0000"),
    ("21 Nov 1997 09:55:06 A", "Fri, 21 Nov 1997 09:55:06 +0000"),
    ("21 Nov 1997 09:55:06 CEST", "Fri, 21 Nov 1997 09:55:06 +0000"),
    ("21 Nov 1997 09:55EST", "Fri, 21 Nov 1997 09:55:00 -0500"),
    ("Fri , 21 Nov 1997 09 : 55 : 06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    (
        "(a) Fri (b), 21 (c) Nov (d(e)) 1997 (f) 09 (g) : 55 (h) : 06 (i) -0600",
        "Fri, 21 Nov 1997 09:55:06 -0600",
    ),
    ("Fri, 21 Nov 1997 09:55:06 -0600 (CST (Chicago))", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("Thu, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),  # it was no Thursday
    ("Fri, 21 Nov 001997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("Fri, 21\r\n \r\n Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ("Fri, 21 Nov 1997 09:55:06 -0600\r\n ", "Fri, 21 Nov 1997 09:55:06 -0600"),
]
BEYOND_US = [  # legal, and kept as they are, but no moments that we could write
    "Fri, 21 Nov 1997 09:55:06 -9900",
    "Fri, 31 Dec 9999 23:59:60 +0000",
]
REFUSED = [
    "",
    "now",
    "Fri Nov 21 09:55:06 1997",
    "1997-11-21T09:55:06-06:00",
    "Fri, 21-Nov-1997 09:55:06 -0600",
    "Fri 21 Nov 1997 09:55:06 -0600",
    "Foo, 21 Nov 1997 09:55:06 -0600",
    "Fri, 21 Nov 1997 09:55:06",
    "Fri, 21 Nov 1997 09:55:06 -06:00",
    "Fri, 21 Nov 1997 09:55:06 -0660",
    "Fri, 21 Nov 1997 09:55:06 +0000 EST",
    "Fri, 21 Nov 1997 -0600",
    "Fri, 21 Nov 1997 9:55:06 -0600",
    "Fri, 21 Nov 1997 24:00:00 -0600",
    "Fri, 21 Nov 1997 09:60:00 -0600",
    "Fri, 21 Nov 1997 09:55:61 -0600",
    "Fri, 0 Nov 1997 09:55:06 -0600",
    "Fri, 31 Nov 1997 09:55:06 -0600",
    "Mon, 29 Feb 1999 09:55:06 -0600",
    "Fri, 211 Nov 1997 09:55:06 -0600",
    "Fri, 21 Nov 7 09:55:06 -0600",
    "Fri, 21 Nov 1899 09:55:06 -0600",
    "Fri, 21 Nov 10000 09:55:06 -0600",
    f"Fri, 21 Nov {'9' * 5000} 09:55:06 -0600",
    "Fri, 21 Nov 1997 09:55:06 -0600 (CST",
    "Fri, 21 Nov 1997 09:55:06 -0600, Fri, 21 Nov 1997 09:55:06 -0600",
    "Fri, 21 Nov 1997 09:55:06 -0600\0",
    "Fri, 21 Nov 1997 09:55:06 -0600\r\n",
    "Fri, ٢١ Nov 1997 09:55:06 -0600",
    "\u017fat, 22 Nov 1997 09:55:06 -0600",  # a long s
    '"Fri", 21 Nov 1997 09:55:06 -0600',
]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_B10_valid_dates_are_known_as_such(text: str, canonical: str) -> None:
    assert is_canonical_date(text.encode())
    assert format_date(parse_date(text)) == canonical


@pytest.mark.parametrize(("text", "canonical"), MENDED)
def test_B10_B18_obsolete_dates_are_written_anew_and_mean_the_same(text: str, canonical: str) -> None:
    assert not is_canonical_date(text.encode())
    assert format_date(parse_date(text)) == canonical
    assert is_canonical_date(f" {canonical}".encode())


@pytest.mark.parametrize("text", BEYOND_US + REFUSED)
def test_B10_what_is_no_date_is_refused(text: str) -> None:
    assert is_canonical_date(text.encode()) is (text in BEYOND_US)
    with pytest.raises(FieldError) as caught:
        parse_date(text)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


def test_B10_the_instant_is_the_same() -> None:
    assert parse_date("Fri, 21 Nov 97 09:55 EST") == datetime(1997, 11, 21, 14, 55, tzinfo=UTC)


FIRST = datetime(1900, 1, 2, tzinfo=UTC)
MOMENTS = st.integers(0, 8_000 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))
MINUTES = st.integers(-1439, 1439)


@given(MOMENTS, MINUTES)
def test_format_and_parse_are_inverses(moment: datetime, minutes: int) -> None:
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    written = format_date(moment)
    assert parse_date(written) == moment
    assert parse_date(written).utcoffset() == moment.utcoffset()
    assert is_canonical_date(written.encode())


@given(MOMENTS, MINUTES, st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]))
def test_B10_a_wrong_weekday_is_seen(moment: datetime, minutes: int, weekday: str) -> None:
    written = format_date(moment.replace(tzinfo=timezone(timedelta(minutes=minutes))))
    assert is_canonical_date(f"{weekday}{written[3:]}".encode()) is written.startswith(weekday)
