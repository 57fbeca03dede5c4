"""A lane against sinks that fail in every way: what is said of each job, once, and what is sent meanwhile."""

import asyncio
import gc
import random
from pathlib import Path

import pytest

from paperpath.config.tables import TimeoutsTable
from paperpath.mail.reply import make_reply
from paperpath.remote.connection import Connection, Manner
from paperpath.remote.jobs import Done, Job, JobRecipient, Returned, Unreached
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_settings import ClientSettings
from paperpath.testing.sink import Sink
from paperpath.testing.sink_options import SinkOptions
from paperpath.testing.sink_script import WAYS, Stage
from tests.support.installation import find_free_port
from tests.support.lane import (
    CONTENT,
    LaneBench,
    answer,
    answers,
    carry_one,
    in_file,
    make_job,
    play,
    short_timeouts,
    until,
)

LARGE = b"Subject: x\r\n\r\n" + b"0123456789" * 7 + b"\r\n.dot\r\n"


def large(octets: int) -> bytes:
    return (LARGE * (octets // len(LARGE) + 1))[: octets - 2].rstrip(b"\r\n") + b"\r\n"


def damage(job: Job) -> None:
    file = Path(str(job.content.file))
    file.write_bytes(file.read_bytes().replace(b"0", b"1", 1))


def remove(job: Job) -> None:
    Path(str(job.content.file)).unlink()


# What each way of failing comes to: outcome, code, whether the other side has it, whether it broke off.
ENDINGS = [
    ("joe", "delivered", 250, 1, False),
    ("tempfail", "deferred", 450, 0, False),
    ("permfail", "failed", 550, 0, False),
    ("421", "deferred", 421, 0, True),
    ("disconnect", "deferred", 451, 0, True),
    ("reset", "deferred", 451, 0, True),
    ("stall", "deferred", 451, 0, True),
    ("slow-50ms", "delivered", 250, 1, False),
    ("multiline", "delivered", 250, 1, False),
    ("permfail-at-data", "failed", 550, 0, False),
    ("250-at-data", "deferred", 451, 0, False),
    ("tempfail-at-data", "deferred", 450, 0, False),
    ("disconnect-at-data", "deferred", 451, 0, True),
    ("stall-at-data", "deferred", 451, 0, True),
    ("421-at-content", "deferred", 421, 0, True),
    ("permfail-at-dot", "failed", 550, 0, False),
    ("tempfail-at-dot", "deferred", 450, 0, False),
    ("disconnect-at-dot", "deferred", 451, 0, True),
    ("stall-at-dot", "deferred", 451, 0, True),
    ("disconnect-after-dot", "deferred", 451, 1, True),
    ("lies-bare-code", "delivered", 250, 1, False),
    ("lies-bare-newline", "delivered", 250, 1, False),
    ("lies-two-replies-at-dot", "delivered", 250, 1, True),
    ("lies-mixed-codes", "deferred", 451, 0, True),
    ("lies-garbage", "deferred", 451, 0, True),
    ("lies-endless-reply", "deferred", 451, 0, True),
    ("lies-endless-line", "deferred", 451, 0, True),
    ("lies-354-without-recipients", "failed", 550, 0, False),
    ("lies-250-without-recipients", "failed", 550, 0, False),
]


@pytest.mark.parametrize(("word", "what", "code", "taken", "is_refused"), ENDINGS)
def test_G18_G19_G23_G28_G29_S12_each_way_of_failing(word, what, code, taken, is_refused):
    async def run():
        async with Sink() as sink:
            value = await carry_one([sink.port], make_job(1, word))
            return value, len(sink.taken)

    value, count = play(run)
    found = answer(value)
    assert (found.what, found.code, count) == (what, code, taken)
    assert isinstance(value, Done)
    assert value.is_refused is is_refused


def long_timeouts(**others: float) -> TimeoutsTable:
    """Make timeouts that no test waits for, but for those that are given and QUIT's."""
    names = set(TimeoutsTable.model_fields) - {"quit_s"}
    return short_timeouts(**(dict.fromkeys(names, 100.0) | others))


# Reuse of connections


def test_G32_ten_messages_go_over_one_connection():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            said = await bench.carry(*(make_job(number) for number in range(10)))
            await bench.end()
            return said, sink.books.summarise(), sink.violations

    said, summary, violations = play(run)
    assert [answer(value).what for value in said] == ["delivered"] * 10
    assert (summary.connections, summary.messages, summary.surplus) == (1, 10, 9)
    assert violations == []


@pytest.mark.parametrize(
    ("options", "table"), [({"limits": "MAILMAX=3"}, {}), ({}, {"messages_per_connection": 3})]
)
def test_G32_G33_after_three_messages_a_new_connection(options, table):
    async def run():
        async with Sink(SinkOptions(**options)) as sink:
            bench = LaneBench([sink.port], **table)
            said = await bench.carry(*(make_job(number) for number in range(10)))
            await bench.end()
            return said, sink.books.summarise(), sink.violations

    said, summary, violations = play(run)
    assert {answer(value).what for value in said} == {"delivered"}
    assert (summary.connections, summary.messages) == (4, 10)
    assert violations == []


def test_G32_a_refused_message_does_not_end_the_connection():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            words = ["permfail", "tempfail-at-data", "permfail-at-dot", "joe"]
            said = await bench.carry(*(make_job(number, word) for number, word in enumerate(words)))
            await bench.end()
            return said, sink.books.summarise(), sink.violations

    said, summary, violations = play(run)
    assert [answer(value).what for value in said] == ["failed", "deferred", "failed", "delivered"]
    assert (summary.connections, summary.messages) == (1, 1)
    assert violations == []


def test_G32_an_idle_connection_is_given_up_after_a_while_in_order():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=0.05)
            await bench.carry(make_job(1))
            await bench.lane.wait_empty()
            return sink.violations

    assert play(run) == []  # leaving without QUIT would be one


@pytest.mark.parametrize("word", ["disconnect-at-idle", "421-at-idle", "reset-at-idle"])
def test_G32_an_idle_connection_that_was_closed_is_replaced_at_once(word):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=5.0)
            said = await bench.carry(make_job(1, word))
            said += await bench.carry(make_job(2))
            await bench.end()
            return said, sink.books.summarise()

    said, summary = play(run)
    assert [answer(value).what for value in said] == ["delivered"] * 2
    assert not said[1].is_refused
    assert (summary.connections, summary.messages) == (2, 2)


