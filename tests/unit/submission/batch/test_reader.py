"""Batches processed: what is taken, what is reported, where one ends (RFC 2442, J-22, J-23, J-25, J-27)."""

import asyncio
import gc
import re
import tracemalloc
from pathlib import Path

import pytest

from paperpath.journal.events import Accepted, BrokenOff, MessageRefused, Refused, Reported
from paperpath.maildrop.memory import MemoryMaildrop
from paperpath.maildrop.values import NewMessage
from tests.unit.submission.batch.setting import Setting, message, octets_of

HELLO = b"EHLO batch.example\r\n"
QUIT = b"QUIT\r\n"


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_J22_a_batch_of_five_with_all_that_must_be_taken(setting: Setting) -> None:
    asked = (
        b"MAIL FROM:<joe@here.example> BODY=8BITMIME SIZE=1000 RET=HDRS ENVID=QQ314\r\n"
        b"RCPT TO:<u@here.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;u@here.example\r\n"
        b"DATA\r\nSubject: 2\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n\xe4\r\n.\r\n"
    )
    batch = [
        b"HELO batch.example\r\n" + message("1"),
        HELLO + asked,
        b"NOOP\r\nVRFY x\r\nMAIL FROM:<joe@here.example>\r\nRCPT TO:<u@here.example>\r\nRSET\r\n"
        + message("3"),
        message("4", "x@else.example", "u@here.example", sender=""),
        message("5", body=(b"..", b"..more", b"end")),
    ]
    assert setting.run(b"".join(batch)) == 0
    assert setting.trouble == ""
    assert setting.tally.accepted == 5
    assert setting.subjects == ["1", "2", "3", "4", "5"]
    second, fourth, fifth = setting.taken[1], setting.taken[3], setting.taken[4]
    assert (second.parameters.body, second.parameters.ret, second.parameters.envid) == (
        "8BITMIME",
        "HDRS",
        "QQ314",
    )
    asked_for = next(one for one in setting.store.recipients.values() if one.message_id == second.id)
    assert (asked_for.notify, asked_for.orcpt) == ("SUCCESS,FAILURE", "rfc822;u@here.example")
    assert fourth.sender is None
    assert setting.recipients_of(fourth) == ["x@else.example", "u@here.example"]
    assert octets_of(fifth).endswith(b"\r\n\r\n.\r\n.more\r\nend\r\n")
    assert b"(Paperpath, from user joe, uid 1000)\r\n with SMTP id" in octets_of(setting.taken[0])
    assert b"with ESMTP id" in octets_of(second)
    assert sum(isinstance(event, Accepted) for event in setting.events) == 5
    assert setting.reports == []


def test_J23_who_cannot_have_it_is_reported_and_the_others_get_it(setting: Setting) -> None:
    bad = ("nobody", "u@here.example", "x@one-label")
    assert setting.run(HELLO + message("1", *bad) + message("2") + QUIT) == 0
    assert setting.subjects == ["1", "2"]
    assert setting.recipients_of(setting.taken[0]) == ["u@here.example"]
    assert setting.reports == [("joe@here.example", ["nobody@here.example 5.1.1", "x@one-label 5.1.3"])]
    assert {event.argument for event in setting.events if isinstance(event, Refused)} == {
        "TO:<nobody>",
        "TO:<x@one-label>",
    }
    (reported,) = (event for event in setting.events if isinstance(event, Reported))
    assert reported.recipients == ("nobody@here.example", "x@one-label")


def test_J22_J23_content_is_taken_for_nobody_who_is_valid(setting: Setting) -> None:
    assert setting.run(HELLO + message("1", "nobody@here.example", body=(b"QUIT",)) + message("2")) == 0
    assert setting.subjects == ["2"]
    assert setting.reports == [("joe@here.example", ["nobody@here.example 5.1.1"])]
    assert (setting.tally.accepted, setting.tally.returned) == (1, 1)


def test_J23_nobody_is_told_who_does_not_want_to_be(setting: Setting) -> None:
    asked = message("1", "nobody@here.example").replace(
        b"nobody@here.example>", b"nobody@here.example> NOTIFY=NEVER"
    )
    assert setting.run(HELLO + asked + message("2", "nobody@here.example", sender="")) == 0
    assert setting.reports == [("admin@here.example", ["nobody@here.example 5.1.1"])]


