"""The form of a file in the drop directory: its head, its envelope, what its content must be (D-9).

Written by writer.py, which mailto calls, and read by reader.py for the post office. A file is a head of fixed
length, the envelope, the content. The head names the version, both lengths and both digests, so that no octet
of a file can change or be missing without being noticed. In the envelope every field has its length before
it: whatever stands in one, it cannot become another. It does not say who the client is: that is the file's
owner. Imports nothing heavy, for mailto has to answer at once.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import NoReturn

from paperpath.mail.address import AddressError, Mailbox, format_mailbox, parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient, SenderParameters
from paperpath.mail.newlines import has_bare_newline
from paperpath.smtp.parameters import read_recipient_parameters, read_sender_parameters
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.settings import Settings

MOST_ENVELOPE_OCTETS = 4 * 2**20
MOST_RECIPIENTS = 10_000  # what holds them all in memory at once stays small; who has more drops several
DEFAULT_MOST_OCTETS = 50 * 2**20

FILE_MODE = 0o640  # its owner's; the group, which is that of the directory, is how the service user reads it
PARTIAL_PREFIX = "partial-"
WHOLE_PREFIX = "message-"
NAME_DIGITS = 32

_MAGIC = b"PP-DROP\n"
_VERSION = 1
_HEAD = struct.Struct(">8sHIQ32s32s")
HEAD_OCTETS = _HEAD.size
_LENGTH = struct.Struct(">I")
_FLAG = {"": False, "SMTPUTF8": True}
# Which parameters are legal is SMTP's to say. BINARYMIME is none here: a file's content has lines.
_RULES = Settings("localhost", 0, MOST_RECIPIENTS, dsn=True)


class DropError(Exception):
    """No message in the form of the drop directory; `str()` says what is wrong with it."""


class UnreadableError(DropError):
    """The disk does not give the file, which may be whole for all that is known."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before envelope and content: how long they are, and their SHA-256."""

    envelope_octets: int
    content_octets: int
    envelope_digest: bytes
    content_digest: bytes

    @property
    def file_octets(self) -> int:
        """How long the whole file is."""
        return HEAD_OCTETS + self.envelope_octets + self.content_octets


class ContentCheck:
    """Looks at content as it passes: its length, its digest, and that every line ends with CRLF.

    Bare CR and LF are refused, never mended, as from the wire (RFC 5321 §2.3.8): who writes the file knows
    where its lines end.
    """

    def __init__(self, most_octets: int) -> None:
        """Begin before the first octet."""
        self.octets = 0
        self._most_octets = most_octets
        self._digest = hashlib.sha256()
        self._carry = b""  # a CR whose LF may come
        self._line_ended = True

    def add(self, octets: bytes) -> None:
        """Look at the next octets. Raises: DropError."""
        self.octets += len(octets)
        if self.octets > self._most_octets:
            raise DropError(f"the content has more than {self._most_octets} octets")
        self._digest.update(octets)
        if self._carry:
            octets = self._carry + octets
        self._carry = b"\r" if octets.endswith(b"\r") else b""
        if has_bare_newline(octets.removesuffix(b"\r")):
            raise DropError("the content has a CR or LF that stands alone")
        if octets:
            self._line_ended = octets.endswith(b"\n")

    def finish(self) -> bytes:
        """Return the digest. Raises: DropError, if the last line has no end."""
        if not self._line_ended:
            raise DropError("the content's last line has no end")
        return self._digest.digest()


def format_head(head: Head) -> bytes:
    """Write the head of a file; the inverse of `parse_head`."""
    return _HEAD.pack(
        _MAGIC,
        _VERSION,
        head.envelope_octets,
        head.content_octets,
        head.envelope_digest,
        head.content_digest,
    )


def parse_head(octets: bytes) -> Head:
    """Read the head of a file. Raises: DropError."""
    if len(octets) != HEAD_OCTETS or not octets.startswith(_MAGIC):
        raise DropError("the file is no message of the drop directory")
    _, version, *rest = _HEAD.unpack(octets)
    if version != _VERSION:
        raise DropError(f"the file is of version {version}; this Paperpath reads version {_VERSION}")
    head = Head(*rest)
    if head.envelope_octets > MOST_ENVELOPE_OCTETS:
        raise DropError(f"the envelope has more than {MOST_ENVELOPE_OCTETS} octets")
    return head