@pytest.mark.parametrize("word", ["disconnect-at-idle", "421-at-idle", "reset-at-idle"])
def test_G32_a_connection_that_closes_under_the_next_message_is_replaced_at_once(word):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            said = await bench.carry(make_job(1, word), make_job(2))
            await bench.end()
            return said, sink.books.summarise()

    said, summary = play(run)
    assert [answer(value).what for value in said] == ["delivered"] * 2
    assert (summary.connections, summary.messages) == (2, 2)


def test_G32_a_host_that_closes_each_connection_under_the_second_message_is_not_tried_for_ever():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=5.0)
            await bench.carry(make_job(1))
            (value,) = await bench.carry(make_job(2, sender="disconnect@b.example"))
            await bench.end()
            return value, sink.books.summarise()

    value, summary = play(run)
    assert (answer(value).what, value.is_refused) == ("deferred", True)
    assert (summary.connections, summary.messages) == (2, 1)


@pytest.mark.parametrize("word", ["lies-two-replies", "421-at-idle"])
def test_P2_what_was_taken_is_not_sent_again_for_what_is_said_behind_it(word):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            await bench.carry(make_job(1))
            said = await bench.carry(make_job(2, f"{word}-at-dot" if "lies" in word else word))
            await bench.end()
            return said, sink.books.messages

    said, messages = play(run)
    assert (answer(said[0]).what, messages) == ("delivered", 2)


def test_G32_a_host_that_closes_each_connection_before_the_first_message_is_not_tried_for_ever():
    async def close_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x.example\r\n")
        await reader.readline()
        writer.write(b"250 x.example\r\n")
        writer.close()

    async def run():
        async with await asyncio.start_server(close_early, "127.0.0.1", 0) as server:
            bench = LaneBench([server.sockets[0].getsockname()[1]])
            said = await bench.carry(*(make_job(number) for number in range(3)))
            await bench.end()
            return said, bench.searches

    said, searches = play(run)
    assert [(answer(value).what, value.is_refused) for value in said] == [("deferred", True)] * 3
    assert searches <= 6


