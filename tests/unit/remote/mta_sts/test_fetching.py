"""Policies from hosts that are honest, somebody else, slow, or talk without end (G-39)."""

import asyncio
from collections.abc import Sequence

import pytest

from paperpath.mail.reply import Reply, make_reply
from paperpath.remote.mta_sts import fetching
from paperpath.remote.mta_sts.fetching import MOST_OCTETS, Fetcher, FetchError
from paperpath.remote.mta_sts.policy import Mode, StsPolicy
from paperpath.remote.mta_sts.web_answer import MOST_HEAD_OCTETS
from tests.support.installation import find_free_port
from tests.support.lane import play
from tests.support.policy_host import DOMAIN, POLICY, PolicyHost, web_answer
from tests.support.tls import AUTHORITY

FOUND = StsPolicy(Mode.ENFORCE, 604800, ("mx1.x.example",))
FILLER = "x: " + "x" * 61 + "\n"


@pytest.fixture
def ca_file(tmp_path):
    file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return file


def at(*addresses: str):
    async def find(host: str) -> Sequence[str] | Reply:
        assert host == f"mta-sts.{DOMAIN}"
        return addresses

    return find


def fetch(host: PolicyHost, ca_file, *addresses: str, timeout_s: float = 20.0) -> StsPolicy:
    async def run() -> StsPolicy:
        async with host:
            find = at(*(addresses or ("127.0.0.1",)))
            return await Fetcher(find, ca_file, port=host.port, timeout_s=timeout_s).fetch(DOMAIN)

    return play(run)


def refuse(host: PolicyHost, ca_file, *addresses: str, timeout_s: float = 20.0) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(host, ca_file, *addresses, timeout_s=timeout_s)
    return str(caught.value)


