"""How a relay is asked about a trick: over a connection, or by its own code where that cannot be.

Called by `paperpath selftest relay`. No message is ever begun: behind the recipient comes RSET.
"""

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from paperpath.commands.selftest_tricks import Trick
from paperpath.config.endpoint import Endpoint
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.smtp import events, replies
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings

_PATIENCE_S = 120.0  # lists may be asked first, and the tarpit may hold a reply back
_MOST_TRICKS = 10  # of a connection, which ends after so many errors

Judge = Callable[[Mailbox], Reply]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a trick: the code of the reply and its text."""

    code: int
    text: str
    is_for_recipient: bool = True

    @property
    def is_taken(self) -> bool:
        """Whether the recipient was taken."""
        return self.is_for_recipient and 200 <= self.code < 300


class UnreachableError(Exception):
    """The relay cannot be asked."""


class Dialogue(Protocol):
    """Somebody who can be asked about tricks."""

    def attempt(self, trick: Trick) -> Answer:
        """Try one. Raises: UnreachableError."""


class LiveDialogue:
    """With the running relay, from an address of this host; a new connection every now and then."""

    def __init__(self, server: Endpoint, source: str) -> None:
        """Connect at the first trick."""
        self._server = server
        self._source = source
        self._client: smtplib.SMTP | None = None
        self._tried = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def attempt(self, trick: Trick) -> Answer:
        """Try one. Raises: UnreachableError."""
        try:
            return self._attempt(trick)
        except (OSError, smtplib.SMTPException) as error:
            self._client = None
            raise UnreachableError(f"{self._server}, from {self._source}: {error}") from error

    def _attempt(self, trick: Trick) -> Answer:
        client = self._find_client()
        self._tried += 1
        code, text = client.docmd("EHLO", trick.hello)
        if code < 400:
            code, text = _say(client, f"MAIL FROM:{trick.sender}", trick.sender_parameters)
        if code >= 400:
            return Answer(code, _show(text), is_for_recipient=False)
        code, text = _say(client, f"RCPT TO:{trick.recipient}", trick.parameters)
        if not _reset(client):
            self._leave()
        return Answer(code, _show(text))

    def _find_client(self) -> smtplib.SMTP:
        if self._client is not None and self._tried < _MOST_TRICKS:
            return self._client
        self._leave()
        client = smtplib.SMTP(timeout=_PATIENCE_S, source_address=(self._source, 0))
        client.command_encoding = "utf-8"
        code, text = client.connect(self._server.host, self._server.port)
        if code != 220:
            client.close()
            raise UnreachableError(f"{self._server}, from {self._source}: {code} {_show(text)}")
        self._client, self._tried = client, 0
        return client

    def _leave(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


class CoreDialogue:
    """With the relay's core and its rule for recipients, as a normal client would meet them."""

    def __init__(self, settings: Settings, judge: Judge) -> None:
        """Take what the relay announces, and who judges recipients."""
        self._settings = settings
        self._judge = judge

    def attempt(self, trick: Trick) -> Answer:
        """Try one."""
        core = ServerConnection(self._settings)
        self._ask(core, f"EHLO {trick.hello}")
        answer = self._ask(core, f"MAIL FROM:{trick.sender} {trick.sender_parameters}".rstrip())
        if answer.code >= 400:
            return Answer(answer.code, answer.text, is_for_recipient=False)
        return self._ask(core, f"RCPT TO:{trick.recipient} {trick.parameters}".rstrip())

    def _ask(self, core: ServerConnection, line: str) -> Answer:
        core.octets_to_send()
        core.receive(f"{line}\r\n".encode())
        while (event := core.next_event()) is not None:
            match event:
                case events.SenderReceived():
                    core.reply(replies.R250_SENDER)
                case events.RecipientReceived(recipient):
                    core.reply(self._judge(recipient.address))
        reply = core.octets_to_send().splitlines()[-1]
        return Answer(int(reply[:3]), _show(reply[4:]))


def _say(client: smtplib.SMTP, command: str, parameters: str) -> tuple[int, bytes]:
    return client.docmd(f"{command} {parameters}".rstrip())


def _reset(client: smtplib.SMTP) -> bool:
    """Begin anew; tell whether the relay still talks to us, for it may have had enough of errors."""
    try:
        return client.docmd("RSET")[0] == 250
    except smtplib.SMTPServerDisconnected:
        return False


def _show(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\n", " ")