def test_G17_G33_a_connection_for_each_domain_where_RCPTDOMAINMAX_wants_it():
    recipients = tuple(JobRecipient(("joe", f"d{number}.example"), "", "") for number in range(3))

    async def run():
        async with Sink(SinkOptions(limits="RCPTDOMAINMAX=1")) as sink:
            value = await carry_one([sink.port], make_job(1, recipients=recipients))
            return value, sink.books.summarise(), sink.violations

    value, summary, violations = play(run)
    assert [found.what for found in answers(value)] == ["delivered"] * 3
    assert (summary.connections, summary.recipients, summary.surplus) == (3, 3, 0)
    assert violations == []


def test_G15_a_host_that_takes_one_connection_only_is_not_asked_for_more_again_and_again():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=1.0)
            bench.lane.add(make_job(1, "slow-250ms", most_connections=5))
            await until(lambda: sink.books.transactions)
            bench.hops = make_reply(451, "4.4.1", "Full")
            more = [make_job(number, most_connections=5) for number in range(2, 8)]
            said = await bench.carry(*more)
            await bench.end()
            return said, bench.searches

    said, searches = play(run)
    assert {answer(value).what for value in said} == {"delivered"}
    assert searches <= 1 + 5


# Many recipients


def test_G17_250_recipients_go_in_three_transactions_where_100_are_taken_at_once():
    names = [f"r{number}" for number in range(250)]

    async def run():
        async with Sink(SinkOptions(recipients=100)) as sink:
            bench = LaneBench([sink.port])
            jobs = [make_job(n, *names[start : start + 100]) for n, start in enumerate((0, 100, 200))]
            said = await bench.carry(*jobs)
            await bench.end()
            return said, sink.books.summarise(), sink.violations

    said, summary, violations = play(run)
    assert [found.what for value in said for found in answers(value)] == ["delivered"] * 250
    assert (summary.connections, summary.messages, summary.recipients, summary.surplus) == (1, 3, 250, 0)
    assert violations == []


def test_G17_G33_as_many_transactions_as_RCPTMAX_wants():
    names = [f"r{number}" for number in range(7)]

    async def run():
        async with Sink(SinkOptions(limits="RCPTMAX=2")) as sink:
            value = await carry_one([sink.port], make_job(1, *names))
            return (
                value,
                [len(taken.recipients) for taken in sink.taken],
                sink.books.summarise(),
                sink.violations,
            )

    value, sizes, summary, violations = play(run)
    assert [found.what for found in answers(value)] == ["delivered"] * 7
    assert sizes == [2, 2, 2, 1]
    assert (summary.connections, summary.surplus) == (1, 0)
    assert violations == []


def test_G17_G33_both_limits_at_once():
    names = [f"r{number}" for number in range(7)]

    async def run():
        async with Sink(SinkOptions(limits="RCPTMAX=2 MAILMAX=1")) as sink:
            value = await carry_one([sink.port], make_job(1, *names))
            return value, sink.books.summarise(), sink.violations

    value, summary, violations = play(run)
    assert [found.what for found in answers(value)] == ["delivered"] * 7
    assert (summary.connections, summary.messages, summary.recipients, summary.surplus) == (4, 4, 7, 0)
    assert violations == []


def test_G29_some_are_taken_some_wait_and_some_fail():
    async def run():
        async with Sink() as sink:
            value = await carry_one([sink.port], make_job(1, "joe", "452", "550", "mary"))
            return value, [[one.address for one in taken.recipients] for taken in sink.taken]

    value, taken = play(run)
    assert [(found.what, found.code) for found in answers(value)] == [
        ("delivered", 250),
        ("deferred", 452),
        ("failed", 550),
        ("delivered", 250),
    ]
    assert taken == [["joe@x.example", "mary@x.example"]]


def test_G14_a_sender_who_is_refused_makes_nobody_else_wait():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            values = await bench.carry(make_job(1, sender="550-at-mail@b.example"), make_job(2))
            return values, len(sink.taken)

    (refused, taken), count = play(run)
    assert (answer(refused).what, answer(refused).code) == ("failed", 550)
    assert answer(taken).what == "delivered"
    assert count == 1