def chunked(*chunks: bytes) -> bytes:
    body = b"".join(b"%x;some=thing\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" + body


@pytest.mark.parametrize(
    "answer",
    [
        web_answer(),
        web_answer(POLICY.replace("\n", "\r\n")),
        web_answer(kind='Text/Plain; charset=utf-8; x="y"'),
        web_answer(POLICY, "Cache-Control: max-age=86400", "X: a", " folded"),
        web_answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"HTTP/1.1 200\r\nContent-Type: text/plain\r\n\r\n" + POLICY.encode(),
        chunked(POLICY.encode()),
        chunked(*(POLICY[place : place + 1].encode() for place in range(len(POLICY)))),
        web_answer(POLICY + FILLER * ((MOST_OCTETS - len(POLICY)) // len(FILLER))),
    ],
)
def test_G39_a_policy_is_fetched(tmp_path, ca_file, answer):
    host = PolicyHost(tmp_path, answer=answer)
    assert fetch(host, ca_file) == FOUND
    (request,) = host.requests
    assert request.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.x.example\r\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (web_answer(status="301 Moved", kind="text/plain\r\nLocation: /elsewhere"), "status is 301"),
        (web_answer(status="304 Not Modified"), "status is 304"),
        (web_answer(status="404 Not Found"), "status is 404"),
        (web_answer(status="203 Other"), "status is 203"),
        (web_answer(kind="text/html"), "type is text/html"),
        (web_answer().replace(b"Content-Type: text/plain\r\n", b""), "type is not told"),
        (web_answer("mode: enforce"), "version"),
        (web_answer()[:-1], "too early"),
        (web_answer()[:30], "too early"),
        (chunked(POLICY.encode())[:-5], "too early"),
        (chunked(POLICY.encode()).replace(b"\r\n0;", b"0;"), "longer than its size"),
        (chunked(POLICY.encode()).replace(b";some", b"g;some"), "no size"),
        (chunked(POLICY.encode()).replace(b": chunked", b": gzip, chunked"), "encoding"),
        (web_answer().replace(b"Length: ", b"Length: -"), "no number"),
        (b"220 mx1.x.example ESMTP\r\n\r\n", "not HTTP"),
        (web_answer(POLICY, *(["X: y"] * 200)), "too many fields"),
        (web_answer(POLICY, "X: " + "y" * MOST_HEAD_OCTETS), "head of the answer is too long"),
    ],
)
def test_G39_what_is_no_answer_with_a_policy(tmp_path, ca_file, answer, reason):
    host = PolicyHost(tmp_path, answer=answer)
    assert reason in refuse(host, ca_file)
    assert len(host.requests) == 1


def test_G39_64_KiB_and_no_octet_more(tmp_path, ca_file):
    most = (POLICY + FILLER * 2000)[: MOST_OCTETS - 3] + "xx\n"
    plain = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    for whole, more in (
        (web_answer(most), web_answer(f"{most}\n")),
        (plain + most.encode(), plain + most.encode() + b"\n"),
        (chunked(most.encode()), chunked(most.encode(), b"\n")),
    ):
        assert fetch(PolicyHost(tmp_path, answer=whole), ca_file) == FOUND
        assert "65536 octets" in refuse(PolicyHost(tmp_path, answer=more), ca_file)
    assert "65536 octets" in refuse(PolicyHost(tmp_path, answer=plain + b"x" * 10**6), ca_file)


def test_G39_a_slow_host_has_a_minute_in_all(tmp_path, ca_file):
    host = PolicyHost(tmp_path, answer=web_answer()[:-1])
    host.stalls = True
    assert fetching.TIMEOUT_S == 60
    assert refuse(host, ca_file, timeout_s=0.3) == "no policy in 0.3 s"


def test_G39_nothing_is_said_to_a_host_with_the_certificate_of_another(tmp_path, ca_file):
    for names in (("x.example",), ("mta-sts.y.example", "www.x.example"), ("*.mta-sts.x.example",)):
        host = PolicyHost(tmp_path, *names)
        assert "certificate is not the host's" in refuse(host, ca_file)
        assert host.requests == []
    assert fetch(PolicyHost(tmp_path, "*.x.example"), ca_file) == FOUND


def test_G39_nothing_is_said_to_a_host_whom_nobody_vouches_for(tmp_path):
    host = PolicyHost(tmp_path)
    assert "certificate is not the host's" in refuse(host, None)
    assert host.requests == []


def test_G39_the_next_address_is_tried_where_nobody_is_at_the_first(tmp_path, ca_file):
    assert fetch(PolicyHost(tmp_path), ca_file, "127.0.0.2", "127.0.0.1") == FOUND


def test_G39_without_an_address_or_authorities_the_reason_is_told(tmp_path, ca_file):
    async def know_none(_: str) -> Reply:
        return make_reply(451, "4.4.3", "The DNS is away")

    async def run(fetcher: Fetcher) -> str:
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(DOMAIN)
        return str(caught.value)

    assert play(lambda: run(Fetcher(know_none, ca_file))) == "The DNS is away"
    port = find_free_port()
    assert "refused" in play(lambda: run(Fetcher(at("127.0.0.1"), ca_file, port=port)))
    assert "No such file" in play(lambda: run(Fetcher(at("127.0.0.1"), tmp_path / "none", port=port)))


def test_G39_P6_there_is_a_bound_for_how_many_are_fetched_at_once(monkeypatch):
    monkeypatch.setattr(fetching, "MOST_AT_ONCE", 2)
    inside: list[int] = []
    counts: list[int] = []

    async def find(_: str) -> Reply:
        inside.append(1)
        counts.append(len(inside))
        await asyncio.sleep(0)
        inside.pop()
        return make_reply(451, "4.4.3", "The DNS is away")

    async def run() -> list[object]:
        fetcher = Fetcher(find)
        return await asyncio.gather(*(fetcher.fetch(DOMAIN) for _ in range(5)), return_exceptions=True)

    assert [str(error) for error in play(run)] == ["The DNS is away"] * 5
    assert (len(counts), max(counts)) == (5, 2)
