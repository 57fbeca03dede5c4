"""The channel's records: whole, in any cut, from this version only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.remote.jobs import (
    MOST_RECORD_OCTETS,
    Ahead,
    Answered,
    Done,
    Drain,
    FromScheduler,
    Hello,
    Job,
    JobContent,
    JobRecipient,
    RecordError,
    RecordReader,
    Returned,
    Settings,
    Unreached,
    read_from_client,
    read_from_scheduler,
    write_record,
)

ANSWER = Answered("deferred", 451, "4.4.1", ("Not now", "é\x00"), "mx.example")
JOB = Job(
    7,
    "there.example",
    3,
    "Q",
    ("jo\x00e", "here.example"),
    "8BITMIME",
    True,
    "HDRS",
    "x+20",
    (JobRecipient(("mary", "there.example"), "NEVER", "rfc822;x"),),
    JobContent(3, b"\x00\xff" * 16, b"\x00\r\n\xff", None),
)


@given(st.data())
def test_records_come_out_as_they_went_in_however_they_are_cut(data):
    values: list[FromScheduler] = [Hello(), Settings("/a", "é"), JOB, Drain()]
    octets = b"".join([write_record(value) for value in values])
    cuts = sorted(data.draw(st.sets(st.integers(0, len(octets)), max_size=8)))
    reader = RecordReader()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        found += [read_from_scheduler(record) for record in reader.feed(octets[begin:end])]
    assert found == values


@pytest.mark.parametrize(
    "value",
    [
        Hello(),
        Ahead(1, (2,), (ANSWER,)),
        Done(1, (ANSWER,), True),
        Unreached(2, ANSWER),
        Returned(3),
    ],
)
def test_what_a_client_says_is_understood(value):
    (record,) = RecordReader().feed(write_record(value))
    assert read_from_client(record) == value


def test_another_version_is_not_spoken_with():
    (record,) = RecordReader().feed(write_record(Hello("0.0.0")))
    with pytest.raises(RecordError, match=r"the other end 0\.0\.0"):
        read_from_client(record)


@given(st.binary(max_size=64))
def test_nonsense_is_an_error_and_nothing_else(octets):
    for read in (read_from_client, read_from_scheduler):
        try:
            read(octets)
        except RecordError:
            continue


def test_a_record_that_is_too_long_is_refused_before_it_is_there():
    with pytest.raises(RecordError, match="octets is announced"):
        list(RecordReader().feed((MOST_RECORD_OCTETS + 1).to_bytes(4, "big")))