def test_P2_whoever_was_taken_stays_taken_when_the_next_connection_fails():
    async def run():
        async with Sink(SinkOptions(limits="RCPTMAX=1 MAILMAX=1")) as sink:
            bench = LaneBench([sink.port])
            job = make_job(1, "slow-100ms", "mary")
            bench.lane.add(job)
            await until(lambda: sink.books.connections)
            bench.hops = make_reply(451, "4.4.1", "Nobody there")
            (value,) = await bench.hear(job)
            await bench.end()
            return value

    assert [found.what for found in answers(play(run))] == ["delivered", "deferred"]


def test_P2_whoever_was_taken_stays_taken_when_the_client_drains():
    async def run():
        async with Sink(SinkOptions(limits="RCPTMAX=1 MAILMAX=1")) as sink:
            bench = LaneBench([sink.port])
            job = make_job(1, "joe", "slow-100ms-at-greeting")
            bench.lane.add(job)
            await until(lambda: sink.taken)
            while not bench.said:
                bench.lane.drain()
                await asyncio.sleep(0)
            await bench.end()
            return bench.said

    (value,) = play(run)
    assert answers(value)[0].what == "delivered"


# Several hosts


@pytest.mark.parametrize(
    "options",
    [
        {"greeting": "421"},
        {"greeting": "554"},
        {"greeting": "disconnect"},
        {"greeting": "stall"},
        {"greeting": "lies-garbage"},
        {"greeting": "lies-endless-line"},
        {"ehlo": "421"},
        {"ehlo": "tempfail"},
        {"ehlo": "stall"},
        {"ehlo": "reset"},
        None,
    ],
)
def test_G6_G18_G31_whoever_does_not_greet_us_is_passed_over_at_once(options):
    async def run():
        async with Sink(SinkOptions(**(options or {}))) as first, Sink() as second:
            ports = [first.port if options else find_free_port(), second.port]
            value = await carry_one(ports, make_job(1))
            return value, len(first.taken), len(second.taken)

    value, at_first, at_second = play(run)
    found = answer(value)
    assert (found.what, found.host) == ("delivered", "mx2.x.example")
    assert (at_first, at_second) == (0, 1)


def test_G18_an_old_host_is_greeted_with_HELO():
    async def run():
        async with Sink(SinkOptions(helo_only=True)) as sink:
            value = await carry_one([sink.port], make_job(1))
            return value, sink.violations

    value, violations = play(run)
    assert answer(value).what == "delivered"
    assert violations == []


@pytest.mark.parametrize("word", ["550", "450", "550-at-data", "550-at-dot", "disconnect", "stall-at-dot"])
def test_G31_a_second_host_is_not_asked_what_the_first_has_decided(word):
    async def run():
        async with Sink() as first, Sink() as second:
            value = await carry_one([first.port, second.port], make_job(1, word))
            return value, second.books.connections

    value, connections = play(run)
    assert answer(value).what == ("failed" if word.startswith("550") else "deferred")
    assert connections == 0


@pytest.mark.parametrize(
    "word", ["disconnect-after-dot", "stall-after-dot", "reset-after-dot", "lies-garbage-after-dot"]
)
def test_G30_no_reply_to_the_whole_message_is_no_reason_to_send_it_again(word):
    async def run():
        async with Sink() as first, Sink() as second:
            value = await carry_one([first.port, second.port], make_job(1, word))
            return value, first.books.messages, second.books.connections

    value, messages, connections = play(run)
    assert (answer(value).what, messages, connections) == ("deferred", 1, 0)


@pytest.mark.parametrize("word", ["disconnect-after-dot", "reset-after-dot"])
def test_G30_nor_is_it_on_a_connection_that_carried_another_message(word):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=5.0)
            await bench.carry(make_job(1))
            (value,) = await bench.carry(make_job(2, word))
            await bench.end()
            return value, sink.books.summarise()

    value, summary = play(run)
    assert (answer(value).what, summary.messages, summary.connections) == ("deferred", 2, 1)


