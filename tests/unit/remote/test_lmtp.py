"""A lane that speaks LMTP, over TCP and UNIX sockets: each recipient by its own reply (F-14, RFC 2033)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from paperpath.mail.reply import Reply
from paperpath.remote.contact import AnyHop, Hop, SocketHop
from paperpath.remote.jobs import Done, FromClient, Job, Unreached
from paperpath.remote.route import Route, Security
from paperpath.smtp.observer import NOBODY, Observer
from paperpath.testing.sink import Sink
from paperpath.testing.sink_options import SinkOptions
from tests.support.lane import CONTENT, LaneBench, answer, answers, carry_one, make_job, play, until

REQUIRED = Route("x.example", (), Security("require"))


class Overheard:
    """The verbs that we said, in order."""

    def __init__(self) -> None:
        self.verbs: list[str] = []

    def see_command(self, verb: str) -> None:
        self.verbs.append(verb.partition(" ")[0])

    def see_reply(self, reply: Reply) -> None:
        pass


def hop_to(sink: Sink) -> AnyHop:
    if sink.options.socket is not None:
        return SocketHop(str(sink.options.socket))
    return Hop("store.x.example", "127.0.0.1", sink.port, is_lmtp=True)


async def carry(
    options: SinkOptions, *jobs: Job, observer: Observer = NOBODY, **more: Any
) -> tuple[list[FromClient], Sink]:
    async with Sink(options) as sink:
        bench = LaneBench([hop_to(sink)], observer=observer, **more)
        said = await bench.carry(*jobs)
        await bench.end()
    return said, sink


def test_F14_each_recipient_has_its_own_reply_and_those_without_one_are_tried_again():
    job = make_job(1, "joe", "452-at-dot", "550-at-dot", "disconnect-at-dot", "ann")
    (value,), sink = play(lambda: carry(SinkOptions(lmtp=True), job))
    assert [(one.what, one.code) for one in answers(value)] == [
        ("delivered", 250),
        ("deferred", 452),
        ("failed", 550),
        ("deferred", 451),
        ("deferred", 451),
    ]
    assert isinstance(value, Done)
    assert value.is_refused
    assert [one.host for one in answers(value)] == ["store.x.example"] * 3 + [""] * 2
    assert [taken.recipients[0].address for taken in sink.taken] == ["joe@x.example"]
    assert sink.books.connections == 1  # the next host is not asked what may have been taken here
    assert sink.violations == []


def test_F14_replies_count_while_others_are_waited_for():
    async def run() -> LaneBench:
        async with Sink(SinkOptions(lmtp=True, limits="RCPTMAX=3")) as sink:
            bench = LaneBench([hop_to(sink)])
            job = make_job(1, "joe", "550-at-dot", "stall-at-dot", "ann", "550-at-dot", "stall-at-dot.b")
            bench.lane.add(job)
            await until(lambda: bench.ahead)
            assert not bench.said
            await bench.hear(job)
            await bench.end()
        return bench

    bench = play(run)
    told = [
        (ahead.number, place, one.code)
        for ahead in bench.ahead
        for place, one in zip(ahead.places, ahead.answers, strict=True)
    ]
    assert told[:2] == [(1, 0, 250), (1, 1, 550)]
    assert [one.code for one in answers(bench.said[0])[:3]] == [250, 550, 451]
    again = {place: code for _, place, code in told[2:]}  # over another connection
    assert again == {3: 250, 4: 550}


def test_F14_what_comes_with_the_last_reply_is_not_told_twice():
    async def run() -> LaneBench:
        async with Sink(SinkOptions(lmtp=True)) as sink:
            bench = LaneBench([hop_to(sink)])
            await bench.carry(make_job(1, "joe", "550-at-dot", "ann"))
            await bench.end()
        return bench

    bench = play(run)
    assert [one.code for one in answers(bench.said[0])] == [250, 550, 250]
    assert bench.ahead == []


def test_F14_LHLO_is_said_and_never_EHLO_or_HELO():
    overheard = Overheard()
    (value,), sink = play(lambda: carry(SinkOptions(lmtp=True), make_job(1), observer=overheard))
    assert answer(value).what == "delivered"
    assert answer(value).is_final
    assert overheard.verbs == ["LHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"]
    assert sink.violations == []


def test_F14_a_host_that_speaks_SMTP_gets_nothing_and_no_mail_goes_back():
    overheard = Overheard()
    (value,), sink = play(lambda: carry(SinkOptions(), make_job(1), observer=overheard))
    assert isinstance(value, Unreached)
    assert (value.answer.what, value.answer.code) == ("deferred", 451)
    assert "The peer does not speak LMTP; it said: 500" in value.answer.lines[0]
    assert overheard.verbs == ["LHLO", "QUIT"]
    assert sink.books.transactions == 0


def test_F14_G32_a_UNIX_socket_is_spoken_with_in_the_clear_over_one_connection(tmp_path: Path):
    options = SinkOptions(lmtp=True, socket=tmp_path / "lmtp", tls=True)
    jobs = [make_job(number, "joe", f"550-at-dot.{number}") for number in range(5)]
    overheard = Overheard()
    said, sink = play(lambda: carry(options, *jobs, observer=overheard, route=REQUIRED))
    assert [[one.code for one in answers(value)] for value in said] == [[250, 550]] * 5
    assert {one.host for value in said for one in answers(value)} == {f"unix:{tmp_path}/lmtp"}
    assert [taken.content for taken in sink.taken] == [CONTENT] * 5
    assert sink.books.connections == 1
    assert "STARTTLS" not in overheard.verbs
    assert sink.violations == []


@pytest.mark.parametrize("is_offered", [True, False])
def test_F14_G35_over_TCP_the_policy_of_TLS_holds(is_offered):
    overheard = Overheard()
    options = SinkOptions(lmtp=True, tls=is_offered)
    (value,), sink = play(lambda: carry(options, make_job(1), observer=overheard, route=REQUIRED))
    if is_offered:
        assert answer(value).what == "delivered"
        assert overheard.verbs[:4] == ["LHLO", "STARTTLS", "LHLO", "MAIL"]
        assert sink.taken[0].tls.startswith("TLSv1.")
    else:
        assert isinstance(value, Unreached)
        assert sink.books.transactions == 0


def test_F14_hosts_are_tried_in_their_order_and_a_socket_that_is_missing_is_passed_over(tmp_path: Path):
    async def run() -> tuple[FromClient, FromClient, Sink]:
        missing = SocketHop(str(tmp_path / "missing"))
        alone = await carry_one([missing], make_job(1))
        async with Sink(SinkOptions(lmtp=True)) as sink:
            return alone, await carry_one([missing, hop_to(sink)], make_job(2)), sink

    alone, value, sink = play(run)
    assert isinstance(alone, Unreached)
    assert alone.answer.what == "deferred"
    assert alone.answer.lines[0].startswith(f"Cannot connect to unix:{tmp_path}/missing: No such file")
    assert (answer(value).what, answer(value).host) == ("delivered", "store.x.example")
    assert len(sink.taken) == 1


def test_F14_G24_G27_extensions_are_used_as_by_SMTP():
    recipient = make_job(1).recipients[0]
    asking = type(recipient)(recipient.address, "SUCCESS", "rfc822;j@x.example")
    job = make_job(1, content="Grüße\r\n".encode(), ret="HDRS", envid="e", body="", recipients=(asking,))
    (value, big), sink = play(
        lambda: carry(SinkOptions(lmtp=True, size=100), job, make_job(2, content=b"x" * 98 + b"\r\n\r\n"))
    )
    assert answer(value).takes_over
    (taken,) = sink.taken
    assert taken.parameters == ("SIZE=9", "BODY=8BITMIME", "RET=HDRS", "ENVID=e")
    assert taken.recipients[0].parameters == ("NOTIFY=SUCCESS", "ORCPT=rfc822;j@x.example")
    assert (answer(big).what, answer(big).status) == ("failed", "5.3.4")
    assert sink.books.transactions == 1
    assert sink.violations == []


def test_E16_whoever_had_the_message_before_is_refused_and_the_others_get_it_as_it_is():
    content = b"Return-Path: <x@y.example>\r\nDelivered-To: <joe@X.example>\r\nSubject: x\r\n\r\nHi\r\n"
    job = make_job(1, "joe", "ann", "Joe", content=content)
    (value,), sink = play(lambda: carry(SinkOptions(lmtp=True), job))
    assert [(one.what, one.status) for one in answers(value)] == [
        ("failed", "5.4.6"),
        ("delivered", "2.0.0"),
        ("delivered", "2.0.0"),
    ]
    assert answers(value)[0].host == ""
    assert {taken.content for taken in sink.taken} == {content}  # the server adds what belongs on top
    assert sink.violations == []


def test_E16_what_an_account_had_is_not_handed_over_again_by_its_rule_however_it_is_spelt():
    job = make_job(1, "joe+x", "Joe", content=b"Delivered-To: joe@x.example\r\n\r\nHi\r\n")
    first, second = job.recipients
    ruled = msgspec.structs.replace(first, ruler=("joe", "x.example"))
    job = msgspec.structs.replace(job, recipients=(ruled, second))
    (value,), _ = play(lambda: carry(SinkOptions(lmtp=True), job))
    assert [(one.what, one.status) for one in answers(value)] == [
        ("failed", "5.4.6"),
        ("delivered", "2.0.0"),
    ]


def test_X3_by_SMTP_nobody_looks_where_a_message_was_delivered():
    job = make_job(1, "joe", content=b"Delivered-To: joe@x.example\r\n\r\nHi\r\n")

    async def run() -> tuple[FromClient, Sink]:
        async with Sink() as sink:
            return await carry_one([sink.port], job), sink

    value, sink = play(run)
    assert answer(value).what == "delivered"
    assert len(sink.taken) == 1
