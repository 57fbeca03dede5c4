"""TLS and logins towards hosts that are honest, cannot, or lie (G-34, G-35, S-12)."""

from pathlib import Path

import pytest

from paperpath.config.via import NextHost
from paperpath.mail.reply import Reply
from paperpath.remote.contact import Hop, _read_credentials
from paperpath.remote.jobs import Done, Unreached
from paperpath.remote.route import Login, Route, Security
from paperpath.testing.sink import Sink
from paperpath.testing.sink_options import SinkOptions, StartTls
from tests.support.lane import LaneBench, answer, answers, carry_one, in_file, make_job, play
from tests.support.tls import AUTHORITY, write_certificate

HOST = "smart.x.example"
PASSWORD = "pass\u00e9 word"


@pytest.fixture
def ca_file(tmp_path):
    file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nnot this line\n", encoding="utf-8")
    return file


def certified(folder: Path, *names: str, **options) -> SinkOptions:
    chain, key = write_certificate(folder, *names)
    return SinkOptions(certificate=chain, key=key, **options)


def smart_route(ca_file: Path, password_file: Path | None = None) -> Route:
    login = None if password_file is None else Login("joe", password_file)
    return Route("x.example", (NextHost(HOST, 1, False),), Security("require", True, ca_file), login)


class Overheard:
    def __init__(self) -> None:
        self.said: list[str] = []

    def see_command(self, verb: str) -> None:
        self.said.append(verb)

    def see_reply(self, reply: Reply) -> None:
        self.said.append(str(reply))


async def carry_to(options: SinkOptions, route: Route | None = None, *, is_encrypted: bool = False):
    """Carry a message to a sink; return what was said of it, the sink, and the dialogue."""
    overheard = Overheard()
    async with Sink(options) as sink:
        hop = Hop(HOST, "127.0.0.1", sink.port, is_encrypted)
        value = await carry_one([hop], make_job(1), route=route, observer=overheard)
        return value, sink, overheard.said


# Opportunistic


def test_G35_TLS_is_used_where_it_is_offered_whoever_vouches_for_it():
    value, sink, said = play(lambda: carry_to(SinkOptions(tls=True)))
    assert answer(value).what == "delivered"
    assert sink.taken[0].tls.startswith("TLSv1.")
    assert [line.split()[0] for line in said if line[:4] in ("EHLO", "STAR", "MAIL")] == [
        "EHLO",
        "STARTTLS",
        "EHLO",
        "MAIL",
    ]
    assert sink.violations == []


@pytest.mark.parametrize(
    ("starttls", "connections"),
    [
        (StartTls.REFUSE, 1),
        (StartTls.THEN_PLAIN, 2),
        (StartTls.INJECT, 2),
        (StartTls.CUT, 2),
        (StartTls.STALL, 2),
    ],
)
def test_G35_S12_TLS_that_fails_is_left_out_on_a_new_connection(starttls, connections):
    value, sink, _ = play(lambda: carry_to(SinkOptions(tls=True, starttls=starttls)))
    assert answer(value).what == "delivered"
    assert sink.taken[0].tls == ""
    assert sink.books.connections == connections
    assert sink.taken[0].connection == connections


@pytest.mark.parametrize("starttls", [way for way in StartTls if way is not StartTls.HONEST])
def test_G35_S12_where_TLS_is_required_nothing_is_sent_without(starttls):
    route = Route("x.example", (), Security("require"))
    value, sink, _ = play(lambda: carry_to(SinkOptions(tls=True, starttls=starttls), route))
    assert isinstance(value, Unreached)
    assert value.answer.what == "deferred"
    assert sink.books.transactions == 0
    assert sink.books.connections == 1


def test_G35_where_TLS_is_required_and_not_offered_nothing_is_sent():
    route = Route("x.example", (), Security("require"))
    value, sink, _ = play(lambda: carry_to(SinkOptions(), route))
    assert (answer(value).what, answer(value).status) == ("deferred", "4.7.0")
    assert sink.books.transactions == 0


