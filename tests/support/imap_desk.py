"""imapd in one process without sockets: real dialogues over a real mail store, joe's, whoever logs in.

Each session's octets go into its core, and it works until nothing is left to do; so do those who idle and
were woken by that. TLS and compression are begun, and leave the octets as they are.
"""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar, cast

from paperpath.accounts.verifier import Ruling
from paperpath.config.quota import NO_QUOTA, Quota
from paperpath.folders.maildir import Maildir, Place, create_maildir, to_stored_lines
from paperpath.folders.store.tree import MaildirStore
from paperpath.imap.completion import ok
from paperpath.imap.desk.sharing import SharedLook
from paperpath.imap.dialogue import Dialogue
from paperpath.imap.imapd import CARRIED_OUT
from paperpath.imap.logins import Admission, ImapLogins
from paperpath.imap.metrics import ImapMetrics
from paperpath.imap.server import ServerConnection
from paperpath.imap.service import Service
from paperpath.imap.settings import Settings
from paperpath.imap.turns import Turns
from paperpath.imap.watch import Watch
from paperpath.intake.connections import Connections
from paperpath.intake.guest import Guest
from paperpath.intake.sessions import Sessions
from paperpath.mail.address import parse_mailbox
from paperpath.service.log import open_log
from paperpath.smtp.events import KeysWanted, LoginEvent
from paperpath.smtp.scram import ScramKeys

_Result = TypeVar("_Result")

BOX = PurePosixPath("joe")
SETTINGS = Settings(
    "imap.here.example", 100_000, extensions=CARRIED_OUT, tls=True, mechanisms=("SCRAM-SHA-256", "PLAIN")
)


class EveryoneIsJoe(ImapLogins):
    """Lets in whoever asks."""

    def __init__(self, store: MaildirStore) -> None:
        self._store = store

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        return None

    async def judge(self, event: LoginEvent, guest: Guest) -> Admission:
        return Admission(ok("Logged in"), Ruling.ACCEPTED, parse_mailbox("joe@here.example"), self._store)


@dataclass(eq=False)
class Client:
    """One session, seen from the client. Keeps the contract of the dialogue's `Link`."""

    house: "House"
    heard: bytes = b""
    is_gone: bool = False
    woken: bool = False
    dialogue: Dialogue = field(init=False)

    def send(self, octets: bytes) -> None:
        self.heard += octets

    async def wait_until_read(self) -> None: ...

    def start_tls(self) -> None:
        self.dialogue.core.tls_started()

    def start_compression(self) -> None: ...

    def close(self) -> None:
        self.is_gone = True

    def wake(self, shared: SharedLook) -> None:
        self.woken = True
        self.dialogue.note_news(shared)

    def say(self, octets: bytes) -> list[bytes]:
        """Send octets; return what came, line by line, since this was called last."""
        self.dialogue.core.receive(octets)
        self.woken = True
        self.house.settle()
        return self.take_lines()

    def ask(self, words: bytes | str) -> list[bytes]:
        """Send a command, its tag put in front; return the lines of its answer."""
        octets = words.encode() if isinstance(words, str) else words
        return self.say(b"t " + octets + b"\r\n")

    def put(self, mailbox: str, message: bytes, between: str = "") -> bytes:
        """Append a message; return the tagged line."""
        return self.ask(
            b"APPEND %s %s{%d+}\r\n" % (mailbox.encode(), between.encode(), len(message)) + message
        )[-1]

    def take_lines(self) -> list[bytes]:
        """Return what came and was not taken yet."""
        heard, self.heard = self.heard, b""
        assert not heard or heard.endswith(b"\r\n"), heard
        return heard.split(b"\r\n")[:-1]


class House:
    """An account's mailbox, those who read in it, and somebody who delivers into it."""

    def __init__(self, folder: Path, quota: Quota, settings: Settings) -> None:
        create_maildir(folder, BOX)
        self.folder = folder
        self.quota = quota
        self.settings = settings
        self.store = MaildirStore(folder, BOX, quota=quota)
        self.clients: list[Client] = []
        self._numbers = itertools.count(1)
        self._turns = Turns(2)
        self._runner = asyncio.Runner()
        self.service = Service(
            settings=settings,
            tls=cast("Any", None),
            logins=EveryoneIsJoe(self.store),
            sessions=Sessions(),
            connections=Connections(100, 100),
            turns=self._turns,
            watch=Watch(self._tell),
            metrics=ImapMetrics(),
            log=open_log("imapd", "text"),
            idle_timeout_s=1800,
            clock_us=lambda: self.store._home.clock_ns() // 1000,
        )

    def enter(self, *, logged_in: bool = True, encrypted: bool = True) -> Client:
        """Connect; the greeting, and the answer to the login, are taken."""
        client = Client(self)

        async def connect() -> None:
            core = ServerConnection(self.settings, encrypted=encrypted)
            client.dialogue = Dialogue(self.service, client, core, Guest("192.0.2.1"), self.service.log)

        self._runner.run(connect())
        self.clients.append(client)
        if logged_in:
            client.ask("LOGIN joe secret")
        return client

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Have something done in the event loop of the sessions."""
        return self._runner.run(work)

    def settle(self) -> None:
        """Have everybody work until nothing is left to do."""

        async def work() -> None:
            while (client := next((each for each in self.clients if each.woken), None)) is not None:
                client.woken = False
                await client.dialogue.advance()

        self._runner.run(work())

    def deliver(self, octets: bytes) -> None:
        """Deliver as smtpld does, its wake-up too. Raises: OverQuotaError, and so on."""
        with Maildir(self.folder, Place(BOX), quota=self.quota) as maildir:
            maildir.write(f"1700000000.M1R{next(self._numbers)}.host", to_stored_lines([octets]))
            maildir.flush()
        self.look()

    def look(self) -> None:
        """Tell those who idle that something may be new."""
        self._tell()
        self.settle()

    def _tell(self) -> None:
        watch = self.service.watch
        watch.tell(watch.look())

    def close(self) -> None:
        for client in self.clients:
            client.is_gone = True
            self._runner.run(client.dialogue.end())
        self._turns.close()
        self._runner.close()


@contextmanager
def open_house(folder: Path, *, quota: Quota = NO_QUOTA, settings: Settings = SETTINGS) -> Iterator[House]:
    """Give a mailbox with nothing in it, and nobody connected."""
    house = House(folder, quota, settings)
    try:
        yield house
    finally:
        house.close()
