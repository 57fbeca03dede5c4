"""Driving the SMTP server core without a socket: octets in, octets and messages out."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

from paperpath.accounts.file import parse_accounts
from paperpath.config.loader import parse_configuration
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.aliases import Aliases
from paperpath.routing.router import Router
from paperpath.smtp import events, replies
from paperpath.smtp.sasl import MECHANISMS
from paperpath.smtp.scram import derive_keys
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from tests.support.installation import ACCOUNTS, configuration_text, pathless

SETTINGS = Settings("mx.here.example", size=100_000, recipients=100, tls=True)
SUBMISSION = Settings(
    "mx.here.example",
    size=100_000,
    recipients=100,
    tls=True,
    dsn=True,
    submission=True,
    mechanisms=MECHANISMS,
    auth_required=True,
)
PASSWORDS = {"tim": "tanstaaftanstaaf", "user": "pencil"}  # of the examples in RFC 4616 and RFC 7677
CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
KEYS = {name: derive_keys(password, SALT, 4096) for name, password in PASSWORDS.items()}
_FAKE_KEYS = derive_keys("nobody knows this", SALT, 4096)
_CONFIGURATION = parse_configuration(configuration_text(port=2525), pathless())
_ACCEPTANCE = Acceptance(_CONFIGURATION.relay)
_ACCOUNTS = parse_accounts("".join(f"{address}\tx/{address}\n" for address in ACCOUNTS))
_ROUTER = Router(_CONFIGURATION.post_office, Aliases(), _ACCOUNTS)


@dataclass
class Heard:
    """What a core made of the octets it was given."""

    output: bytes = b""
    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    logins: list[events.LoginEvent] = field(default_factory=list)
    quit: bool = False

    @property
    def replies(self) -> list[bytes]:
        """The replies, whole, in order."""
        found: list[bytes] = []
        fresh = True
        for line in self.output.splitlines(keepends=True):
            found, fresh = ([*found, line] if fresh else [*found[:-1], found[-1] + line]), line[3:4] == b" "
        return found

    @property
    def codes(self) -> list[int]:
        """The codes of the replies, in order."""
        return [int(reply[:3]) for reply in self.replies]


def judge_login(core: ServerConnection, event: events.LoginEvent) -> None:
    """Let in who knows a password; `busy` meets a back end that is down."""
    match event:
        case events.KeysWanted(_, "busy") | events.PasswordReceived(_, "busy"):
            core.reply(replies.R454_NO_LOGIN)
        case events.KeysWanted(_, name):
            core.give_keys(KEYS.get(name, _FAKE_KEYS), SERVER_NONCE)
        case events.PasswordReceived(_, name, "", password) if PASSWORDS.get(name) == password:
            core.reply(replies.R235_LOGGED_IN)
        case events.LoginReceived() | events.ExternalReceived(_, ""):
            core.reply(replies.R235_LOGGED_IN)
        case _:
            core.reply(replies.R535_WRONG)


def converse(segments: Iterable[bytes], settings: Settings = SETTINGS, *, encrypted: bool = False) -> Heard:
    """Feed a core segment by segment, answering as the relay of the test configuration would.

    Who submits may send to anybody.
    """
    core = ServerConnection(settings, encrypted=encrypted)
    heard = Heard(core.octets_to_send())
    sender, recipients, content = "", list[str](), b""
    for segment in segments:
        core.receive(segment)
        while (event := core.next_event()) is not None:
            match event:
                case events.SenderReceived(mailbox):
                    sender, recipients = str(mailbox or ""), []
                    core.reply(replies.R250_SENDER)
                case events.RecipientReceived(recipient):
                    mailbox = recipient.address
                    reply = _judge(mailbox, settings)
                    if reply.is_positive:
                        recipients.append(str(mailbox))
                    core.reply(reply)
                case events.ContentBegun():
                    content = b""
                case events.ContentReceived(octets):
                    content += octets
                case events.ContentEnded(octets):
                    heard.messages.append((sender, recipients, content + octets))
                    core.reply(replies.queued("Q"))
                case events.TLSRequested():
                    core.reply(replies.R220_START_TLS)
                    core.tls_started()
                case events.QuitReceived():
                    heard.quit = True
                case (
                    events.PasswordReceived()
                    | events.KeysWanted()
                    | events.LoginReceived()
                    | events.LoginFailed()
                    | events.ExternalReceived()
                ):
                    heard.logins.append(event)
                    judge_login(core, event)
        heard.output += core.octets_to_send()
    return heard


def _judge(mailbox: Mailbox, settings: Settings) -> Reply:
    return replies.R250_RECIPIENT if settings.submission else _ACCEPTANCE.judge(mailbox, _ROUTER)


def cuts(octets: bytes) -> Iterable[list[bytes]]:
    """Give octets whole, one by one, and cut in two at every place."""
    yield [octets]
    yield [octets[place : place + 1] for place in range(len(octets))]
    for place in range(1, len(octets)):
        yield [octets[:place], octets[place:]]
