"""Command lines to commands (RFC 5321 §4.1.1, §4.1.2): pure, one function per shape of line.

Called by the server core with one line without its CRLF. What cannot be read raises `CommandError` with the
reply to give; whether a command may come now is not decided here but in states.py.
"""

from dataclasses import dataclass
from enum import Enum

from paperpath.mail.address import AddressError, Mailbox, NonASCIIAddressError, parse_path
from paperpath.mail.reply import Reply
from paperpath.smtp import replies


class Verb(Enum):
    """The verbs that a server knows by name."""

    HELO = b"HELO"
    EHLO = b"EHLO"
    MAIL = b"MAIL"
    RCPT = b"RCPT"
    DATA = b"DATA"
    RSET = b"RSET"
    NOOP = b"NOOP"
    VRFY = b"VRFY"
    HELP = b"HELP"
    QUIT = b"QUIT"


_VERBS = {verb.value: verb for verb in Verb}
# RFC 5321 §4.2.4: known, and not implemented. EXPN among them, so EHLO does not list it.
_NOT_IMPLEMENTED = frozenset({b"EXPN", b"TURN", b"SEND", b"SOML", b"SAML", b"ETRN"})
_WITHOUT_ARGUMENT = frozenset({Verb.DATA, Verb.RSET, Verb.QUIT})
_PARAMETER_CHARACTERS = frozenset(range(33, 127)) - {ord("=")}
_MOST_SIZE_DIGITS = 20  # RFC 1870 §3


class CommandError(Exception):
    """The line is no command that can be carried out; `reply` says why to the client."""

    def __init__(self, reply: Reply) -> None:
        """Keep the reply to give."""
        super().__init__(str(reply))
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Command:
    """A verb and its argument, still octets, without surrounding white space."""

    verb: Verb
    argument: bytes


@dataclass(frozen=True, slots=True)
class SenderCommand:
    """What MAIL says: the reverse-path, `None` when null; SIZE in octets; BODY, empty when absent."""

    sender: Mailbox | None
    size: int | None
    body: str


def parse_command(line: bytes) -> Command:
    """Read the verb of a line; verbs come in any case (RFC 5321 §2.4).

    Raises: CommandError.
    """
    if b"\n" in line or b"\r" in line:
        raise CommandError(replies.R500_BARE_NEWLINE)
    word, _, argument = line.strip(b" \t").partition(b" ")
    name = word.upper()
    verb = _VERBS.get(name)
    if verb is None:
        known = name in _NOT_IMPLEMENTED
        raise CommandError(replies.R502_NOT_IMPLEMENTED if known else replies.R500_UNKNOWN)
    argument = argument.strip(b" \t")
    if argument and verb in _WITHOUT_ARGUMENT:
        raise CommandError(replies.R501_NO_ARGUMENT)
    return Command(verb, argument)


def parse_hello(argument: bytes) -> str:
    """Read the name a client gives itself.

    Any name of printable ASCII will do: it is never a reason to refuse mail (RFC 5321 §4.1.4), and the
    trace field cleans it.

    Raises: CommandError.
    """
    name = argument.split(b" ", 1)[0]
    if not name or not all(32 < octet < 127 for octet in name):
        raise CommandError(replies.R501_HELLO_NEEDS_NAME)
    return name.decode("ascii")


def parse_sender(argument: bytes) -> SenderCommand:
    """Read what follows MAIL (RFC 5321 §4.1.1.2, RFC 1870 §6, RFC 6152 §3).

    Raises: CommandError.
    """
    rest = _after_keyword(argument, b"FROM:")
    try:
        sender, behind = parse_path(rest)
    except NonASCIIAddressError:
        raise CommandError(replies.R550_SENDER_NOT_ASCII) from None
    except AddressError as error:
        raise CommandError(replies.bad_sender_syntax(str(error))) from None
    parameters = _parse_parameters(behind)
    size = _parse_size(parameters.pop(b"SIZE")) if b"SIZE" in parameters else None
    body = _parse_body(parameters.pop(b"BODY")) if b"BODY" in parameters else ""
    if parameters:
        raise CommandError(replies.R555_UNKNOWN_PARAMETER)
    return SenderCommand(sender, size, body)


def parse_recipient(argument: bytes) -> Mailbox:
    """Read what follows RCPT (RFC 5321 §4.1.1.3).

    Raises: CommandError.
    """
    rest = _after_keyword(argument, b"TO:")
    try:
        recipient, behind = parse_path(rest)
    except NonASCIIAddressError:
        raise CommandError(replies.R553_RECIPIENT_NOT_ASCII) from None
    except AddressError as error:
        raise CommandError(replies.bad_recipient_syntax(str(error))) from None
    if recipient is None:
        raise CommandError(replies.bad_recipient_syntax("a recipient cannot be empty"))
    if _parse_parameters(behind):
        raise CommandError(replies.R555_UNKNOWN_PARAMETER)
    return recipient


def _after_keyword(argument: bytes, keyword: bytes) -> bytes:
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError(replies.R501_NEEDS_ARGUMENT)
    # A space behind the colon is not in the grammar; many send one, and it can mean nothing else.
    return argument[len(keyword) :].lstrip(b" ")


def _parse_parameters(octets: bytes) -> dict[bytes, bytes | None]:
    """Read the parameters behind a path; keywords in upper case, `None` for a keyword without value."""
    if octets and not octets.startswith(b" "):
        raise CommandError(replies.R501_BAD_PARAMETER)
    parameters: dict[bytes, bytes | None] = {}
    for word in octets.split():
        keyword, equals, value = word.partition(b"=")
        name = keyword.upper()
        if not name.replace(b"-", b"").isalnum() or name.startswith(b"-") or name in parameters:
            raise CommandError(replies.R501_BAD_PARAMETER)
        if equals and (not value or not _PARAMETER_CHARACTERS.issuperset(value)):
            raise CommandError(replies.R501_BAD_PARAMETER)
        parameters[name] = value if equals else None
    return parameters


def _parse_size(value: bytes | None) -> int:
    if value is None or not value.isdigit() or len(value) > _MOST_SIZE_DIGITS:
        raise CommandError(replies.R501_BAD_PARAMETER)
    return int(value)


def _parse_body(value: bytes | None) -> str:
    if value is None or value.upper() not in {b"7BIT", b"8BITMIME"}:
        raise CommandError(replies.R501_BAD_PARAMETER)
    return value.decode("ascii").upper()