def test_J23_a_sender_who_is_refused_is_no_address_to_report_to(tmp_path: Path) -> None:
    setting = Setting(tmp_path, more="own_senders = true")
    assert setting.run(HELLO + message("1", sender="boss@else.example") + message("2")) == 0
    assert setting.subjects == ["2"]
    assert setting.reports == [("admin@here.example", ["u@here.example 5.7.1"])]


def test_J23_A30_what_is_too_big_goes_back_and_what_is_not_comes(setting: Setting) -> None:
    line = b"x" * 998
    fits, exceeds = (line,) * 65, (line,) * 66
    sized = message("3").replace(b"joe@here.example>", b"joe@here.example> SIZE=99999999999999999999")
    assert (
        setting.run(HELLO + message("1", body=fits) + message("2", body=exceeds) + sized + message("4")) == 0
    )
    assert setting.subjects == ["1", "4"]
    assert setting.reports == [("joe@here.example", ["u@here.example 5.3.4"])] * 2
    (told,) = (event for event in setting.events if isinstance(event, MessageRefused))
    assert told.reply.startswith("552 5.3.4")


def test_A30_commands_may_be_as_long_as_in_a_session_and_no_longer(setting: Setting) -> None:
    noop = b"NOOP " + b"x" * 4089 + b"\r\n"
    recipients = [f"{'l' * 60}{number:04}@{'d' * 60}.{'e' * 60}.example" for number in range(100)]
    assert (
        setting.run(HELLO + noop + message("1", *recipients) + noop.replace(b" ", b" x") + message("2")) == 1
    )
    assert setting.subjects == ["1"]
    assert len(setting.recipients_of(setting.taken[0])) == 100
    assert "500 5.5.2" in setting.trouble


def test_A32_recipients_beyond_the_limit_are_reported(setting: Setting) -> None:
    many = [f"x{number}@else.example" for number in range(103)]
    assert setting.run(HELLO + message("1", *many)) == 0
    assert setting.recipients_of(setting.taken[0]) == many[:100]
    assert setting.reports == [("joe@here.example", [f"{one} 5.5.3" for one in many[100:]])]
    more = [f"x{number}@else.example" for number in range(201)]
    assert setting.run(HELLO + message("2", *more)) == 2  # or memory had no bound
    assert "more recipients" in setting.trouble


def test_J23_content_that_cannot_be_put_into_canonical_form_goes_back(setting: Setting) -> None:
    hops = b"".join(b"Received: by x\r\n" for _ in range(120))
    circling = message("1", "nobody@here.example", "u@here.example").replace(b"Subject:", hops + b"Subject:")
    assert setting.run(HELLO + circling + message("2")) == 0
    assert setting.subjects == ["2"]
    assert [failed for _, failed in setting.reports] == [
        ["nobody@here.example 5.1.1"],
        ["u@here.example 5.4.6"],
    ]
    assert setting.tally.returned == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"FOO\r\n", "500 5.5.1"),
        (b"MAIL FROM:joe\r\n", "501 5.1.7"),
        (b"MAIL FROM:<joe@here.example>\r\nRCPT TO:<u@here.example\r\n", "501 5.1.3"),
        (b"MAIL FROM:<joe@here.example>\r\nDATA\r\nQUIT\r\n", "503 5.5.1"),
        (b"MAIL FROM:<joe@here.example> FOO=1\r\n", "555 5.5.4"),
        (b"STARTTLS\r\n", "502 5.5.1"),
        (b"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", "502 5.5.1"),
        (b"MAIL FROM:<joe@here.example>\r\nRCPT TO:<u@here.example>\r\nBDAT 3 LAST\r\nx\r\n", "BDAT"),
        (b"GET / HTTP/1.1\r\n", "421 4.7.0"),
        (message("x")[:-5], "ends within"),
        (b"MAIL FROM:<joe@here.example>\r\n", "ends within"),
        (b"NOOP", "ends within"),
        (b"QUIT\r\nNOOP\r\n", "follows QUIT"),
        (b"NOOP\nNOOP\r\n", "ends otherwise"),
        (b"NOOP\r", "ends otherwise"),
        (message("x")[:-5] + b"\n.\n" + message("smuggled"), "ends otherwise"),
    ],
)
def test_J25_J27_what_was_not_processed_is_sent_to_the_postmaster(
    setting: Setting, bad: bytes, reason: str
) -> None:
    behind = message("2")
    for pieces in ([HELLO + message("1") + bad + behind], [HELLO + message("1"), bad, behind]):
        rest = bad if "ends within" in reason else bad + behind
        pieces = pieces if rest != bad else [b"".join(pieces).removesuffix(behind)]
        before = len(setting.taken)
        assert setting.run(*pieces) == 1
        assert reason in setting.trouble
        assert setting.trouble.startswith("line ")
        assert setting.rests[-1] == rest
        assert len(setting.taken) - before == (0 if before else 1)
    assert setting.subjects == ["1"]  # which the second run knew