def test_P2_a_reply_counts_that_comes_together_with_the_end_of_TLS():
    async def run():
        async with Sink(SinkOptions(tls=True)) as sink:
            value = await carry_one([sink.port], make_job(1, "250-at-dot", "disconnect-at-idle"))
            return value, sink.books.messages

    value, messages = play(run)
    assert ([found.what for found in answers(value)], messages) == (["delivered"] * 2, 1)


def test_G35_never_is_never():
    route = Route("x.example", (), Security("never"))
    value, _, said = play(lambda: carry_to(SinkOptions(tls=True), route))
    assert answer(value).what == "delivered"
    assert "STARTTLS" not in said


def test_G35_the_next_host_is_taken_where_TLS_is_required_and_the_first_cannot():
    async def run():
        async with Sink() as first, Sink(SinkOptions(tls=True)) as second:
            bench = LaneBench([first.port, second.port], route=Route("x.example", (), Security("require")))
            (value,) = await bench.carry(make_job(1))
            await bench.end()
            return value, first.books.transactions

    value, transactions = play(run)
    assert (answer(value).what, answer(value).host, transactions) == ("delivered", "mx2.x.example", 0)


# Verified


@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize(
    ("mechanisms", "lines"),
    [
        (("PLAIN", "LOGIN"), ["AUTH PLAIN ***"]),
        (("LOGIN",), ["AUTH LOGIN", "***", "***"]),
        (("PLAIN", "LOGIN", "SCRAM-SHA-256"), ["AUTH SCRAM-SHA-256 ***", "***", "***"]),
    ],
)
def test_G34_a_host_that_is_who_it_should_be_gets_the_login(
    tmp_path, ca_file, password_file, mechanisms, lines, is_encrypted
):
    more = {"user": "joe", "password": PASSWORD, "mechanisms": mechanisms}
    options = certified(tmp_path, HOST, tls=not is_encrypted, tls_at_once=is_encrypted, **more)
    route = smart_route(ca_file, password_file)
    value, sink, said = play(lambda: carry_to(options, route, is_encrypted=is_encrypted))
    assert answer(value).what == "delivered"
    assert (sink.taken[0].user, sink.taken[0].tls[:4]) == ("joe", "TLSv")
    assert sink.violations == []
    assert not [line for line in said if PASSWORD in line or "am9l" in line]
    assert [line for line in said if "AUTH" in line[:5] or line == "***"] == lines


@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize("name", ["other.x.example", None])
def test_G34_S12_a_host_that_is_somebody_else_gets_nothing(
    tmp_path, ca_file, password_file, is_encrypted, name
):
    more = {"tls": not is_encrypted, "tls_at_once": is_encrypted, "user": "joe", "password": PASSWORD}
    options = certified(tmp_path, name, **more) if name else SinkOptions(hostname=HOST, **more)
    route = smart_route(ca_file, password_file)
    value, sink, said = play(lambda: carry_to(options, route, is_encrypted=is_encrypted))
    assert isinstance(value, Unreached)
    assert (value.answer.what, value.answer.status) == ("deferred", "4.7.5")
    assert sink.books.transactions == 0
    assert not [line for line in said if line.startswith("AUTH")]


def test_G34_without_TLS_no_login_is_tried(ca_file, password_file):
    options = SinkOptions(user="joe", password=PASSWORD)
    value, sink, said = play(lambda: carry_to(options, smart_route(ca_file, password_file)))
    assert isinstance(value, Unreached)
    assert value.answer.what == "deferred"
    assert sink.books.transactions == 0
    assert not [line for line in said if line.startswith("AUTH")]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_G34_a_wrong_password_is_temporary(tmp_path, ca_file, password_file, mechanism):
    more = {"user": "joe", "password": "another", "mechanisms": (mechanism,)}
    options = certified(tmp_path, HOST, tls=True, **more)
    value, sink, said = play(lambda: carry_to(options, smart_route(ca_file, password_file)))
    assert isinstance(value, Unreached)
    assert (value.answer.what, value.answer.code) == ("deferred", 535)
    assert sink.books.transactions == 0
    assert said[-2] == "QUIT"


