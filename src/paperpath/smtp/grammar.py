"""Command lines to commands (RFC 5321 §4.1.1, §4.1.2): pure, one function per shape of line.

Called by the server core with one line without its CRLF. What cannot be read raises `CommandError` with the
reply to give; whether a command may come now is not decided here but in states.py.
"""

import re
from enum import Enum

from paperpath.mail.address import AddressError, Mailbox, NonASCIIAddressError, parse_path
from paperpath.mail.envelope import Recipient
from paperpath.smtp import replies
from paperpath.smtp.events import RecipientReceived, SenderReceived
from paperpath.smtp.parameters import read_recipient_parameters, read_sender_parameters
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.settings import Settings


class Verb(Enum):
    """The verbs that a server knows by name."""

    HELO = b"HELO"
    EHLO = b"EHLO"
    AUTH = b"AUTH"
    MAIL = b"MAIL"
    RCPT = b"RCPT"
    DATA = b"DATA"
    BDAT = b"BDAT"
    RSET = b"RSET"
    NOOP = b"NOOP"
    VRFY = b"VRFY"
    HELP = b"HELP"
    STARTTLS = b"STARTTLS"
    QUIT = b"QUIT"

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is Python, once a look-up


_VERBS = {verb.value: verb for verb in Verb}
# RFC 5321 §4.2.4: known, and not implemented. EXPN among them, so EHLO does not list it.
_NOT_IMPLEMENTED = frozenset({b"EXPN", b"TURN", b"SEND", b"SOML", b"SAML", b"ETRN"})
_WITHOUT_ARGUMENT = frozenset({Verb.DATA, Verb.RSET, Verb.QUIT, Verb.STARTTLS})
_SECRETIVE = frozenset({None, Verb.AUTH})  # unknown words, and what takes a secret
_VERB_OCTETS = 16  # of a word that is no verb, to be told (promise P9)
_MOST_SHOWN_OCTETS = 1000  # of an argument
_HELLO_NAME = re.compile(rb"[!-~]+")
_MECHANISM = re.compile(rb"[A-Za-z0-9_-]{1,20}")  # RFC 4422 §3.1
_LOGIN_VERB = re.compile(rb"AUTH ", re.I)
_CHUNK = re.compile(rb"(\d{1,20})(?:[ \t]+(LAST))?", re.I)
_CHUNK_VERB = re.compile(rb"[ \t]*BDAT(?![!-~])", re.I)
_MOST_CHUNK_OCTETS = 2**63 - 1
# What browsers say first when they are made to talk to us (attack S-1).
_HTTP = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"CONNECT", b"OPTIONS", b"DELETE", b"PATCH", b"TRACE"})
_HEADER_FIELD = re.compile(rb"[!-9;-~]+:")


