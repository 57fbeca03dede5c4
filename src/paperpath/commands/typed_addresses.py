"""Addresses as people and programs type them, in the arguments of sendmail and mailto (J-6, J-14, J-20).

Pure. They are lists as in a header; what could end a line is refused before it is read.
"""

from collections.abc import Iterable, Iterator

from paperpath.commands.exits import Exit, ExitError
from paperpath.mail.address import Mailbox, domain_key
from paperpath.mail.fields.address_text import encode_names, fold_addresses
from paperpath.mail.fields.addresses import AddressList, Group, Named, parse_addresses
from paperpath.mail.fields.error import FieldError

_LINE_ENDS = ("\r", "\n", "\0")


def require_line(text: str, what: str) -> None:
    """See that a text has one line, and can be written in UTF-8. Raises: ExitError."""
    if any(mark in text for mark in _LINE_ENDS):
        raise ExitError(Exit.BAD_DATA, f"{what} {text!a}: this must be one line")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ExitError(Exit.BAD_DATA, f"{what} {text!a}: this is no UTF-8") from None


def read_typed(text: str, what: str) -> AddressList:
    """Read a list of one address or more. Raises: ExitError."""
    require_line(text, what)
    try:
        return parse_addresses(text)
    except FieldError as error:
        raise ExitError(Exit.BAD_DATA, f"{what} {text!a}: {error}") from None


def read_typed_sender(text: str) -> Named:
    """Read who a message is from. Raises: ExitError."""
    mailboxes = list(read_typed(text, "sender").mailboxes)
    if len(mailboxes) != 1:
        raise ExitError(Exit.BAD_DATA, f"sender {text!a}: expected one address")
    return mailboxes[0]


def complete_typed_sender(mailbox: Mailbox, own: Mailbox) -> Mailbox:
    """Return a sender with a domain: a name alone is of this host, as the caller's own is."""
    return mailbox if mailbox.domain else Mailbox(mailbox.local, own.domain)


def list_once(mailboxes: Iterable[Mailbox]) -> Iterator[Mailbox]:
    """Give each mailbox once, where it stands first."""
    first: dict[tuple[str, str], Mailbox] = {}
    for mailbox in mailboxes:
        first.setdefault((mailbox.local, domain_key(mailbox.domain)), mailbox)
    yield from first.values()


def write_field(name: bytes, addresses: Iterable[Named | Group]) -> bytes:
    """Write a field of addresses, their names in ASCII. Raises: ExitError."""
    try:
        return fold_addresses(name, map(encode_names, addresses))
    except FieldError as error:
        raise ExitError(Exit.BAD_DATA, f"{name.decode()}: {error}") from None