@pytest.mark.parametrize("mechanism", ["LOGIN", "SCRAM-SHA-256"])
def test_G34_challenges_that_nobody_can_read_are_a_reason_to_wait(
    tmp_path, ca_file, password_file, mechanism
):
    more = {"user": "joe", "password": PASSWORD, "mechanisms": (mechanism,), "auth_garbage": True}
    options = certified(tmp_path, HOST, tls=True, **more)
    value, sink, said = play(lambda: carry_to(options, smart_route(ca_file, password_file)))
    assert isinstance(value, Unreached)
    assert (value.answer.what, value.answer.code) == ("deferred", 501)
    assert sink.books.transactions == 0
    assert "*" in said


def test_S12_no_two_logins_begin_with_the_same_nonce(password_file):
    found = [_read_credentials(Login("joe", password_file)) for _ in range(100)]
    assert len({credentials.nonce for credentials in found if credentials is not None}) == 100


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_G34_one_login_serves_all_messages_of_a_connection(tmp_path, ca_file, password_file, mechanism):
    more = {"user": "joe", "password": PASSWORD, "mechanisms": (mechanism,)}

    async def run():
        overheard = Overheard()
        async with Sink(certified(tmp_path, HOST, tls=True, **more)) as sink:
            hop = Hop(HOST, "127.0.0.1", sink.port)
            bench = LaneBench([hop], route=smart_route(ca_file, password_file), observer=overheard)
            values = await bench.carry(make_job(1), make_job(2), make_job(3))
            await bench.end()
            return values, sink, overheard.said

    values, sink, said = play(run)
    assert [answer(value).what for value in values] == ["delivered"] * 3
    assert [taken.user for taken in sink.taken] == ["joe"] * 3
    assert len([line for line in said if line.startswith("AUTH ")]) == 1
    assert sink.violations == []


@pytest.mark.parametrize("trouble", ["missing", "no UTF-8"])
def test_G34_a_password_that_cannot_be_read_is_no_reason_to_give_up(
    tmp_path, ca_file, password_file, trouble
):
    if trouble == "missing":
        password_file.unlink()
    else:
        password_file.write_bytes(b"secr\xff\n")
    options = certified(tmp_path, HOST, tls=True, user="joe", password=PASSWORD)
    value, sink, _ = play(lambda: carry_to(options, smart_route(ca_file, password_file)))
    assert (answer(value).what, answer(value).status, answer(value).host) == ("deferred", "4.7.0", "")
    assert str(password_file) in str(answer(value).lines)
    assert "secr" not in str(answer(value))
    assert sink.books.connections == 0


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_G34_authorities_that_cannot_be_read_are_no_reason_to_trust_anybody(tmp_path, content, password_file):
    file = tmp_path / "authorities"
    if content:
        file.write_text(content)
    options = certified(tmp_path, HOST, tls=True, user="joe", password=PASSWORD)
    value, sink, _ = play(lambda: carry_to(options, smart_route(file, password_file)))
    assert (answer(value).what, answer(value).status) == ("deferred", "4.7.5")
    assert sink.books.transactions == 0


def test_P1_a_large_file_arrives_octet_for_octet_inside_TLS(tmp_path):
    content = b"0123456789" * 7 + b"\r\n.\r\n"
    content *= 50_000

    async def run():
        async with Sink(SinkOptions(tls=True)) as sink:
            value = await carry_one([sink.port], in_file(make_job(1, content=content), tmp_path / "content"))
            return value, sink.taken[0].content == content

    value, is_same = play(run)
    assert isinstance(value, Done)
    assert (answer(value).what, is_same) == ("delivered", True)
