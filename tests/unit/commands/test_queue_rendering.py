"""What an operator reads: nothing in the queue reaches the terminal raw (S-6), and nothing is left out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.commands.queue_rendering import (
    Listing,
    entry_json,
    escape_octets,
    fact_lines,
    format_moment,
    message_facts,
    message_json,
    recipient_facts,
    summary_json,
    summary_line,
)
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Client, SenderParameters
from paperpath.maildrop.values import ClaimedMessage, Content, QueueEntry, QueueSummary, State
from tests.unit.commands.desk import Desk

NOW_US = 1_800_000_000_000_000
TEXT = st.text(st.characters(), max_size=20)
ENTRIES = st.builds(
    QueueEntry,
    **dict.fromkeys(
        ("queue_id", "sender", "return_path", "address", "accepted_address", "transport", "destination"), TEXT
    ),
    **dict.fromkeys(
        ("last_reply", "route_override", "origin", "notify", "orcpt", "account", "suspension"), TEXT
    ),
    **dict.fromkeys(("due_us", "arrived_us"), st.integers(-(2**63), 2**63 - 1)),
    recipient_id=st.integers(1, 2**40),
    state=st.sampled_from([state for state in State if state is not State.SETTLED]),
    attempts=st.integers(0, 100),
    size=st.integers(0, 2**40),
    message_id=st.integers(1, 2**40),
    expanded_via=st.lists(TEXT, max_size=3).map(tuple),
)
HOSTILE = "\x1b[2J\u202e\x9b1m\r\n\x00\u2028"
ENTRY = QueueEntry(
    7,
    "0QID",
    "sender@else.example",
    "sender@else.example",
    "joe@here.example",
    "joe@here.example",
    State.READY,
    "local",
    "here.example",
    NOW_US + 3_600_000_000 * 3,
    2,
    "452 4.2.2 The mailbox is full",
    1_700_000_000_000_000,
    1234,
    (),
    "",
    "relay",
    "",
    "",
    "",
    3,
    "",
)


def uncoloured(line: str) -> str:
    for code in ("\x1b[0m", "\x1b[1m", *(f"\x1b[{colour}m" for colour in range(30, 38))):
        line = line.replace(code, "")
    return line


def is_harmless(line: str) -> bool:
    return line.isascii() and line.isprintable()


@given(ENTRIES)
def test_S6_no_entry_leaves_its_lines_or_reaches_the_terminal_raw(entry: QueueEntry) -> None:
    lines = list(Listing(NOW_US).lines([entry, entry]))
    assert len(lines) == 3 + 2 * bool(entry.last_reply)
    lines += [*fact_lines(recipient_facts(entry, NOW_US)), entry_json(entry)]
    assert [line for line in map(uncoloured, lines) if not is_harmless(line)] == []


@given(TEXT, TEXT, TEXT, st.integers(-(2**63), 2**63 - 1))
def test_S6_nor_does_a_line_of_the_summary(
    transport: str, destination: str, reason: str, time_us: int
) -> None:
    summary = QueueSummary(State.HELD, transport, destination, 5, time_us, time_us, reason)
    assert is_harmless(uncoloured(summary_line(summary, NOW_US)))
    assert is_harmless(summary_json(summary))


@given(TEXT, TEXT, TEXT)
def test_S6_nor_does_what_a_client_said(one: str, other: str, third: str) -> None:
    client = Client(one, 25, other, third, one, other, third)
    asked = SenderParameters(one, True, other, third)
    content = Content(3, b"d" * 32, None, Path(one.replace("\0", "") or "x"))
    message = ClaimedMessage(1, other, Mailbox(one, third), asked, 5, content, client=client)
    lines = [*fact_lines(message_facts(message, NOW_US)), message_json(message)]
    assert [line for line in lines if not is_harmless(line)] == []


PIECES = st.sampled_from([b"\r", b"\n", b"\\", b"r", b"\x1b", b"\x9b", b"\0"]) | st.binary(max_size=3)


@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b"a\r\nb\r\r\n\\r\n")
def test_S6_content_is_escaped_the_same_at_every_cut_and_can_be_told_apart(octets: bytes) -> None:
    text = "".join(escape_octets([octets]))
    for cut in range(len(octets) + 1):
        assert text == "".join(escape_octets([octets[:cut], octets[cut:]]))
    assert all(is_harmless(line) for line in text.split("\n"))
    lines = [line.encode("ascii").decode("unicode_escape").encode("latin-1") for line in text.split("\n")]
    assert b"\r\n".join(lines) == octets


def test_a_listing_reads_like_this() -> None:
    other = replace(ENTRY, recipient_id=8, address="ann@here.example", state=State.UNSORTED)
    lines = [uncoloured(line) for line in Listing(NOW_US).lines([ENTRY, other])]
    assert lines == [
        "0QID             2023-11-14T22:13:20Z       1234  sender@else.example",
        "  ready     joe@here.example, local to here.example, 2 attempts, again in 3 h",
        "            '452 4.2.2 The mailbox is full'",
        "  unsorted  ann@here.example, accepted as joe@here.example, local to here.example, 2 attempts",
        "            '452 4.2.2 The mailbox is full'",
    ]
    (first, *_) = Listing(NOW_US).lines([replace(ENTRY, account="ann@here.example")])
    assert first.endswith("  sender@else.example, by ann@here.example")
    (first, *_) = Listing(NOW_US).lines([replace(ENTRY, account=ENTRY.sender)])
    assert first.endswith("  sender@else.example")


def test_a_page_goes_on_with_the_message_of_the_one_before() -> None:
    listing = Listing(NOW_US)
    first = list(listing.lines([ENTRY]))
    assert list(listing.lines([ENTRY])) == first[1:]


@pytest.mark.parametrize("time_us", [10**30, -(10**30)])
def test_a_time_that_no_calendar_has_is_a_number(time_us: int) -> None:
    assert format_moment(time_us) == str(time_us)


def test_D8_show_tells_all_that_the_envelope_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, monkeypatch)
    queue_id = desk.put(
        '"a \\"b\\" \\\\c"@here.example',
        "jörg@bücher.example",
        sender=Mailbox("o\u202ene", "else.example"),
        client=Client(
            "2001:db8::1", 54321, HOSTILE, "UTF8SMTPSA", "TLSv1.2 " + HOSTILE, "privileged", f"j{HOSTILE}"
        ),
        parameters=SenderParameters("8BITMIME", True, "HDRS", "QQ+2B314159"),
        notify="SUCCESS,DELAY",
        orcpt="rfc822;Joe+40x",
        octets=b"Subject: \x1b[2J\r\n\r\nbody \\ \xff\r\n",
    )
    text = desk.run("show", queue_id, "--content")
    assert text.exit_code == 0
    assert all(is_harmless(line) for line in text.output.split("\n"))
    for value in (
        queue_id,
        "2001:db8::1 port 54321",
        ascii(HOSTILE),
        "UTF8SMTPSA",
        f"TLS           {'TLSv1.2 ' + HOSTILE!a}",
        "service       privileged",
        f"account       {'j' + HOSTILE!a}",
        "BODY          8BITMIME",
        "SMTPUTF8      yes",
        "RET           HDRS",
        "QQ+2B314159",
        "'<o\\u202ene@else.example>'",
        "SUCCESS,DELAY",
        "rfc822;Joe+40x",
        """'"a \\\\"b\\\\" \\\\\\\\c"@here.example'""",
        "'j\\xf6rg@b\\xfccher.example'",
        "Subject: \\x1b[2J",
        "body \\\\ \\xff",
    ):
        assert value in text.output, value
    assert "body" not in desk.run("show", queue_id, "--header").output
    message, *recipients = map(json.loads, desk.run("show", queue_id, "--json").output.splitlines())
    assert message["client"] == {
        "address": "2001:db8::1",
        "port": 54321,
        "hello": HOSTILE,
        "protocol": "UTF8SMTPSA",
        "tls": "TLSv1.2 " + HOSTILE,
        "service": "privileged",
        "account": f"j{HOSTILE}",
    }
    assert message["parameters"]["envid"] == "QQ+2B314159"
    assert [one["notify"] for one in recipients] == ["SUCCESS,DELAY"] * 2
    raw = desk.run("show", queue_id, "--content", "--raw")
    assert raw.stdout_bytes == b"Subject: \x1b[2J\r\n\r\nbody \\ \xff\r\n"