@pytest.mark.parametrize(
    ("greetings", "what", "code"),
    [
        (("554", "554"), "failed", 554),
        (("554", "421"), "deferred", 421),
        (("421", "554"), "deferred", 421),
        (("554", None), "deferred", 451),
    ],
)
def test_G18_only_if_all_hosts_say_so_it_is_for_good(greetings, what, code):
    async def run():
        first, second = (Sink(SinkOptions(greeting=greeting or "")) for greeting in greetings)
        async with first, second:
            ports = [first.port, second.port if greetings[1] else find_free_port()]
            return await carry_one(ports, make_job(1))

    value = play(run)
    assert isinstance(value, Unreached)
    assert (value.answer.what, value.answer.code) == (what, code)


@pytest.mark.parametrize(("code", "what"), [(451, "deferred"), (550, "failed")])
def test_G3_what_the_DNS_has_decided_is_told_of_all_that_waits(code, what):
    async def run():
        bench = LaneBench(make_reply(code, f"{code // 100}.4.4", "No"))
        said = await bench.carry(*(make_job(number) for number in range(3)))
        await bench.end()
        return said, bench.searches

    said, searches = play(run)
    assert all(isinstance(value, Unreached) for value in said)
    assert [(answer(value).what, answer(value).code) for value in said] == [(what, code)] * 3
    assert searches <= 2


# Time


@pytest.mark.parametrize(
    ("step", "options", "local"),
    [
        ("greeting_s", {"greeting": "stall"}, "joe"),
        ("hello_s", {"ehlo": "stall"}, "joe"),
        ("mail_s", {}, "stall-at-mail"),
        ("rcpt_s", {}, "stall"),
        ("data_s", {}, "stall-at-data"),
        ("end_s", {}, "stall-at-dot"),
    ],
)
def test_G20_each_reply_has_its_own_time(step, options, local):
    """All other limits are far longer: it is this one that ends the wait."""

    async def run():
        async with Sink(SinkOptions(**options)) as sink:
            timeouts = long_timeouts(**{step: 0.1})
            sender = f"{local}@b.example" if step == "mail_s" else "a@b.example"
            recipient = "joe" if step == "mail_s" else local
            return await carry_one([sink.port], make_job(1, recipient, sender=sender), timeouts=timeouts)

    found = answer(play(run))
    assert (found.what, found.code, found.status) == ("deferred", 451, "4.4.2")
    assert "in time" in found.lines[0]
    assert found.host == ""


@pytest.mark.parametrize(("step", "local"), [("write_s", "stall-at-content"), ("end_s", "stall-at-dot")])
def test_G20_a_host_that_stops_in_long_content_or_behind_it_is_given_up(tmp_path, step, local):
    content = large(20 * 2**20)

    async def run():
        async with Sink() as sink:
            job = in_file(make_job(1, local, content=content), tmp_path / "content")
            return await carry_one([sink.port], job, timeouts=long_timeouts(**{step: 0.1}))

    found = answer(play(run))
    assert (found.what, found.status) == ("deferred", "4.4.2")


def test_G20_QUIT_is_not_waited_for_long_and_by_no_other_message_at_all():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=0.02, timeouts=long_timeouts(quit_s=2.0))
            said = await bench.carry(make_job(1, "stall-at-quit", most_connections=2))
            await until(lambda: "stall-at-quit" in sink.books.deeds)
            said += await bench.carry(make_job(2, most_connections=2))
            connections = len(bench.lane._servers)
            await bench.end()
            return said, connections

    said, connections = play(run)
    assert [answer(value).what for value in said] == ["delivered"] * 2
    assert connections == 2  # the first is still waiting for its 221


# Content


def test_P1_G21_odd_content_arrives_octet_for_octet():
    contents = [
        b"",
        b"\r\n",
        b".\r\n",
        b"..\r\n.\r\n",
        b"no line end",
        b".",
        b"x\r\n." * 50_000,
        b"long " * 20_000 + b"\r\n",
        bytes(set(range(256)) - {10, 13}) + b"\r\n",
        "Subject: \u00e9\r\n\r\n\u20ac\r\n".encode(),
    ]

    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            jobs = [make_job(number, content=content) for number, content in enumerate(contents)]
            said = await bench.carry(*jobs)
            await bench.end()
            return said, [taken.content for taken in sink.taken], sink.violations

    said, taken, violations = play(run)
    assert {answer(value).what for value in said} == {"delivered"}
    wanted = [
        content if content.endswith(b"\r\n") or not content else content + b"\r\n" for content in contents
    ]
    assert taken == wanted
    assert violations == []


