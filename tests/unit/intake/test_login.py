"""A session whose client logs in: judged elsewhere, while the session waits and may end (A-84, S-7, P6)."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.intake.guest import Door, Guest
from paperpath.intake.login import LoginResult
from paperpath.intake.service import HANDSHAKE_S
from paperpath.journal.events import Refused, SessionEnded
from paperpath.mail.address import Mailbox
from paperpath.service.tls.contexts import ServerTls
from paperpath.smtp import replies
from paperpath.smtp.events import KeysWanted, LoginEvent, PasswordReceived
from paperpath.smtp.scram import ScramKeys
from tests.support.tls import TlsClient
from tests.unit.config.example import RIGHT, configure
from tests.unit.intake.test_session import Setting

JOE = Mailbox("joe", "here.example")
PLAIN = b"AUTH PLAIN " + base64.b64encode(b"\0joe\0secret") + b"\r\n"
SCRAM = b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=joe,r=abc") + b"\r\n"


class Desk:
    """Judges when it is told to."""

    def __init__(self) -> None:
        self.judged: asyncio.Future[LoginResult] = asyncio.get_running_loop().create_future()
        self.asked: list[LoginEvent] = []
        self.keys: ScramKeys | None = None

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        self.asked.append(event)
        return self.keys

    async def judge(self, event: LoginEvent, guest: Guest) -> LoginResult:
        self.asked.append(event)
        return await self.judged


class LoginSetting(Setting):
    """A session with a desk; AUTH needs no TLS, unless the door has it."""

    def __init__(self, door: Door = Door.LOCAL, tls: ServerTls | None = None) -> None:
        super().__init__(idle_timeout_s=60, tls=tls)
        self.session.connection_lost(None)
        self.desk = Desk()
        settings = replace(
            self.service.settings,
            submission=True,
            auth_required=True,
            auth_in_clear=True,
            mechanisms=("SCRAM-SHA-256", "PLAIN"),
        )
        self.service = replace(self.service, settings=settings, logins=self.desk)
        self.transport = self.connect(door)

    def say(self, octets: bytes) -> None:
        self.session.data_received(octets)


def run(scene: Callable[[LoginSetting], Awaitable[None]]) -> None:
    async def play() -> None:
        setting = LoginSetting()
        setting.say(b"EHLO c\r\n")
        await scene(setting)
        setting.session.connection_lost(None)

    asyncio.run(play())


def test_A84_who_is_let_in_goes_on_and_is_named_to_whoever_asks() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(b"MAIL FROM:<a@b.example>\r\n" + PLAIN)
        await setting.settle()
        assert setting.codes() == [b"220", b"250", b"530"]
        setting.desk.judged.set_result(LoginResult(replies.R235_LOGGED_IN, JOE))
        await setting.settle()
        setting.say(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\nx\r\n.\r\n")
        await setting.settle()
        assert setting.codes()[3:] == [b"235", b"250", b"250", b"354", b"250"]
        (message,) = setting.store.messages.values()
        client = message.client
        assert (client.account, client.protocol) == ("joe@here.example", "ESMTPA")

    run(scene)


def test_S7_nothing_more_is_read_before_it_is_judged() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN + b"NOOP\r\n" * 20_000)
        await setting.settle()
        assert setting.codes() == [b"220", b"250"]
        assert not setting.transport.is_reading()
        setting.desk.judged.set_result(LoginResult(replies.R535_WRONG))
        await setting.settle()
        assert setting.codes()[2:] == [b"535"] + [b"250"] * 20_000
        assert setting.transport.is_reading()

    run(scene)


def test_P9_a_failed_login_is_told_without_what_was_said() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN)
        setting.desk.judged.set_result(LoginResult(replies.R535_WRONG))
        await setting.settle()
        (told,) = setting.told
        assert isinstance(told, Refused)
        assert (told.verb, told.argument) == ("AUTH", "PLAIN")

    run(scene)


def test_P9_a_session_with_too_many_failed_logins_is_told_to_have_been_ended() -> None:
    async def scene(setting: LoginSetting) -> None:
        for _ in range(5):
            setting.desk.judged = asyncio.get_running_loop().create_future()
            setting.say(PLAIN)
            setting.desk.judged.set_result(LoginResult(replies.R535_WRONG))
            await setting.settle()
        *refused, ended = setting.told
        assert [type(told) for told in refused] == [Refused] * 5
        assert isinstance(ended, SessionEnded)
        assert ended.reply == "421 4.7.0 Too many errors; closing"
        assert setting.metrics.limits.counts == {"errors": 1}

    run(scene)


def test_P6_whoever_waits_to_be_judged_is_not_idle() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN)
        now_s = asyncio.get_running_loop().time()
        setting.session.check_time(now_s + 3600)
        assert not setting.transport.closed
        setting.desk.judged.set_result(LoginResult(replies.R535_WRONG))
        await setting.settle()
        setting.session.check_time(now_s + 59)
        assert not setting.transport.closed

    run(scene)


def test_a_client_that_ended_its_side_gets_its_answer() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN)
        assert setting.session.eof_received()
        setting.desk.judged.set_result(LoginResult(replies.R535_WRONG))
        await setting.settle()
        assert setting.codes()[-1] == b"535"
        assert setting.transport.closed

    run(scene)


@pytest.mark.parametrize("how", ["end", "leave"])
def test_nobody_is_told_what_was_judged_after_the_end(how: str) -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN)
        await setting.settle()
        if how == "end":
            setting.session.end()
        setting.session.connection_lost(None)
        written = setting.transport.written
        await setting.settle()
        assert setting.desk.judged.cancelled()
        assert setting.transport.written == written
        assert written.endswith(b"421 4.3.2 Shutting down; come back soon\r\n") is (how == "end")
        setting.transport = setting.connect()

    run(scene)


def test_who_leaves_in_the_very_moment_of_the_judgement_hears_nothing() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN)
        await setting.settle()
        setting.desk.judged.set_result(LoginResult(replies.R235_LOGGED_IN, JOE))
        await asyncio.sleep(0)  # judged, and not yet told
        setting.session.connection_lost(None)
        written = setting.transport.written
        await setting.settle()
        assert setting.transport.written == written
        setting.transport = setting.connect()

    run(scene)


def test_A73_who_is_too_many_where_tls_comes_first_is_told_nothing_in_the_clear(tmp_path: Path) -> None:
    async def play() -> None:
        setting = LoginSetting(Door.TLS, ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}')))
        setting.service.connections.most = 1
        transport = setting.connect(Door.TLS)
        assert transport.closed
        assert transport.written == b""
        setting.session.connection_lost(None)

    asyncio.run(play())


def test_A84_what_fails_here_lets_nobody_in_and_is_told_to_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(PLAIN)
        setting.desk.judged.set_exception(OSError("no file"))
        await setting.settle()
        assert setting.codes()[-1] == b"454"
        setting.say(b"MAIL FROM:<a@b.example>\r\n")
        assert setting.codes()[-1] == b"530"

    run(scene)
    assert "cannot judge a login" in capsys.readouterr().err


def test_S7_scram_gets_keys_or_what_is_judged_without() -> None:
    async def scene(setting: LoginSetting) -> None:
        setting.say(SCRAM)
        setting.desk.judged.set_result(LoginResult(replies.R454_NO_LOGIN))
        await setting.settle()
        assert setting.codes()[-1] == b"454"
        setting.desk.keys = ScramKeys(b"salt" * 4, 4096, bytes(32), bytes(32))
        setting.say(SCRAM)
        assert setting.codes()[-1] == b"334"
        assert [type(event) for event in setting.desk.asked] == [KeysWanted, KeysWanted, KeysWanted]

    run(scene)


def test_L5_no_secret_is_in_what_is_written_of_an_event() -> None:
    assert "secret" not in repr(PasswordReceived("PLAIN", "joe", "", "secret"))


def test_A73_where_tls_comes_first_the_greeting_is_inside_it(tmp_path: Path) -> None:
    async def play() -> None:
        setting = LoginSetting(Door.TLS, ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}')))
        assert setting.transport.written == b""
        client = TlsClient()
        setting.say(client.hello())
        client.incoming.write(setting.transport.written)
        client.ssl_object.do_handshake()
        sent = len(setting.transport.written)
        setting.say(client.outgoing.read())
        greeting = client.decrypt(setting.transport.written[sent:])
        assert greeting.startswith(b"220 mx.here.example ESMTP")
        sent = len(setting.transport.written)
        setting.say(client.encrypt(b"EHLO c\r\nSTARTTLS\r\n"))
        said = client.decrypt(setting.transport.written[sent:])
        assert b"STARTTLS" not in said
        assert b"\r\n503 5.5.1 " in said
        setting.session.connection_lost(None)

    asyncio.run(play())


@pytest.mark.parametrize("said", [b"", b"EHLO c\r\n"])
def test_A73_P6_who_brings_no_tls_there_is_sent_away(tmp_path: Path, said: bytes) -> None:
    async def play() -> None:
        setting = LoginSetting(Door.TLS, ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}')))
        if said:
            setting.say(said)
            assert setting.transport.closed
        now_s = asyncio.get_running_loop().time()
        setting.session.check_time(now_s + HANDSHAKE_S + 1)
        assert setting.transport.closed
        assert b"220" not in setting.transport.written
        setting.session.connection_lost(None)

    asyncio.run(play())
