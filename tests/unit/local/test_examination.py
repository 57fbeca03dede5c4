"""What is found of a message before it is delivered (I-9, I-10, I-22): once, in time, whatever goes wrong."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from paperpath.config.endpoint import parse_endpoint
from paperpath.dns.resolver import Resolver
from paperpath.local import examination
from paperpath.local.examination import Examiner
from paperpath.mail.authentication_results import Result
from paperpath.mail.envelope import NO_CLIENT, NO_PARAMETERS, Client
from paperpath.maildrop.values import ClaimedMessage, Content, Origin
from paperpath.service.log import open_log
from paperpath.testing.nameserver import Nameserver
from tests.support.authentication_results import read_results
from tests.support.dkim_signer import DOMAIN, MESSAGE, ed25519_key, rsa_key, sign

HOST = "mx.here.example"
_RECORD = rsa_key(2048).record.decode()
SPLIT = " ".join(f'"{_RECORD[n : n + 150]}"' for n in range(0, len(_RECORD), 150))
SCRIPT = f"""\
{ed25519_key().name} TXT "{ed25519_key().record.decode()}"
{rsa_key(2048).name} TXT {SPLIT}
broken._domainkey.{DOMAIN} !servfail
silent._domainkey.{DOMAIN} !timeout
"""


@pytest.fixture
def server() -> Iterator[Nameserver]:
    with Nameserver(SCRIPT) as server:
        yield server


@asynccontextmanager
async def working(server: Nameserver) -> AsyncIterator[Examiner]:
    resolver = Resolver(lambda: [parse_endpoint(server.endpoint)])
    examiner = Examiner(HOST, resolver, open_log("smtpld"))
    try:
        yield examiner
    finally:
        await examiner.close()


def make_message(
    octets: bytes,
    file: Path | None = None,
    *,
    queue_id: str = "Q",
    client: Client = NO_CLIENT,
    origin: Origin = Origin.RELAY,
) -> ClaimedMessage:
    if file is not None:
        file.write_bytes(octets)
    content = Content(len(octets), hashlib.sha256(octets).digest(), None if file else octets, file)
    return ClaimedMessage(1, queue_id, None, NO_PARAMETERS, 1_700_000_000_000_123, content, origin, client)


def examine(server: Nameserver, message: ClaimedMessage) -> list[Result]:
    """Have one message looked into; return what is said of it."""

    async def work() -> bytes:
        async with working(server) as examiner:
            findings = await examiner.examine(message)
            assert findings.authserv_id == HOST
            return findings.field

    name, results = read_results(asyncio.run(work()))
    assert name == HOST
    return results


def verdicts(server: Nameserver, octets: bytes, file: Path | None = None) -> list[tuple[str, str]]:
    return [(result.verdict, result.reason) for result in examine(server, make_message(octets, file))]


def test_I9_a_good_signature_beside_a_bad_one_passes_by_a_key_in_three_strings(server: Nameserver) -> None:
    assert SPLIT.count('" "') == 2
    good, bad = sign(MESSAGE, rsa_key(2048)), sign(MESSAGE, ed25519_key(), changes={"b": "AAAA"})
    (failed, passed) = examine(server, make_message(bad + good + MESSAGE))
    assert (failed.verdict, failed.reason) == ("fail", "the signature does not match the header")
    assert (passed.method, passed.verdict, passed.reason) == ("dkim", "pass", "")
    signature = good.rpartition(b"b=")[2][:8].decode()
    assert passed.properties == (("header.d", DOMAIN), ("header.s", "rsa2048"), ("header.b", signature))


def test_I22_who_is_not_signed_has_none(server: Nameserver) -> None:
    assert examine(server, make_message(MESSAGE)) == [Result("dkim", "none")]
    assert examine(server, make_message(b"")) == [Result("dkim", "none")]
    assert not server.queries


def test_I22_who_logged_in_is_said_and_of_reports_of_ours_nothing(server: Nameserver) -> None:
    client = Client("192.0.2.1", 4, "x", "ESMTPSA", account="joe@here.example")
    results = examine(server, make_message(MESSAGE, client=client, origin=Origin.SUBMISSION))
    assert results == [
        Result("auth", "pass", "", (("smtp.auth", "joe@here.example"),)),
        Result("dkim", "none"),
    ]
    assert examine(server, make_message(sign(MESSAGE, ed25519_key()) + MESSAGE, origin=Origin.REPORT)) == []


def test_I10_content_in_a_file_is_read_in_one_pass_for_all_forms(server: Nameserver, tmp_path: Path) -> None:
    message = MESSAGE + b"line \t of a long body\r\n" * 50_000
    forms = ("simple/simple", "relaxed/relaxed", "relaxed/simple")
    signed = b"".join(sign(message, ed25519_key(), form) for form in forms) + message
    assert verdicts(server, signed, tmp_path / "content") == [("pass", "")] * 3


def test_I10_a_header_that_is_too_long_is_not_looked_at(server: Nameserver, tmp_path: Path) -> None:
    signed = sign(MESSAGE, ed25519_key()) + b"X: y\r\n" * 200_000 + MESSAGE
    assert verdicts(server, signed, tmp_path / "content") == [("neutral", "the header is too long")]


@pytest.mark.parametrize(
    ("selector", "verdict", "reason"),
    [
        ("broken", "temperror", "the key cannot be had now"),
        ("silent", "temperror", "the key cannot be had now"),
        ("missing", "permerror", "there is no key"),
    ],
)
def test_I9_no_trouble_with_the_DNS_keeps_a_message(
    server: Nameserver, monkeypatch: pytest.MonkeyPatch, selector: str, verdict: str, reason: str
) -> None:
    monkeypatch.setattr(examination, "DNS_S", 0.05 if selector == "silent" else 10)
    field = sign(MESSAGE, ed25519_key(), changes={"s": selector})
    assert verdicts(server, field + MESSAGE) == [(verdict, reason)]


def test_I9_content_that_cannot_be_read_is_left_to_the_delivery(server: Nameserver, tmp_path: Path) -> None:
    message = make_message(MESSAGE, tmp_path / "content")
    (tmp_path / "content").unlink()
    (result,) = examine(server, message)
    assert (result.verdict, result.reason) == ("temperror", "the message could not be looked at")


def test_I9_a_defect_of_ours_keeps_no_message(server: Nameserver, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(examination, "_read", fail)
    (result,) = examine(server, make_message(MESSAGE))
    assert result.verdict == "temperror"


def test_I10_of_200_signatures_ten_are_asked_about_and_the_rest_is_told(server: Nameserver) -> None:
    fields = b"".join(
        sign(MESSAGE, ed25519_key(), changes={"s": f"s{number}", "b": "AAAA"}) for number in range(200)
    )

    async def work() -> bytes:
        async with working(server) as examiner:
            return (await examiner.examine(make_message(fields + MESSAGE))).field

    field = asyncio.run(work())
    assert b"(190 more signatures were not looked at)\r\n" in field
    assert len(read_results(field)[1]) == 10
    assert len(server.queries) == 10


def test_a_message_is_looked_into_once_for_all_its_recipients_and_for_later_ones(server: Nameserver) -> None:
    async def work() -> None:
        async with working(server) as examiner:
            message = make_message(sign(MESSAGE, ed25519_key()) + MESSAGE)
            both = await asyncio.gather(examiner.examine(message), examiner.examine(message))
            server.play("")  # what the DNS says later changes nothing of what was said
            again = await examiner.examine(message)
            assert both[0] is both[1] is again
            assert b"dkim=pass" in again.field
            other = await examiner.examine(make_message(MESSAGE, queue_id="R"))
            assert b"dkim=none" in other.field

    asyncio.run(work())
    assert server.count(ed25519_key().name, "TXT") == 1


def test_what_is_under_way_ends_with_smtpld(server: Nameserver) -> None:
    field = sign(MESSAGE, ed25519_key(), changes={"s": "silent"})

    async def work() -> None:
        async with working(server) as examiner:
            waiting = asyncio.ensure_future(examiner.examine(make_message(field + MESSAGE)))
            name = f"silent._domainkey.{DOMAIN}"
            while not server.count(name, "TXT"):  # noqa: ASYNC110 - the server is in another thread
                await asyncio.sleep(0.001)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(work())
