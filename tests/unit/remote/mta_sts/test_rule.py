"""What a policy of MTA-STS makes of hosts that are honest, others, or cannot (G-39)."""

import pytest

from paperpath.mail.reply import make_reply
from paperpath.remote.connection import SessionError
from paperpath.remote.contact import Hop
from paperpath.remote.jobs import Unreached
from paperpath.remote.mta_sts.policy import Mode, StsPolicy
from paperpath.remote.mta_sts.rule import MtaStsRule
from paperpath.remote.route import Route, Security
from paperpath.remote.tls_policy import Rule
from paperpath.remote.tlsa import Pins
from paperpath.service.log import open_log
from paperpath.smtp.client_states import Wait
from paperpath.testing.sink import Sink
from paperpath.testing.sink_options import SinkOptions, StartTls
from tests.support.lane import LaneBench, answer, make_job, play
from tests.support.tls import AUTHORITY, write_certificate

HOST = "mx1.x.example"
NAMED = (HOST, "*.backup.x.example")
NOT_NAMED = ("mx2.x.example", "x.example", "*.mx1.x.example", "*.example")
GOOD, BAD, NONE = "good", "bad", "none"


@pytest.fixture
def ca_file(tmp_path):
    file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def make_options(tmp_path):
    def make(way: str) -> SinkOptions:
        if way == NONE:
            return SinkOptions()
        names = (HOST,) if way == GOOD else ("x.example", "www.x.example")
        chain, key = write_certificate(tmp_path, *names)
        return SinkOptions(tls=True, certificate=chain, key=key)

    return make


def make_rule(ca_file, mode: Mode, patterns: tuple[str, ...] = NAMED) -> MtaStsRule:
    async def find(domain: str) -> StsPolicy:
        assert domain == "x.example"
        return StsPolicy(mode, 86400, patterns)

    return MtaStsRule(find, ca_file, open_log("smtprc"))


def carry(rules: list[Rule], *options: SinkOptions, route: Route | None = None):
    """Carry a message to the first host that takes it; return the bench, what was said, and the sinks."""

    async def run():
        sinks = [Sink(each) for each in options]
        for sink in sinks:
            await sink.__aenter__()
        bench = LaneBench([sink.port for sink in sinks], rules=rules, route=route)
        (value,) = await bench.carry(make_job(1))
        await bench.end()
        for sink in sinks:
            await sink.__aexit__(None, None, None)
        return bench, value, sinks

    return play(run)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("patterns", "way"), [(NAMED, GOOD), (NOT_NAMED, GOOD), (NAMED, BAD), (NAMED, NONE)])
def test_G39_the_matrix_of_12(ca_file, make_options, mode, patterns, way):
    bench, value, (sink,) = carry([make_rule(ca_file, mode, patterns).find], make_options(way))
    is_fine = patterns == NAMED and way == GOOD
    if mode is Mode.ENFORCE and not is_fine:
        assert isinstance(value, Unreached)
        assert answer(value).what == "deferred"
        assert "MTA-STS" in " ".join(answer(value).lines)
        assert sink.books.transactions == 0
        assert sink.books.connections == (patterns == NAMED)
    else:
        assert answer(value).what == "delivered"
        assert sink.taken[0].tls.startswith("TLSv1." if way != NONE else "")
    is_overlooked = mode is Mode.TESTING and patterns == NAMED and not is_fine
    assert len(bench.overlooked) == is_overlooked


def test_G39_the_reason_is_told(ca_file, make_options):
    def tell(patterns: tuple[str, ...], way: str) -> str:
        _, value, _ = carry([make_rule(ca_file, Mode.ENFORCE, patterns).find], make_options(way))
        found = answer(value)
        return f"{found.code} {found.status} {' '.join(found.lines)}"

    assert tell(NOT_NAMED, GOOD) == f"451 4.7.0 The MTA-STS policy of x.example does not name {HOST}"
    told = tell(NAMED, BAD)
    assert told.startswith(f"451 4.7.5 {HOST}: TLS failed: ")
    assert told.endswith("; the MTA-STS rules of x.example ask for TLS")
    assert "offers no TLS" in tell(NAMED, NONE)