@pytest.mark.parametrize("chunking", [False, True])
def test_P1_G21_a_large_file_arrives_octet_for_octet(tmp_path, chunking):
    content = large(20 * 2**20)

    async def run():
        async with Sink(SinkOptions(chunking=chunking)) as sink:
            job = in_file(make_job(1, content=content), tmp_path / "content")
            value = await carry_one([sink.port], job)
            return value, sink.taken[0].content == content, sink.violations

    value, is_same, violations = play(run)
    assert (answer(value).what, is_same, violations) == ("delivered", True, [])


@pytest.mark.parametrize("octets", [1000, 20 * 2**20])
@pytest.mark.parametrize("is_missing", [False, True])
def test_P1_damaged_content_never_ends_at_the_other_side(tmp_path, octets, is_missing):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], timeouts=long_timeouts())
            job = in_file(make_job(1, "joe", "mary", content=large(octets)), tmp_path / "content")
            (remove if is_missing else damage)(job)
            (value,) = await bench.carry(job)
            after = await bench.carry(make_job(2))
            await bench.end()
            return value, after, [taken.content for taken in sink.taken]

    value, after, taken = play(run)
    assert [(found.what, found.host) for found in answers(value)] == [("damaged", "")] * 2
    assert [answer(one).what for one in after] == ["delivered"]
    assert taken == [CONTENT]


def test_P1_damaged_content_for_a_host_that_reads_no_more_holds_up_nobody(tmp_path):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            job = in_file(make_job(1, "stall-at-content", content=large(300_000)), tmp_path / "content")
            damage(job)
            (value,) = await bench.carry(job)
            after = await bench.carry(make_job(2))
            await bench.end()
            return value, after

    value, after = play(run)
    assert answer(value).what in ("damaged", "deferred")
    assert answer(after[0]).what == "delivered"


@pytest.mark.parametrize("octets", [b"\n.\n", b"\r.\r", b"\r\n.\r\r\n", b"\r\n\x00.\r\n\n", b"x\n"])
@pytest.mark.parametrize("size", [0, 5 * 2**20])
def test_G22_bare_newlines_are_never_sent(tmp_path, octets, size):
    smuggled = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<joe@x.example>\r\nDATA\r\nx\r\n.\r\n"
    content = large(size + 100) + octets + smuggled

    async def run():
        async with Sink() as sink:
            job = in_file(make_job(1, content=content), tmp_path / "content")
            value = await carry_one([sink.port], job)
            return value, sink.books.summarise()

    value, summary = play(run)
    found = answer(value)
    assert found.what == "failed"
    assert found.status.startswith("5.6.")
    assert (summary.messages, summary.transactions) == (0, 1)
    assert "bare CR or LF" not in summary.violations


@pytest.mark.parametrize("octets", [1000, 20 * 2**20])
def test_P2_nothing_ends_once_nobody_wants_to_know_of_it(tmp_path, octets):
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], timeouts=long_timeouts())
            bench.is_wanted = False
            (value,) = await bench.carry(in_file(make_job(1, content=large(octets)), tmp_path / "content"))
            await bench.end()
            return value, sink.books.messages

    value, messages = play(run)
    assert (answer(value).what, messages) == ("deferred", 0)


@pytest.mark.parametrize(
    ("options", "content", "status"),
    [({"size": 1000}, b"x" * 1998 + b"\r\n", "5.3.4"), ({"eight_bit": False}, b"\xe9\r\n", "5.6.3")],
)
def test_G24_G25_what_a_host_does_not_take_is_not_sent(options, content, status):
    async def run():
        async with Sink(SinkOptions(**options)) as sink:
            value = await carry_one([sink.port], make_job(1, content=content))
            return value, sink.books.transactions, sink.violations

    value, transactions, violations = play(run)
    found = answer(value)
    assert (found.what, found.status, transactions, violations) == ("failed", status, 0, [])


# Everything at once


