"""Who a message of mailto is from and for, and its header, as its options say (J-16, J-17, J-20).

Pure. What is wrong with them is told before a word of the text is read. Blind recipients stand nowhere in the
header.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.header_recipients import read_fields
from paperpath.commands.mailto_options import Options
from paperpath.commands.typed_addresses import (
    complete_typed_sender,
    list_once,
    read_typed,
    read_typed_sender,
    require_line,
    write_field,
)
from paperpath.mail.address import Mailbox
from paperpath.mail.fields.addresses import Group, Named
from paperpath.mail.fields.encoded_words import encode_words
from paperpath.mail.fields.folding import fold_field
from paperpath.mail.typed_address import to_ascii_domain
from paperpath.submission.canonical.section import Field

# What an option says, -C must not: who stands in a Bcc of its own would get nothing.
_OPTIONS = {b"to": "an address", b"cc": "-c", b"bcc": "-b", b"from": "-r", b"subject": "-s"}


@dataclass(frozen=True, slots=True)
class Heading:
    """What was read. `author` is who -r names, if anybody; `has_no_sender`: nobody hears of failures.

    `fields` are all but those that name the author. `content_fields` are about the text, and stand with it.
    """

    author: Named | None
    has_no_sender: bool
    recipients: tuple[Mailbox, ...]
    fields: bytes
    content_fields: bytes

    @property
    def is_international(self) -> bool:
        """Whether an address is beyond ASCII, so the message needs SMTPUTF8 (RFC 6531)."""
        author = () if self.author is None else (self.author.mailbox,)
        return not all(str(mailbox).isascii() for mailbox in (*author, *self.recipients))


def read_heading(options: Options) -> Heading:
    """Read it all. Raises: ExitError."""
    to, copies, blind = (
        _read_lists(texts) for texts in (options.recipients, options.copies, options.blind_copies)
    )
    recipients = tuple(list_once(named.mailbox for named in _list_members((*to, *copies, *blind))))
    if not recipients:
        raise ExitError(Exit.USAGE, "there is no address; mailto --help says more")
    extra, content = _read_extra(options.fields)
    fields = b"".join(write_field(name, each) for name, each in ((b"To", to), (b"Cc", copies)) if each)
    return Heading(
        author=_convert_domain(read_typed_sender(options.sender)) if options.sender else None,
        has_no_sender=options.sender == "",
        recipients=recipients,
        fields=fields + _write_subject(options.subject) + extra,
        content_fields=content,
    )


def choose_originators(
    heading: Heading, own: Mailbox, *, binds_senders: bool
) -> tuple[Mailbox | None, bytes]:
    """Return the envelope's sender, and the fields that name the author; the canonical form adds From else.

    Where senders are bound, another one stands in From alone, with the caller as Sender (RFC 5322 §3.6.2).
    """
    if heading.has_no_sender:
        return None, b""
    if heading.author is None:
        return own, b""
    asked = complete_typed_sender(heading.author.mailbox, own)
    field = write_field(b"From", [replace(heading.author, mailbox=asked)])
    if binds_senders and asked != own:
        return own, field + write_field(b"Sender", [Named(own)])
    return asked, field


def _read_lists(texts: Iterable[str]) -> list[Named | Group]:
    return [_convert(address) for text in texts for address in read_typed(text, "recipient").addresses]


def _list_members(addresses: Iterable[Named | Group]) -> Iterable[Named]:
    for address in addresses:
        yield from address.members if isinstance(address, Group) else (address,)


def _convert(address: Named | Group) -> Named | Group:
    if isinstance(address, Named):
        return _convert_domain(address)
    return replace(address, members=tuple(map(_convert_domain, address.members)))


def _convert_domain(named: Named) -> Named:
    """Write a domain beyond ASCII so that every host takes it (RFC 5891 §4)."""
    return replace(named, mailbox=to_ascii_domain(named.mailbox))


def _write_subject(subject: str | None) -> bytes:
    if subject is None:
        return b""
    require_line(subject, "subject")
    return fold_field(b"Subject", encode_words(subject.strip(" \t")))


def _read_extra(texts: Sequence[str]) -> tuple[bytes, bytes]:
    """Return the fields of -C: those of the header, and those about the text. Raises: ExitError."""
    extra = content = b""
    for text in texts:
        field = _read_field(text)
        if field.key in _OPTIONS:
            raise ExitError(Exit.USAGE, f"-C {field.shown}: {_OPTIONS[field.key]} says that")
        if field.key.startswith(b"resent-"):  # the canonical form would leave all else as it is (B-21)
            raise ExitError(Exit.USAGE, f"-C {field.shown}: mailto writes messages, it does not resend them")
        if not field.key.startswith(b"content-"):
            extra += field.octets
        elif field.octets.isascii():
            content += field.octets
        else:
            raise ExitError(Exit.BAD_DATA, f"-C {field.shown}: only ASCII can stand here")
    return extra, content


def _read_field(text: str) -> Field:
    require_line(text, "field")
    name, colon, value = text.partition(":")
    try:
        (field,) = read_fields(f"{name}{colon} {value.strip()}".rstrip().encode() + b"\r\n")
    except ExitError:
        raise ExitError(Exit.BAD_DATA, f"-C {text!a}: expected a name, a colon and a value") from None
    return field
