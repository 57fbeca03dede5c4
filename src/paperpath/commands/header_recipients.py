"""Whom a message is for, as its own header says: what `sendmail -t` sends it to (requirement J-4).

Pure. All that stands in To, Cc and Bcc, members of groups too; or, in a message that was sent again, in the
fields of those names of the topmost block of Resent fields, which is the latest (RFC 5322 §3.6.6).
"""

from collections.abc import Iterator, Sequence

from paperpath.commands.exits import Exit, ExitError
from paperpath.mail.address import Mailbox
from paperpath.mail.fields.addresses import parse_addresses
from paperpath.mail.fields.error import FieldError
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.section import Field, split_section

_RESENT = b"resent-"
_NAMES = (b"to", b"cc", b"bcc")
_RESENT_NAMES = tuple(_RESENT + name for name in _NAMES)
_NOTHING = b" \t\r\n,"


def find_recipients(header: bytes) -> list[Mailbox]:
    """Return the recipients that a header names, as often as it does. Raises: ExitError."""
    return [mailbox for field in _choose_fields(read_fields(header)) for mailbox in _read_field(field)]


def read_fields(header: bytes) -> list[Field]:
    """Split a header section. Raises: ExitError."""
    try:
        return split_section(header)
    except CanonicalError as error:
        raise ExitError(Exit.BAD_DATA, str(error.reply)) from None


def _choose_fields(fields: Sequence[Field]) -> Iterator[Field]:
    """Give the fields that name recipients."""
    if not any(field.key in _RESENT_NAMES for field in fields):
        yield from (field for field in fields if field.key in _NAMES)
        return
    yield from (field for field in _find_block(fields) if field.key in _RESENT_NAMES)


def _find_block(fields: Sequence[Field]) -> Iterator[Field]:
    """Give the topmost block of Resent fields: up to another one, or to a name that it has already."""
    begin = next(place for place, field in enumerate(fields) if field.key.startswith(_RESENT))
    seen: set[bytes] = set()
    for field in fields[begin:]:
        if field.key in seen or not field.key.startswith(_RESENT):
            return
        seen.add(field.key)
        yield field


def _read_field(field: Field) -> list[Mailbox]:
    if not field.value.strip(_NOTHING):
        return []
    try:
        return [named.mailbox for named in parse_addresses(field.value.decode("utf-8")).mailboxes]
    except UnicodeDecodeError:
        raise ExitError(Exit.BAD_DATA, f"{field.shown}: this is no UTF-8") from None
    except FieldError as error:
        raise ExitError(Exit.BAD_DATA, f"{field.shown}: {error}") from None
