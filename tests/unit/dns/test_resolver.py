"""The resolver beside a scripted server (S-10, S-12, G-3, G-9)."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Any

import pytest
import uvloop

from paperpath.config.endpoint import parse_endpoint
from paperpath.dns.answer import Status
from paperpath.dns.cache import ENTRY_OCTETS, Cache
from paperpath.dns.records import AAAA, CNAME, MX, PTR, TLSA, TXT, A, Exchange, Tlsa
from paperpath.dns.resolver import FAILURE_AGE_S, MOST_AGE_S, Resolver
from paperpath.testing.nameserver import TTL_S, Nameserver

SCRIPT = """
example.org            MX     20 b.example.org.
example.org            MX     10 A.Example.org.
a.example.org          A      192.0.2.1
a.example.org          AAAA   2001:DB8::1
text.example           TXT    "v=spf1 " "-all"
_25._tcp.a.example.org TLSA   3 0 0 0123456789abcdef
1.2.0.192.in-addr.arpa PTR    a.example.org.
www.example.org        CNAME  www2.example.org.
www2.example.org       CNAME  a.example.org.
xn--bcher-kva.example  A      192.0.2.2
null.example           MX     0 .
down.example           !servfail
refused.example        !refused
silent.example         !timeout
secure.example         !secure
secure.example         A      192.0.2.3
long.example           !truncated
long.example           A      192.0.2.4
late.example           !timeout 1
late.example           A      192.0.2.5
forged.example         !wrong-id
other.example          !wrong-question
garbage.example        !garbage
lone.example           !lone
lone.example           CNAME  a.example.org.
circle.example         CNAME  circle2.example.
circle2.example        CNAME  circle.example.
lone-a.example         !lone
lone-a.example         CNAME  lone-b.example.
lone-b.example         !lone
lone-b.example         CNAME  lone-a.example.
bare.example           !bare
"""
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    factory = uvloop.new_event_loop if request.param == "uvloop" else None

    def run(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(work)

    return run


@pytest.fixture
def server() -> Iterator[Nameserver]:
    with Nameserver(SCRIPT) as server:
        yield server


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def make_resolver(*servers: Nameserver, timeout_s: float = 5, **settings: Any) -> Resolver:
    endpoints = [parse_endpoint(server.endpoint) for server in servers]
    return Resolver(lambda: endpoints, timeout_s, random=Random(1), **settings)


def test_each_type_has_its_values(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        mx = await resolver.resolve("Example.ORG.", MX)
        assert {*mx.records} == {Exchange(20, "b.example.org"), Exchange(10, "a.example.org")}
        assert (await resolver.resolve("a.example.org", A)).records == ("192.0.2.1",)
        assert (await resolver.resolve("a.example.org", AAAA)).records == ("2001:db8::1",)
        assert (await resolver.resolve("text.example", TXT)).records == (b"v=spf1 -all",)
        tlsa = await resolver.resolve("_25._tcp.a.example.org", TLSA)
        assert tlsa.records == (Tlsa(3, 0, 0, bytes.fromhex("0123456789abcdef")),)
        assert (await resolver.resolve("1.2.0.192.in-addr.arpa", PTR)).records == ("a.example.org",)
        assert (await resolver.resolve("www.example.org", CNAME)).records == ("www2.example.org",)
        assert (await resolver.resolve("bücher.example", A)).records == ("192.0.2.2",)
        assert (await resolver.resolve("null.example", MX)).records == (Exchange(0, ""),)
        await resolver.close()

    run(work())


def test_G3_nothing_no_name_failure_and_silence_are_four_answers(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server, timeout_s=0.1)
        expected = {
            "a.example.org": Status.NODATA,
            "bare.example": Status.NODATA,
            "nobody.example": Status.NXDOMAIN,
            "down.example": Status.FAILED,
            "refused.example": Status.FAILED,
            "silent.example": Status.TIMED_OUT,
        }
        answers = {name: await resolver.resolve(name, MX) for name in expected}
        assert {name: answer.status for name, answer in answers.items()} == expected
        assert answers["down.example"].detail == f"SERVFAIL from {server.endpoint}"
        assert answers["silent.example"].detail == f"no answer from {server.endpoint} in 0.1 s"
        await resolver.close()

    run(work())


@pytest.mark.parametrize("name", ["forged.example", "other.example", "garbage.example"])
def test_S12_what_is_no_answer_is_not_taken_for_one(server: Nameserver, run: Run, name: str) -> None:
    async def work() -> None:
        resolver = make_resolver(server, timeout_s=0.1)
        assert (await resolver.resolve(name, A)).status is Status.TIMED_OUT
        await resolver.close()

    run(work())


@pytest.mark.parametrize("name", ["circle.example", "lone-a.example"])
def test_S10_aliases_that_go_in_circles_end(server: Nameserver, run: Run, name: str) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        answer = await resolver.resolve(name, A)
        assert answer.status in (Status.FAILED, Status.NODATA)
        assert len(server.queries) <= 10
        await resolver.close()

    run(work())


def test_G1_aliases_are_followed_and_asked_on_where_a_server_does_not(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        for name in ("www.example.org", "lone.example"):
            answer = await resolver.resolve(name, A)
            assert (answer.records, answer.canonical) == (("192.0.2.1",), "a.example.org")
        assert server.count("a.example.org", "A") == 1
        await resolver.close()

    run(work())


def test_a_server_of_this_host_says_that_an_answer_is_secure(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        assert (await resolver.resolve("secure.example", A)).is_secure
        assert not (await resolver.resolve("a.example.org", A)).is_secure
        await resolver.close()

    run(work())


def test_a_truncated_answer_comes_by_tcp(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        assert (await resolver.resolve("long.example", A)).records == ("192.0.2.4",)
        assert [query.by_tcp for query in server.queries] == [False, True]
        await resolver.close()

    run(work())


@pytest.mark.parametrize("many", [200, 2500])
def test_S10_a_set_of_any_size_is_read_to_a_bound(server: Nameserver, run: Run, many: int) -> None:
    server.play("\n".join(f"big.example MX 10 h{number}.big.example." for number in range(many)))

    async def work() -> None:
        resolver = make_resolver(server)
        assert len((await resolver.resolve("big.example", MX)).records) == min(many, 1000)
        await resolver.close()

    run(work())


@pytest.mark.slow
def test_a_question_that_got_lost_is_asked_again(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        assert (await resolver.resolve("late.example", A)).records == ("192.0.2.5",)
        assert server.count("late.example", "A") == 2
        await resolver.close()

    run(work())


def test_another_server_is_asked_where_one_cannot_tell_or_is_not_there(run: Run) -> None:
    with Nameserver("a.example !servfail") as first, Nameserver("a.example A 192.0.2.1") as second:

        async def work() -> None:
            with Nameserver() as gone:
                pass
            resolver = make_resolver(gone, first, second)
            assert (await resolver.resolve("a.example", A)).records == ("192.0.2.1",)
            assert (await resolver.resolve("a.example", AAAA)).status is Status.NODATA
            assert first.count("a.example", "AAAA") == 0  # who answered last goes first
            await resolver.close()

        run(work())


def test_a_server_that_is_not_there_is_a_failure_at_once(run: Run) -> None:
    async def work() -> None:
        with Nameserver() as gone:
            pass
        resolver = make_resolver(gone)
        answer = await resolver.resolve("a.example", A)
        assert (answer.status, answer.detail) == (
            Status.FAILED,
            f"Connection refused from {gone.endpoint}",
        )
        await resolver.close()

    run(work())


@pytest.mark.parametrize(
    "name", ["", ".", "@", "a..b", "a" * 64, f"{'a.' * 128}x", "\u200d.example", "ü" * 5000, "\\", "a\\300x"]
)
def test_a_name_that_cannot_be_asked_has_an_answer(server: Nameserver, run: Run, name: str) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        assert (await resolver.resolve(name, MX)).status in (Status.NXDOMAIN, Status.NODATA)
        await resolver.close()

    run(work())


def test_G9_answers_are_kept_as_long_as_they_say(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        clock = Clock()
        resolver = make_resolver(server, clock=clock)
        ages = {"a.example.org": TTL_S, "nobody.example": 60, "down.example": FAILURE_AGE_S}
        for number, (name, age_s) in enumerate(ages.items(), 1):
            first = await resolver.resolve(name, A)
            clock.now_s += age_s - 1
            assert await resolver.resolve(name.upper(), A) is first
            assert len(server.queries) == 2 * number - 1
            clock.now_s += 1
            await resolver.resolve(name, A)
            assert len(server.queries) == 2 * number
        await resolver.close()

    assert TTL_S < MOST_AGE_S
    run(work())


def test_C23_an_entry_of_a_list_is_believed_for_its_time_and_so_is_its_absence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperpath.testing.nameserver.TTL_S", 2)
    with Nameserver("2.0.0.127.bad.example A 127.0.0.2") as server:

        async def work() -> None:
            clock = Clock()
            resolver = make_resolver(server, clock=clock)
            for name, age_s in {"2.0.0.127.bad.example": 2, "1.0.0.127.bad.example": 60}.items():
                await resolver.resolve(name, A)
                clock.now_s += age_s - 0.1
                await resolver.resolve(name, A)
                assert server.count(name, "A") == 1
                clock.now_s += 0.1
                await resolver.resolve(name, A)
                assert server.count(name, "A") == 2
            assert all(query.is_recursive for query in server.queries)
            await resolver.close()

        run(work())


def test_one_question_at_a_time_whoever_stops_waiting(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server)
        tasks = [asyncio.create_task(resolver.resolve("example.org", MX)) for _ in range(50)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert all(answer is answers[1] for answer in answers[1:])
        assert server.count("example.org", "MX") == 1
        await resolver.close()

    run(work())


def test_many_questions_at_once_have_each_its_answer(server: Nameserver, run: Run) -> None:
    server.play("\n".join(f"n{number}.example A 192.0.2.{number}" for number in range(200)))

    async def work() -> None:
        resolver = make_resolver(server)
        answers = await asyncio.gather(*(resolver.resolve(f"n{number}.example", A) for number in range(200)))
        assert [answer.records for answer in answers] == [(f"192.0.2.{number}",) for number in range(200)]
        await resolver.close()

    run(work())


def test_closing_ends_what_is_in_flight(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        resolver = make_resolver(server, timeout_s=60)
        asking = asyncio.create_task(resolver.resolve("silent.example", A))
        await asyncio.sleep(0)
        await resolver.close()
        with pytest.raises(asyncio.CancelledError):
            await asking

    run(work())


def test_S10_the_cache_has_a_bound_and_what_was_used_stays(server: Nameserver, run: Run) -> None:
    async def work() -> None:
        cache = Cache(most_octets=10 * (ENTRY_OCTETS + 100))
        resolver = make_resolver(server, cache=cache)
        await resolver.resolve("a.example.org", A)
        for number in range(100):
            await resolver.resolve(f"n{number}.example", A)
            await resolver.resolve("a.example.org", A)
        assert 5 < len(cache) <= 12
        assert server.count("a.example.org", "A") == 1
        await resolver.close()

    run(work())


def test_S12_octets_of_any_kind_do_not_end_the_wait_for_a_good_answer(run: Run) -> None:
    """A server that sends ninety wrong datagrams for each query, and then the right one."""

    class Liar(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            random = Random(1)
            good = data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:-11]
            good += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
            for _ in range(30):
                other = bytearray(good)
                other[random.choice((0, 1, 24, 26))] ^= random.randrange(1, 256)  # the number, the question
                self.transport.sendto(bytes(other), addr)
                self.transport.sendto(good[: random.randrange(len(good))], addr)
                self.transport.sendto(random.randbytes(random.randrange(60)), addr)
            self.transport.sendto(good, addr)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Liar, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        resolver = Resolver(lambda: [parse_endpoint(f"127.0.0.1:{port}")], 5, random=Random(1))
        assert (await resolver.resolve("a.example", A)).records == ("192.0.2.1",)
        await resolver.close()
        transport.close()

    run(work())


def test_a_server_elsewhere_is_asked_from_a_socket_for_each_question_and_vouches_for_nothing(
    server: Nameserver, run: Run
) -> None:
    async def work() -> None:
        elsewhere = parse_endpoint(f"0.0.0.0:{server.port}")  # which leads here, and is not known to
        resolver = Resolver(lambda: [elsewhere], 5, random=Random(1))
        names = ("secure.example", "a.example.org", "long.example")
        answers = await asyncio.gather(*(resolver.resolve(name, A) for name in names))
        assert [answer.records for answer in answers] == [("192.0.2.3",), ("192.0.2.1",), ("192.0.2.4",)]
        assert not any(answer.is_secure for answer in answers)
        await resolver.close()

    run(work())