def parse_command(line: bytes) -> tuple[Verb, bytes]:
    """Read the verb of a line, in any case (RFC 5321 §2.4), and its argument without white space around it.

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
    return verb, argument


def show_command(line: bytes, *, verbs_only: bool = False) -> tuple[str, str]:
    """Return of a line that was refused what may be told: its verb, and the argument of a verb that we know.

    Only AUTH takes a secret, and behind a line end inside a line may be anything. `verbs_only`: nor is a word
    that is no verb of ours told.
    """
    words = line.split(None, 1)
    word = words[0] if words else b""
    verb = _VERBS.get(word.upper())
    if verb is None and verbs_only:
        return "", ""
    is_open = verb not in _SECRETIVE and b"\n" not in line and b"\r" not in line
    argument = words[1].rstrip(b" \t")[:_MOST_SHOWN_OCTETS] if is_open and len(words) == 2 else b""
    return word[:_VERB_OCTETS].decode("ascii", "replace"), argument.decode("utf-8", "backslashreplace")


def is_foreign(line: bytes, *, first: bool) -> bool:
    """Tell whether a line is of another protocol: a verb of HTTP, or at first the shape of a header field."""
    return line.split(b" ", 1)[0] in _HTTP or (first and _HEADER_FIELD.match(line) is not None)


def parse_hello(argument: bytes) -> str:
    """Read the name a client gives itself.

    Any name of printable ASCII will do: it is never a reason to refuse mail (RFC 5321 §4.1.4), and the
    trace field cleans it.

    Raises: CommandError.
    """
    name = argument.split(b" ", 1)[0]
    if _HELLO_NAME.fullmatch(name) is None:
        raise CommandError(replies.R501_HELLO_NEEDS_NAME)
    return name.decode("ascii")


def parse_login(argument: bytes) -> tuple[str, bytes]:
    """Read what follows AUTH: the mechanism in upper case, and the initial response, empty where none came.

    Raises: CommandError.
    """
    mechanism, _, initial = argument.partition(b" ")
    if not mechanism:
        raise CommandError(replies.R501_NEEDS_ARGUMENT)
    if _MECHANISM.fullmatch(mechanism) is None:
        raise CommandError(replies.R504_MECHANISM)
    return mechanism.decode("ascii").upper(), initial.lstrip(b" ")


def begins_login(line: bytes) -> bool:
    """Tell whether a line may be longer than others: AUTH with an argument, and no blanks before it.

    The begin of a line is enough to say so, however long the line becomes.
    """
    return _LOGIN_VERB.match(line) is not None


def parse_sender(argument: bytes, settings: Settings) -> SenderReceived:
    """Read what follows MAIL (RFC 5321 §4.1.1.2).

    Raises: CommandError.
    """
    rest, spaced = _after_keyword(argument, b"FROM:")
    try:
        sender, behind = parse_path(rest, international=True, unfinished=settings.submission)
    except AddressError as error:
        raise CommandError(replies.bad_sender_syntax(str(error))) from None
    parameters, size = read_sender_parameters(behind, settings)
    if sender is not None and not (parameters.international or _is_ascii(sender)):
        raise CommandError(replies.R550_SENDER_NOT_ASCII)
    return SenderReceived(sender, size, parameters, spaced)


def parse_recipient(argument: bytes, settings: Settings, *, international: bool) -> RecipientReceived:
    """Read what follows RCPT (RFC 5321 §4.1.1.3); `international`: MAIL had SMTPUTF8.

    Raises: CommandError.
    """
    rest, spaced = _after_keyword(argument, b"TO:")
    try:
        address, behind = parse_path(rest, international=international, unfinished=settings.submission)
    except NonASCIIAddressError:
        raise CommandError(replies.R553_RECIPIENT_NOT_ASCII) from None
    except AddressError as error:
        raise CommandError(replies.bad_recipient_syntax(str(error))) from None
    if address is None:
        raise CommandError(replies.bad_recipient_syntax("a recipient cannot be empty"))
    notify, orcpt = read_recipient_parameters(behind, settings, international=international)
    return RecipientReceived(Recipient(address, notify, orcpt), spaced)


def parse_chunk(argument: bytes) -> tuple[int, bool]:
    """Read what follows BDAT: how many octets come, and whether they are the last (RFC 3030 §2).

    Raises: CommandError.
    """
    match = _CHUNK.fullmatch(argument)
    size = int(match[1]) if match else _MOST_CHUNK_OCTETS + 1
    if match is None or size > _MOST_CHUNK_OCTETS:
        raise CommandError(replies.R501_BAD_CHUNK)
    return size, match[2] is not None


def announces_chunk(line: bytes) -> bool:
    """Tell whether octets follow a line that are no commands, even if it cannot be read as a whole."""
    return _CHUNK_VERB.match(line) is not None


def _after_keyword(argument: bytes, keyword: bytes) -> tuple[bytes, bool]:
    """Return what stands behind FROM: or TO:, and whether a space stood between.

    The space is not in the grammar; many send one, and it can mean nothing else.
    """
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError(replies.R501_NEEDS_ARGUMENT)
    rest = argument[len(keyword) :]
    return (rest.lstrip(b" "), True) if rest.startswith(b" ") else (rest, False)


def _is_ascii(mailbox: Mailbox) -> bool:
    return mailbox.local.isascii() and mailbox.domain.isascii()