def format_envelope(envelope: Envelope) -> bytes:
    """Write all of an envelope but its client.

    Raises: DropError, for an envelope that `parse_envelope` would not take.
    """
    parameters = envelope.parameters
    fields = [
        "" if envelope.sender is None else format_mailbox(envelope.sender),
        parameters.body,
        "SMTPUTF8" if parameters.international else "",
        parameters.ret,
        parameters.envid,
    ]
    for recipient in envelope.recipients:
        fields += [format_mailbox(recipient.address), recipient.notify, recipient.orcpt]
    try:
        octets = b"".join(_LENGTH.pack(len(text)) + text for text in (field.encode() for field in fields))
    except UnicodeEncodeError:
        raise DropError("something in the envelope cannot be written in UTF-8") from None
    if parse_envelope(octets, envelope.client) != envelope:
        raise DropError("the envelope would not be read as it was written")
    return octets


def parse_envelope(octets: bytes, client: Client) -> Envelope:
    """Read an envelope; `client` is what it cannot say itself. Raises: DropError."""
    if len(octets) > MOST_ENVELOPE_OCTETS:
        raise DropError(f"the envelope has more than {MOST_ENVELOPE_OCTETS} octets")
    fields = _split(octets)
    if len(fields) < 8 or (len(fields) - 5) % 3:
        raise DropError("the envelope has no recipient" if len(fields) == 5 else "the envelope is incomplete")
    sender, body, utf8, ret, envid = fields[:5]
    if utf8 not in _FLAG:
        raise DropError("the envelope has a flag that is none")
    parameters = SenderParameters(body, _FLAG[utf8], ret, envid)
    _check_sender_parameters(parameters)
    international = parameters.international
    recipients = tuple(
        _read_recipient(*fields[at : at + 3], international=international) for at in range(5, len(fields), 3)
    )
    read_sender = _read_mailbox(sender, international=international) if sender else None
    return Envelope(read_sender, recipients, client, parameters)


def _split(octets: bytes) -> list[str]:
    fields: list[str] = []
    at = 0
    while at < len(octets):
        if len(fields) == 5 + 3 * MOST_RECIPIENTS:
            raise DropError(f"the envelope has more than {MOST_RECIPIENTS} recipients")
        begin = at + _LENGTH.size
        if begin > len(octets):
            raise DropError("the envelope is incomplete")
        at = begin + _LENGTH.unpack_from(octets, at)[0]
        if at > len(octets):
            raise DropError("the envelope is incomplete")
        try:
            fields.append(octets[begin:at].decode("utf-8"))
        except UnicodeDecodeError:
            raise DropError("the envelope is not in UTF-8") from None
    return fields


def _read_recipient(address: str, notify: str, orcpt: str, *, international: bool) -> Recipient:
    mailbox = _read_mailbox(address, international=international)
    if notify or orcpt:
        written = (f" NOTIFY={notify}" if notify else "") + (f" ORCPT={orcpt}" if orcpt else "")
        try:
            read = read_recipient_parameters(written.encode(), _RULES, international=international)
        except CommandError:
            _refuse_parameters("recipient")
        if read != (notify, orcpt):  # a value that would become another parameter, or other case
            _refuse_parameters("recipient")
    return Recipient(mailbox, notify, orcpt)


def _check_sender_parameters(parameters: SenderParameters) -> None:
    written = [
        f" BODY={parameters.body}" if parameters.body else "",
        " SMTPUTF8" if parameters.international else "",
        f" RET={parameters.ret}" if parameters.ret else "",
        f" ENVID={parameters.envid}" if parameters.envid else "",
    ]
    try:
        read, _ = read_sender_parameters("".join(written).encode(), _RULES)
    except CommandError:
        _refuse_parameters("sender")
    if read != parameters:
        _refuse_parameters("sender")


def _read_mailbox(text: str, *, international: bool) -> Mailbox:
    try:
        mailbox = parse_mailbox(text)
    except AddressError as error:
        raise DropError(f"an address in the envelope is none: {error}") from None
    if not (international or text.isascii()):
        raise DropError("an address in the envelope is not ASCII, and SMTPUTF8 is not set")
    return mailbox


def _refuse_parameters(whose: str) -> NoReturn:
    raise DropError(f"a parameter of a {whose} in the envelope is malformed")
