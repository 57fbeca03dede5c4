"""A message on its way into the sink: its envelope, its content, and what its addresses want done later.

Used by the dialogue. `read_path` and the checks complain of what is wrong enough to be refused.
"""

import hashlib
from dataclasses import dataclass, field

from paperpath.mail.address import AddressError, format_mailbox, parse_path
from paperpath.smtp import replies
from paperpath.testing.sink_books import TakenRecipient
from paperpath.testing.sink_options import SinkOptions
from paperpath.testing.sink_script import Deed, Kind, Stage
from paperpath.testing.sink_strictness import ComplaintError


@dataclass(frozen=True, slots=True)
class GivenPath:
    """What stood behind MAIL or RCPT; the address is empty for `<>`, and `spaced` is as in smtp/events."""

    local: str
    address: str
    parameters: tuple[str, ...]
    spaced: bool

    def has(self, parameter: str) -> bool:
        """Tell whether a parameter is there, such as "SMTPUTF8" or "BODY=8BITMIME"."""
        return any(parameter in (entry.upper(), entry.upper().partition("=")[0]) for entry in self.parameters)


def read_path(argument: bytes, keyword: bytes, offered: frozenset[str]) -> GivenPath:
    """Read what stands behind MAIL or RCPT. Raises: ComplaintError."""
    rest = argument[len(keyword) :]
    if argument[: len(keyword)].upper() != keyword:
        raise ComplaintError("malformed command", replies.R501_NEEDS_ARGUMENT)
    try:
        mailbox, behind = parse_path(rest.lstrip(b" "), international=True)
    except AddressError as error:
        refuse = replies.bad_sender_syntax if keyword == b"FROM:" else replies.bad_recipient_syntax
        raise ComplaintError("malformed path", refuse(str(error))) from None
    parameters = tuple(behind.decode("utf-8", "backslashreplace").split())
    if parameters and {entry.partition("=")[0].upper() for entry in parameters} - offered:
        raise ComplaintError("parameter that was not offered", replies.R555_UNKNOWN_PARAMETER)
    spaced = rest.startswith(b" ")
    if mailbox is None:
        return GivenPath("", "", parameters, spaced)
    return GivenPath(mailbox.local, format_mailbox(mailbox), parameters, spaced)


@dataclass(frozen=True, slots=True)
class Copy:
    """What one reply at the end of content is about: recipients, and what is done at the dot or behind it."""

    recipients: tuple[TakenRecipient, ...]
    at_dot: Deed | None
    after_dot: Deed | None


@dataclass(slots=True)
class Transaction:
    """A message on its way. `own` goes with the recipients: what each alone wants done at the end.

    `asked` counts RCPT commands; `is_broken`: a chunk was refused, and no more may come (RFC 3030 §2).
    """

    options: SinkOptions
    sender: GivenPath
    plan: dict[Stage, Deed] = field(default_factory=dict)
    recipients: list[TakenRecipient] = field(default_factory=list)
    own: list[Deed | None] = field(default_factory=list)
    asked: int = 0
    for_nobody: Kind | None = None
    is_broken: bool = False
    octets: int = 0
    content: list[bytes] = field(default_factory=list)
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    is_ascii: bool = True

    def check_sender(self) -> None:
        """Raises: ComplaintError."""
        self._check_ascii(self.sender.address)
        if self.sender.has("BODY=BINARYMIME") and not self.options.binary:
            raise ComplaintError("BINARYMIME was not offered", replies.R555_UNKNOWN_PARAMETER)

    @property
    def declares_too_much(self) -> bool:
        """Whether SIZE says that the content will be too big (RFC 1870 §6.1)."""
        sizes = [entry[5:] for entry in self.sender.parameters if entry.upper().startswith("SIZE=")]
        return any(size.isascii() and size.isdigit() and self._is_over(int(size)) for size in sizes)

    def check_recipient(self, address: str) -> None:
        """Raises: ComplaintError."""
        if not address:
            raise ComplaintError(
                "empty recipient", replies.bad_recipient_syntax("a recipient cannot be empty")
            )
        self._check_ascii(address)
        if len(self.recipients) == self.options.limit("RCPTMAX"):
            raise ComplaintError("more than RCPTMAX", replies.R452_TOO_MANY_RECIPIENTS)

    def is_own(self, deed: Deed) -> bool:
        """Tell whether a deed is its recipient's own: by LMTP each has a reply at the dot (RFC 2033 §4.2)."""
        return self.options.lmtp and deed.stage in (Stage.DOT, Stage.TAKEN)

    def accept(self, recipient: TakenRecipient, own: Deed | None) -> None:
        """Take a recipient; `own` is what it alone wants done at the dot or behind it."""
        self.recipients.append(recipient)
        self.own.append(own)

    def list_copies(self) -> list[Copy]:
        """Return what the end of content is answered for: all at once, or by LMTP one by one."""
        at_dot, after_dot = self.plan.get(Stage.DOT), self.plan.get(Stage.TAKEN)
        if not self.options.lmtp:
            return [Copy(tuple(self.recipients), at_dot, after_dot)]
        copies = []
        for recipient, own in zip(self.recipients, self.own, strict=True):
            if own is None:
                copies.append(Copy((recipient,), at_dot, after_dot))
            elif own.stage is Stage.DOT:
                copies.append(Copy((recipient,), own, None))
            else:
                copies.append(Copy((recipient,), None, own))
        return copies

    def add(self, content: bytes, *, keeps: bool) -> None:
        """Add to the content; no more of it is kept than may be taken."""
        self.octets += len(content)
        self.digest.update(content)
        self.is_ascii = self.is_ascii and content.isascii()
        if keeps and not self.is_too_big:
            self.content.append(content)

    @property
    def is_too_big(self) -> bool:
        """Whether more has come than is taken."""
        return self._is_over(self.octets)

    @property
    def is_binary(self) -> bool:
        """Whether any octets will do (RFC 3030 §3)."""
        return self.sender.has("BODY=BINARYMIME")

    def find_undeclared(self, *, extended: bool) -> str:
        """Say what is wrong with octets above 7F in the content (RFC 6152 §3); empty: nothing."""
        if self.is_ascii or self.is_binary:
            return ""
        if not (extended and self.options.eight_bit):
            return "8-bit content, and 8BITMIME was not offered"
        return "" if self.sender.has("BODY=8BITMIME") else "8-bit content without BODY=8BITMIME"

    def _is_over(self, octets: int) -> bool:
        return 0 < self.options.size < octets  # RFC 1870 §4: 0 announces that there is no limit

    def _check_ascii(self, address: str) -> None:
        """RFC 6531 §3.4: such an address needs SMTPUTF8, which needs the extension."""
        if not (address.isascii() or self.sender.has("SMTPUTF8")):
            raise ComplaintError("address outside ASCII without SMTPUTF8", replies.R553_RECIPIENT_NOT_ASCII)