def test_what_was_not_begun_is_given_back():
    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port])
            jobs = [make_job(number, "slow-100ms") for number in range(5)]
            for job in jobs:
                bench.lane.add(job)
            await until(lambda: sink.books.transactions)
            bench.lane.drain()
            said = await bench.hear(*jobs)
            await bench.end()
            return said, sink.books.messages

    said, messages = play(run)
    assert [type(value) for value in said] == [Done, *[Returned] * 4]
    assert messages == 1


def test_nobody_is_contacted_any_more_when_the_client_ends():
    """What waits behind a host that is silent would otherwise begin a connection that nobody ends."""

    async def run():
        async with Sink(SinkOptions(greeting="stall")) as sink:
            bench = LaneBench([sink.port], timeouts=long_timeouts())
            before = asyncio.all_tasks()
            for number in range(2):
                bench.lane.add(make_job(number))
            await until(lambda: bench.searches)
            servers = asyncio.all_tasks() - before
            for server in servers:
                server.cancel()
            await asyncio.wait(servers)
            await asyncio.sleep(0)
            return asyncio.all_tasks() - before, bench.searches, bench.said

    assert play(run) == (set(), 1, [])


def test_nobody_complains_of_a_session_that_fails_when_nobody_waits_for_it():
    """As where the client ended while it connected."""

    async def connect_and_leave(port: int) -> None:
        core = ClientConnection(ClientSettings("client.example"))
        manner = Manner(long_timeouts(), NotImplemented, lambda: True)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(core, manner), "127.0.0.1", port)
        await until(lambda: connection.broke_at)

    async def run():
        async with Sink(SinkOptions(greeting="disconnect")) as sink:
            await connect_and_leave(sink.port)
            await until(lambda: gc.collect() == 0)

    play(run)


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT])
def test_S12_each_way_of_failing_at_each_stage_is_told_of_once_and_truly(stage):
    """Nobody is said to have a message who has it not, and no message is sent twice."""

    async def run():
        async with Sink() as sink:
            bench = LaneBench([sink.port], idle_s=0.2)
            jobs = [
                make_job(
                    number,
                    "joe" if stage is Stage.MAIL else word,
                    content=b"%d\r\n" % number,
                    sender=f"{word}@b.example" if stage is Stage.MAIL else "a@b.example",
                    most_connections=20,
                )
                for number, word in enumerate(WAYS[stage])
            ]
            said = await bench.carry(*jobs)
            await bench.end()
            return said, sink.taken, sink.books.summarise(), sink.violations

    said, taken, summary, violations = play(run)
    contents = {one.content for one in taken}
    for number, (word, value) in enumerate(zip(WAYS[stage], said, strict=True)):
        has_it = b"%d\r\n" % number in contents
        found = answer(value)
        assert isinstance(value, Done), word
        assert has_it or found.what != "delivered", word
        assert not has_it or found.what != "failed" or "after-dot" in word, word
    assert summary.surplus == 0
    assert {violation.what for violation in violations} <= {"closed without QUIT"}, violations


@pytest.mark.parametrize("seed", range(4))
def test_each_job_is_told_of_exactly_once_whatever_happens(seed):
    random_ = random.Random(seed)

    async def run():
        options = SinkOptions(
            all_random=True, random=0.2, seed=seed, stall_s=5.0, limits="RCPTMAX=3 MAILMAX=4"
        )
        async with Sink(options) as first, Sink(options) as second:
            bench = LaneBench([first.port, second.port], idle_s=0.02)
            jobs = [
                make_job(
                    number,
                    *(f"r{place}" for place in range(random_.randint(1, 7))),
                    content=b"%d\r\n" % number * random_.choice([1, 1, 50_000]),
                    most_connections=6,
                )
                for number in range(80)
            ]
            for job in jobs:
                bench.lane.add(job)
                if random_.random() < 0.3:
                    await asyncio.sleep(random_.random() * 0.03)
            said = await bench.hear(*jobs)
            await bench.end()
            return jobs, said, [*first.taken, *second.taken]

    jobs, said, taken = play(run)
    have = {(one.content, recipient.address) for one in taken for recipient in one.recipients}
    for job, value in zip(jobs, said, strict=True):
        if isinstance(value, Unreached):
            assert not any(content == job.content.octets for content, _ in have)
            continue
        for recipient, found in zip(job.recipients, answers(value), strict=True):
            key = job.content.octets, "@".join(recipient.address)
            assert key in have or found.what != "delivered"