def test_J25_the_line_is_named(setting: Setting) -> None:
    assert setting.run(HELLO + message("1") + b"NOOP\r\nFOO\r\n") == 1
    assert setting.trouble == "line 10: 500 5.5.1 No such command"
    assert [event for event in setting.events if isinstance(event, BrokenOff)] == []
    assert setting.run(HELLO + message("1")[:-5]) == 2
    (broken_off,) = (event for event in setting.events if isinstance(event, BrokenOff))
    assert broken_off.recipients == ("u@here.example",)
    assert setting.run(HELLO + message("1"), b"NOOP\r\nNOOP\n") == 1
    assert setting.trouble.startswith("line 10: ")


def test_J24_J25_nothing_accepted_is_another_exit_code(setting: Setting) -> None:
    assert setting.run(b"MAIL FROM:<joe@here.example>\r\n") == 2
    assert setting.run(b"Subject: no batch\r\n") == 2
    assert setting.run(b"") == 0
    assert setting.run(HELLO + QUIT + b"\r\n \r\n") == 0
    assert setting.taken == []


def test_J25_a_rest_that_is_too_long_is_cut(setting: Setting) -> None:
    rest = b"FOO\r\n" + b"x" * 100_000
    assert setting.run(HELLO, *(rest[place : place + 999] for place in range(0, len(rest), 999))) == 2
    assert setting.rests == [(HELLO + rest)[:65536]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 65536])
def test_J27_with_LF_alone_and_however_it_is_cut_it_is_the_same_mail(tmp_path: Path, size: int) -> None:
    batch = (
        HELLO + message("1", body=(b"..", b"", b"x")) + message("2", "nobody@here.example", "u@here.example")
    )
    for octets in (batch, batch.replace(b"\r\n", b"\n")):
        folder = tmp_path / str(len(octets))
        folder.mkdir()
        setting = Setting(folder)
        pieces = [octets[place : place + size] for place in range(0, len(octets), size)]
        assert setting.run(*pieces) == 0
        assert setting.subjects == ["1", "2"]
        assert octets_of(setting.taken[0]).endswith(b"\r\n\r\n.\r\n\r\nx\r\n")
        assert setting.reports == [("joe@here.example", ["nobody@here.example 5.1.1"])]


@pytest.mark.slow
def test_P6_a_batch_needs_no_more_memory_the_longer_it_is(setting: Setting) -> None:
    class Forgetful(MemoryMaildrop):
        def accept(self, message: NewMessage) -> asyncio.Future[None]:
            accepted = super().accept(message)
            for kept in (self._store.messages, self._store.recipients, self._store.taken, setting.events):
                kept.clear()
            if self._store.last["message"] % 50 == 0:
                gc.collect()
            return accepted

    ten = message("1") * 10

    def find_peak(messages: int) -> int:
        tracemalloc.start()
        try:
            assert setting.run(HELLO, *[ten] * (messages // 10)) == 0
            assert setting.tally.accepted == messages
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    setting.make_maildrop = Forgetful
    few = find_peak(300)
    assert find_peak(900) - few < 30_000


def test_a_report_brings_the_header_back(setting: Setting) -> None:
    assert setting.run(HELLO + message("1", "nobody@here.example")) == 0
    (report,) = setting.store.messages.values()
    assert re.search(rb"message/rfc822\r\n.*Subject: 1\r\n\r\nhello\r\n", octets_of(report), re.DOTALL)