def test_G39_where_testing_does_not_name_a_host_that_is_told(ca_file, make_options, capfd):
    carry([make_rule(ca_file, Mode.TESTING, NOT_NAMED).find], make_options(GOOD))
    told = "does not name a mail exchanger domain=x.example host=mx1.x.example mode=testing"
    assert told in capfd.readouterr().err


@pytest.mark.parametrize("starttls", [way for way in StartTls if way is not StartTls.HONEST])
def test_G39_S12_however_TLS_is_foiled_nothing_is_sent_without(ca_file, starttls):
    _, value, (sink,) = carry(
        [make_rule(ca_file, Mode.ENFORCE).find], SinkOptions(tls=True, starttls=starttls)
    )
    assert (answer(value).what, answer(value).code) == ("deferred", 451)
    assert (sink.books.transactions, sink.books.connections) == (0, 1)


def test_G39_the_next_host_is_taken_where_the_first_is_not_as_the_policy_says(ca_file, tmp_path):
    chain, key = write_certificate(tmp_path, "mx2.x.example")
    rule = make_rule(ca_file, Mode.ENFORCE, ("mx2.x.example",))
    good = SinkOptions(tls=True, certificate=chain, key=key)
    _, value, (first, second) = carry([rule.find], good, good)
    assert (answer(value).what, answer(value).host) == ("delivered", "mx2.x.example")
    assert (first.books.connections, second.books.messages) == (0, 1)


def test_G39_a_certificate_from_anywhere_does_not_do(make_options):
    rule = make_rule(None, Mode.ENFORCE)
    _, value, (sink,) = carry([rule.find], make_options(GOOD))
    assert (answer(value).what, answer(value).status) == ("deferred", "4.7.5")
    assert sink.books.transactions == 0


@pytest.mark.parametrize(("mode", "what"), [(Mode.ENFORCE, "deferred"), (Mode.TESTING, "delivered")])
def test_G39_without_authorities_nobody_is_believed(tmp_path, make_options, mode, what):
    rule = make_rule(tmp_path / "none", mode)
    _, value, _ = carry([rule.find], make_options(GOOD))
    assert answer(value).what == what


@pytest.mark.parametrize("mode", [Mode.TESTING, Mode.NONE])
def test_G39_what_the_configuration_requires_holds_beside_a_policy(ca_file, make_options, mode):
    route = Route("x.example", (), Security("require"))
    for way, what in ((BAD, "delivered"), (NONE, "deferred")):
        _, value, _ = carry([make_rule(ca_file, mode).find], make_options(way), route=route)
        assert answer(value).what == what


def test_G39_who_fails_by_DANE_is_not_spoken_with_whatever_the_policy_says(ca_file, make_options):
    async def fail(route: Route, hop: Hop) -> Security | None:
        raise SessionError(make_reply(451, "4.4.3", "DANE"), Wait.GREETING, is_ours=True)

    _, value, (sink,) = carry([fail, make_rule(ca_file, Mode.ENFORCE).find], make_options(GOOD))
    assert (answer(value).what, answer(value).lines) == ("deferred", ("DANE",))
    assert sink.books.connections == 0


@pytest.mark.parametrize(
    ("mode", "way", "what"),
    [
        (Mode.ENFORCE, GOOD, "delivered"),
        (Mode.ENFORCE, BAD, "deferred"),
        (Mode.TESTING, BAD, "delivered"),
        (Mode.TESTING, NONE, "deferred"),
        (Mode.NONE, BAD, "delivered"),
        (Mode.NONE, NONE, "deferred"),
    ],
)
def test_G39_where_TLSA_records_tell_nothing_of_the_certificate_the_policy_does(
    ca_file, make_options, mode, way, what
):
    async def ask(route: Route, hop: Hop) -> Security | None:
        return Security("require", pins=Pins((HOST,), ()), because="the TLSA records")

    _, value, _ = carry([ask, make_rule(ca_file, mode).find], make_options(way))
    assert answer(value).what == what
