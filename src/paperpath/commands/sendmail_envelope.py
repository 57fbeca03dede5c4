"""Who a message is from and for, as sendmail's caller says, and what its header gets of that (J-4, J-6).

Pure. Addresses are lists as in a header; what could end a line of SMTP is refused before it is read (J-14).
"""

from dataclasses import dataclass

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.header_recipients import find_recipients, read_fields
from paperpath.commands.sendmail_options import Options
from paperpath.commands.typed_addresses import (
    complete_typed_sender,
    list_once,
    read_typed,
    read_typed_sender,
    write_field,
)
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient, SenderParameters
from paperpath.mail.fields.addresses import Named
from paperpath.mail.fields.encoded_words import quote_phrase
from paperpath.mail.header import remove_fields


@dataclass(frozen=True, slots=True)
class Posting:
    """What is said to the server, and the header that goes with it; `sender` is `None` for the null one."""

    sender: Mailbox | None
    recipients: tuple[Recipient, ...]
    parameters: SenderParameters
    header: bytes


def make_posting(options: Options, header: bytes, own: Mailbox, *, binds_senders: bool) -> Posting:
    """Make it of what the caller wants; `own` is who that is. Raises: ExitError.

    Where senders are bound, another one stands in From alone, with the caller as Sender (RFC 5322 §3.6.2).
    """
    asked = own if options.sender is None else _read_sender(options.sender, own)
    typed = (read_typed(text, "recipient") for text in options.recipients)
    addresses = [named.mailbox for each in typed for named in each.mailboxes]
    if options.reads_recipients:
        addresses += find_recipients(header)
        header = remove_fields(remove_fields(header, b"bcc"), b"resent-bcc")
    if not addresses:
        raise ExitError(Exit.USAGE, "there is no recipient")
    sender = own if binds_senders and asked is not None else asked
    header += _write_originators(header, options, asked or own, own if sender != asked else None)
    return Posting(
        sender,
        tuple(Recipient(address, options.notify) for address in list_once(addresses)),
        SenderParameters(options.body, options.international, options.ret, options.envid),
        header,
    )


def _read_sender(text: str, own: Mailbox) -> Mailbox | None:
    """Read -f, which may name nobody; a name without a domain is of this host, as the caller's own is."""
    if not text:
        return None
    return complete_typed_sender(read_typed_sender(text).mailbox, own)


def _write_originators(header: bytes, options: Options, author: Mailbox, bound: Mailbox | None) -> bytes:
    """Write the fields that options call for and the header lacks; the server adds them otherwise (B-12).

    A message that was sent again has its author already (RFC 5322 §3.6.6).
    """
    names = {field.key for field in read_fields(header)}
    is_resent = any(name.startswith(b"resent-") for name in names)
    written = b""
    if b"from" not in names and not is_resent and (options.sender or options.full_name):
        written += _write_originator(b"From", author, options.full_name or "")
    if bound is not None and b"sender" not in names:
        written += _write_originator(b"Sender", bound, "")
    return written


def _write_originator(name: bytes, mailbox: Mailbox, full_name: str) -> bytes:
    phrase = quote_phrase(full_name) if full_name else ""
    return write_field(name, [Named(mailbox, phrase, is_bracketed=bool(phrase))])
