"""A session over a transport of our own making: clients that do not read, or half-close (P6, S-2)."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paperpath.config.intake_tables import SubmissionTable
from paperpath.config.limit_tables import LimitsTable, TarpitTable
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import Access
from paperpath.intake.access_text import parse_access
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.client_names import ClientNames
from paperpath.intake.connections import Connections
from paperpath.intake.conversation import CLOSE_S
from paperpath.intake.guard import Guard, GuardMeans
from paperpath.intake.guest import Door, Guest
from paperpath.intake.list_desk import ListDesk
from paperpath.intake.list_means import Remembers
from paperpath.intake.null_session import NullSession
from paperpath.intake.opening import Opening
from paperpath.intake.reception import RelayReception
from paperpath.intake.service import HANDSHAKE_S, TRANSACTION_S, Service
from paperpath.intake.session import Session
from paperpath.intake.sessions import Sessions
from paperpath.intake.space import FreeSpace
from paperpath.journal.events import (
    Accepted,
    BrokenOff,
    Changed,
    Event,
    MessageRefused,
    RefusalsLeftOut,
    Refused,
    TurnedAway,
)
from paperpath.journal.lines import encode_event
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.service.log import open_log
from paperpath.service.metrics import IntakeMetrics
from paperpath.service.tls.contexts import ServerTls
from paperpath.smtp import replies
from paperpath.smtp.settings import Settings
from tests.support.tls import TlsClient
from tests.unit.config.example import RIGHT, configure

MESSAGE = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\nx\r\n.\r\n"


_NO_LIMITS = LimitsTable()


class Transport(asyncio.Transport):
    """Notes what a session does with it. It is the test that lets `close` come to an end, or not."""

    def __init__(self, peer: tuple[str, int] = ("192.0.2.1", 40000)) -> None:
        super().__init__()
        self.peer = peer
        self.protocol: Opening | Session | NullSession
        self.has_session = asyncio.Event()
        self.written = b""
        self.reading = True
        self.closed = False
        self.aborted = False
        self.connection: socket.socket | None = None
        self.wrote = asyncio.Event()

    def get_extra_info(self, name: str, default: object = None) -> object:
        if name == "socket":
            return self.connection
        return self.peer if name == "peername" else None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, Opening | Session | NullSession)
        self.protocol = protocol
        if isinstance(protocol, Session):
            self.has_session.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self.wrote.set()

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True
        self.aborted = True

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Setting:
    """A session, its transport, and the maildrop behind it; the way in is this one itself."""

    def __init__(
        self,
        idle_timeout_s: float = 60,
        most: int = 2,
        tls: ServerTls | None = None,
        lists: ListDesk | None = None,
        tarpit: TarpitTable | None = None,
        limits: LimitsTable = _NO_LIMITS,
        rules: str = "",
        resolver: Remembers | None = None,
    ) -> None:
        self.store = MemoryStore()
        self.metrics = IntakeMetrics()
        self.told: list[Event] = []
        self.refused = ""  # the local part
        self.changes: Sequence[str] = ()
        self.granted: ServiceClass | None = None  # whatever the rules say
        self.uid: int | None = None
        self.sessions = Sessions()
        table = SubmissionTable(
            most_connections=most, most_connections_per_client=2, tarpit=tarpit, limits=limits
        )
        self.access = Access([*parse_access(rules, "rules")])
        self.means = GuardMeans(Connections(0, 0), self.metrics)
        self.service = Service(
            Settings(
                "mx.here.example", size=100_000, recipients=100, errors=limits.errors, tls=tls is not None
            ),
            tls,
            MemoryMaildrop(self.store),
            self.means.connections,
            Guard(table, self.means),
            SpoolBudget(2**20),
            FreeSpace(Path(), 0),
            self,
            lambda: datetime(2026, 11, 22, tzinfo=UTC),
            idle_timeout_s,
            open_log("test"),
            self.metrics,
            self.told.append,
            lists=lists,
            names=None if resolver is None else ClientNames(self.access, resolver),
        )
        self.transport = self.connect()

    def connect(self, door: Door = Door.CLEAR, client: str = "192.0.2.1") -> Transport:
        """Have a connection begin."""
        transport, opening = Transport((client, 40000)), Opening(self.service, self.sessions, door)
        transport.set_protocol(opening)
        opening.connection_made(transport)
        return transport

    @property
    def session(self) -> Opening | Session | NullSession:
        """What the event loop would call."""
        return self.transport.protocol

    # The way in

    def welcome(self, address: str, uid: int | None, names: Sequence[str] = ()) -> Guest:
        service = self.granted or self.access.read().classify(address, names)
        return Guest(address, service, uid if self.uid is None else self.uid)

    def judge_sender(self, sender: Mailbox | None, guest: Guest) -> tuple[Reply, Mailbox | None]:
        return replies.R250_SENDER, sender

    def judge_recipient(self, recipient: Mailbox, guest: Guest) -> tuple[Reply, Mailbox]:
        is_refused = recipient.local == self.refused
        return replies.R550_NO_SUCH_MAILBOX if is_refused else replies.R250_RECIPIENT, recipient

    def receive(self, envelope: Envelope, stamp: Stamp, guest: Guest) -> RelayReception:
        reception = RelayReception(self.service.maildrop, self.service.budget, envelope, stamp)
        reception.changes = self.changes
        return reception

    async def settle(self) -> None:
        """Let what was begun come to an end."""
        for _ in range(10):
            await asyncio.sleep(0)

    def codes(self) -> list[bytes]:
        return [line[:3] for line in self.transport.written.splitlines() if line[3:4] == b" "]


def run(scene: Callable[[Setting], Awaitable[None]], **options: Any) -> None:
    async def play() -> None:
        setting = Setting(**options)
        await scene(setting)
        setting.session.connection_lost(None)

    asyncio.run(play())


def test_S2_replies_stop_while_the_client_does_not_read() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.pause_writing()
        before = len(setting.transport.written)
        setting.session.data_received(b"EHLO a\r\n" * 40_000)
        assert len(setting.transport.written) == before
        assert not setting.transport.is_reading()
        setting.session.resume_writing()
        assert setting.codes() == [b"220"] + [b"250"] * 40_000
        assert setting.transport.is_reading()

    run(scene)


def test_P6_reading_stops_while_a_message_is_stored() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE + b"NOOP\r\n" * 20_000)
        assert not setting.transport.is_reading()
        await setting.settle()
        assert setting.transport.is_reading()
        assert len(setting.codes()) == 6 + 20_000

    run(scene)


@pytest.mark.parametrize("ending", ["idle", "quit", "end"])
def test_P6_a_client_that_does_not_read_the_last_reply_is_cut_off(ending: str) -> None:
    async def scene(setting: Setting) -> None:
        now_s = asyncio.get_running_loop().time()
        setting.session.check_time(now_s + 59)
        assert setting.codes() == [b"220"]
        if ending == "quit":
            setting.session.data_received(b"QUIT\r\n")
        elif ending == "end":
            setting.session.end()
        else:
            setting.session.check_time(now_s + 61)
        setting.session.check_time(now_s + 20)
        assert setting.transport.aborted is False
        setting.session.check_time(now_s + 61 + CLOSE_S)
        assert bool(setting.transport.aborted)
        assert setting.codes()[-1] == {"idle": b"421", "quit": b"221", "end": b"421"}[ending]

    run(scene)


def test_P6_who_may_be_silent_for_a_moment_only_has_no_longer_to_read_the_last_reply() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(b"QUIT\r\n")
        now_s = asyncio.get_running_loop().time()
        setting.session.check_time(now_s + 2)
        assert setting.transport.aborted is False
        setting.session.check_time(now_s + 4)
        assert bool(setting.transport.aborted)

    run(scene, idle_timeout_s=3)


@pytest.mark.parametrize(("idle_timeout_s", "deadline_s"), [(300, HANDSHAKE_S), (3, 3)])
def test_P6_S2_a_handshake_has_its_own_deadline_however_busy_the_client(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], idle_timeout_s: int, deadline_s: float
) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(b"EHLO c\r\n")
        setting.session.data_received(b"STARTTLS\r\n")
        now_s = asyncio.get_running_loop().time()
        for octet in TlsClient().hello()[:-1]:
            setting.session.data_received(bytes([octet]))
        setting.session.check_time(now_s + deadline_s - 1)
        assert setting.transport.aborted is False
        setting.session.check_time(now_s + deadline_s + 1)
        assert bool(setting.transport.aborted)

    tls = ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}'))
    run(scene, idle_timeout_s=idle_timeout_s, tls=tls)
    assert "TLS failed" in capsys.readouterr().err


def test_after_the_handshake_a_client_may_be_idle_as_before(tmp_path: Path) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(b"STARTTLS\r\n")
        sent, client = len(setting.transport.written), TlsClient()
        setting.session.data_received(client.hello())
        client.incoming.write(setting.transport.written[sent:])
        client.ssl_object.do_handshake()
        setting.session.data_received(client.outgoing.read())
        now_s = asyncio.get_running_loop().time()
        setting.session.check_time(now_s + 299)
        assert not setting.transport.closed

    run(scene, idle_timeout_s=300, tls=ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}')))


def test_S2_a_trickle_ends_with_the_deadline_of_its_transaction() -> None:
    async def scene(setting: Setting) -> None:
        now_s = asyncio.get_running_loop().time()
        setting.session.data_received(MESSAGE.removesuffix(b".\r\n"))
        deadline_s = TRANSACTION_S + 100_000 / 1024
        setting.session._overdue_s = now_s + 10_000  # it sends an octet now and then
        setting.session.check_time(now_s + deadline_s - 1)
        assert setting.codes()[-1] == b"354"
        setting.session.check_time(now_s + deadline_s + 1)
        assert setting.codes()[-1] == b"421"
        assert setting.transport.closed

    run(scene)


def test_a_client_that_half_closes_behind_the_dot_gets_its_reply() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE)
        assert setting.session.eof_received() is True
        await setting.settle()
        assert setting.codes() == [b"220", b"250", b"250", b"250", b"354", b"250"]
        assert setting.transport.closed
        assert setting.session.eof_received() is False

    run(scene)


def test_D7_a_connection_lost_while_storing_keeps_the_message_and_lets_the_session_go() -> None:
    async def play() -> None:
        setting = Setting()
        setting.session.data_received(MESSAGE)
        setting.transport.closed = True
        setting.session.connection_lost(ConnectionResetError())
        await setting.settle()
        assert setting.store.counts.accepted == 1
        async with asyncio.timeout(1):
            await setting.sessions.end(patience_s=60)

    asyncio.run(play())


def test_A59_who_talks_early_is_noticed_and_served(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE)
        await setting.settle()
        assert setting.codes() == [b"220", b"250", b"250", b"250", b"354", b"250"]

    run(scene)
    assert "early talker" in capsys.readouterr().err


def test_S9_the_log_has_both_spellings_of_a_domain(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE.replace(b"a@b.example", b"a@xn--bcher-kva.example"))
        await setting.settle()

    run(scene)
    assert r"sender='<a@xn--bcher-kva.example> (b\xfccher.example)'" in capsys.readouterr().err


def test_what_is_said_and_heard_is_counted() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE + b"FOO secret\r\nNOOP\r\n")
        await setting.settle()
        metrics = setting.metrics
        assert (metrics.connections, metrics.open_connections, metrics.messages) == (1, 1, 1)
        assert metrics.commands.counts == {
            "EHLO": 1,
            "MAIL": 1,
            "RCPT": 1,
            "DATA": 1,
            "NOOP": 1,
            "unknown": 1,
        }
        assert metrics.replies.counts[220, ""] == metrics.replies.counts[354, ""] == 1
        assert metrics.replies.counts[500, "5.5.1"] == 1
        assert metrics.octets_in == len(MESSAGE) + 18
        assert metrics.octets_out == len(setting.transport.written)
        setting.session.connection_lost(None)
        assert metrics.open_connections == 0
        setting.transport = setting.connect()

    run(scene)


def test_who_is_named_twice_gets_one_copy() -> None:
    async def scene(setting: Setting) -> None:
        again = b"RCPT TO:<u@HERE.example>\r\nRCPT TO:<U@here.example>\r\nDATA\r\n"
        setting.session.data_received(MESSAGE.replace(b"DATA\r\n", again))
        await setting.settle()
        assert setting.store.counts.accepted == 2  # u and U may be two

    run(scene)


def test_P6_who_is_too_many_hears_why_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(setting: Setting) -> None:
        transport = setting.connect()
        assert transport.written == b"421 4.3.2 Too many connections; come back soon\r\n"
        assert transport.closed
        transport.protocol.connection_lost(None)
        assert len(setting.sessions) == 1
        metrics = setting.metrics
        assert (metrics.connections, metrics.open_connections, metrics.refused_connections) == (1, 1, 1)
        assert metrics.replies.counts[421, "4.3.2"] == metrics.limits.counts["connections"] == 1
        (told,) = setting.told
        assert told == TurnedAway("192.0.2.1", "", "421 4.3.2 Too many connections; come back soon", 1)
        setting.session.connection_lost(None)
        transport = setting.connect()
        assert transport.written.startswith(b"220 ")
        transport.protocol.connection_lost(None)
        setting.transport = setting.connect()

    run(scene, most=1)
    assert "warning turned away client=192.0.2.1 reply='421 4.3.2 Too many" in capsys.readouterr().err


def test_P9_a_message_is_told_with_where_it_came_from() -> None:
    async def scene(setting: Setting) -> None:
        header = b"DATA\r\nMessage-ID:\r\n <1@c.example>\r\n\r\n"
        setting.session.data_received(MESSAGE.replace(b"DATA\r\n", header).replace(b"@here", b"@HERE"))
        await setting.settle()
        (told,) = setting.told
        assert isinstance(told, Accepted)
        assert (told.sender, told.recipients, told.more_recipients) == ("a@b.example", ("u@here.example",), 0)
        assert (told.client, told.hello, told.protocol, told.origin) == ("192.0.2.1", "c", "ESMTP", "relay")
        assert told.message_id == "<1@c.example>"
        assert told.queue_id.encode() in setting.transport.written
        assert told.size > 50
        assert told.session

    run(scene)


@pytest.mark.parametrize(("made", "more"), [(1, 0), (100, 0), (100_000, 99_900)])
def test_P9_S2_of_one_header_a_hundred_changes_are_told_and_how_many_more(made: int, more: int) -> None:
    async def scene(setting: Setting) -> None:
        changes = [f"X{number} folded anew" for number in range(made)]
        setting.changes = changes
        setting.session.data_received(MESSAGE)
        await setting.settle()
        accepted, changed = setting.told
        assert isinstance(accepted, Accepted)
        assert isinstance(changed, Changed)
        assert (changed.changes, changed.more_changes) == (tuple(changes[:100]), more)
        assert changed.queue_id == accepted.queue_id

    run(scene)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"RCPT TO:<no@here.example>", ("RCPT", "TO:<no@here.example>", "550 5.1.1 No such mailbox here")),
        (b"RCPT TO:<>", ("RCPT", "TO:<>", "501 5.1.3 Bad recipient: a recipient cannot be empty")),
        (b"MAIL FROM:<a@b.example>", ("MAIL", "FROM:<a@b.example>", str(replies.R503_ONE_MAIL))),
        (b"AUTH PLAIN c2VjcmV0", ("AUTH", "", "502 5.5.1 This command is not implemented")),
    ],
)
def test_P9_each_refused_command_is_told(line: bytes, told: tuple[str, str, str]) -> None:
    async def scene(setting: Setting) -> None:
        setting.refused = "no"
        setting.session.data_received(b"EHLO c\r\nMAIL FROM:<a@B.example>\r\n" + line + b"\r\n")
        (refused,) = setting.told
        assert isinstance(refused, Refused)
        assert (refused.verb, refused.argument, refused.reply) == told
        assert (refused.client, refused.hello, refused.sender) == ("192.0.2.1", "c", "a@b.example")
        assert "c2VjcmV0" not in encode_event(refused, 0)

    run(scene)


def test_P9_of_one_session_a_hundred_refusals_are_told_and_how_many_more() -> None:
    async def scene(setting: Setting) -> None:
        setting.refused = "no"
        setting.session.data_received(b"EHLO c\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<no@here.example>\r\n" * 150)
        setting.session.connection_lost(None)
        assert [type(event) for event in setting.told] == [Refused] * 100 + [BrokenOff, RefusalsLeftOut]
        assert getattr(setting.told[-1], "count", 0) == 50
        setting.transport = setting.connect()

    run(scene)


@pytest.mark.parametrize(
    ("lines", "reply"),
    [(b"Received: x\r\n" * 100, replies.R554_LOOP), (b"a\nb\r\n", replies.R550_BARE_NEWLINE)],
)
def test_P9_a_message_that_is_refused_at_its_end_is_told(lines: bytes, reply: Reply) -> None:
    async def scene(setting: Setting) -> None:
        begin, _, end = MESSAGE.partition(b"x\r\n.\r\n")
        setting.session.data_received(begin + b"Message-ID: <1@x>\r\nSubject: x\r\n")
        setting.session.data_received(lines + end + b".\r\n")
        await setting.settle()
        (told,) = setting.told
        assert isinstance(told, MessageRefused)
        assert (told.reply, told.message_id) == (str(reply), "<1@x>")
        assert (told.sender, told.recipients) == ("a@b.example", ("u@here.example",))

    run(scene)


@pytest.mark.parametrize(
    ("ending", "reply"),
    [("lost", ""), ("idle", str(replies.R421_IDLE)), ("end", str(replies.R421_SHUTTING_DOWN))],
)
def test_P9_a_transaction_without_a_message_is_told_once(ending: str, reply: str) -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE.removesuffix(b".\r\n"))
        if ending == "idle":
            setting.session.check_time(asyncio.get_running_loop().time() + 61)
        elif ending == "end":
            setting.session.end()
        setting.session.connection_lost(None)
        (told,) = setting.told
        assert isinstance(told, BrokenOff)
        assert (told.sender, told.recipients, told.reply) == ("a@b.example", ("u@here.example",), reply)
        setting.transport = setting.connect()

    run(scene)


def test_P9_who_quits_or_says_nothing_wrong_is_not_told_of() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE.partition(b"DATA")[0] + b"QUIT\r\n")
        setting.session.connection_lost(None)
        assert setting.told == []
        setting.transport = setting.connect()

    run(scene)


def test_P9_a_session_that_we_end_for_its_errors_tells_of_the_transaction() -> None:
    async def scene(setting: Setting) -> None:
        setting.session.data_received(MESSAGE.partition(b"DATA")[0] + b"BDAT x\r\n")
        setting.session.connection_lost(None)
        assert [type(event) for event in setting.told] == [Refused, BrokenOff]
        setting.transport = setting.connect()

    run(scene)
