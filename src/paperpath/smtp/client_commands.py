"""A transaction as command lines, for a peer with these extensions; or our own answer where it cannot be.

Called by the client core; pure. Nothing that the peer does not offer is said, and nothing that the message
needs is left out: what cannot go as it is does not go (RFC 1870 §6.2, 6152 §3, 6531 §3.2, 3461 §5.2).
"""

from dataclasses import dataclass

from paperpath.mail.address import Mailbox, format_path
from paperpath.mail.envelope import Recipient, SenderParameters
from paperpath.mail.reply import Reply
from paperpath.mail.typed_address import to_ascii_domain
from paperpath.smtp import client_replies as replies
from paperpath.smtp.extensions import Extensions
from paperpath.smtp.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Form:
    """In which form a transaction goes out: with SMTPUTF8, by BDAT, with DSN parameters."""

    international: bool
    binary: bool
    dsn: bool


def choose_form(transaction: Transaction, offered: Extensions) -> Form | Reply:
    """Choose the form; a reply of ours where the peer does not take such messages."""
    parameters = transaction.parameters
    if offered.size and transaction.size > offered.size:
        return replies.R552_TOO_BIG
    is_binary = parameters.body == "BINARYMIME"
    if is_binary and not (offered.binary and offered.chunking):
        return replies.R554_NO_BINARY
    if transaction.has_8bit and not (is_binary or offered.eight_bit):
        return replies.R554_NO_EIGHT_BIT
    needs_international = (parameters.international and transaction.has_8bit_header) or not _has_ascii_form(
        transaction.sender
    )
    if needs_international and not offered.international:
        return replies.R553_NOT_ASCII
    international = offered.international and (needs_international or not _is_ascii(transaction))
    return Form(international, is_binary, offered.dsn)


def format_mail(transaction: Transaction, form: Form, offered: Extensions) -> str:
    """Write MAIL, with the parameters that are offered and needed, or were received."""
    line = f"MAIL FROM:{_format_path(transaction.sender, form)}"
    if offered.size is not None:
        line += f" SIZE={transaction.size}"
    body = _choose_body(transaction, offered)
    if body:
        line += f" BODY={body}"
    if form.international:
        line += " SMTPUTF8"
    return line + _format_report_parameters(transaction.parameters) if form.dsn else line


def format_rcpt(recipient: Recipient, form: Form) -> str | Reply:
    """Write RCPT; a reply of ours where the address cannot be said to this peer."""
    address = recipient.address
    if not (form.international or _has_ascii_form(address)):
        return replies.R553_NOT_ASCII
    line = f"RCPT TO:{_format_path(address, form)}"
    if form.dsn:
        if recipient.notify:
            line += f" NOTIFY={recipient.notify}"
        if recipient.orcpt:
            line += f" ORCPT={recipient.orcpt if form.international else _embed(recipient.orcpt)}"
    return line


def _choose_body(transaction: Transaction, offered: Extensions) -> str:
    body = transaction.parameters.body
    if body == "BINARYMIME":
        return body
    return "8BITMIME" if offered.eight_bit and (transaction.has_8bit or body == "8BITMIME") else ""


def _format_report_parameters(parameters: SenderParameters) -> str:
    ret = f" RET={parameters.ret}" if parameters.ret else ""
    return f"{ret} ENVID={parameters.envid}" if parameters.envid else ret


def _format_path(address: Mailbox | None, form: Form) -> str:
    return format_path(address if form.international or address is None else to_ascii_domain(address))


def _has_ascii_form(address: Mailbox | None) -> bool:
    return address is None or (address.local.isascii() and to_ascii_domain(address).domain.isascii())


def _is_ascii(transaction: Transaction) -> bool:
    sender = transaction.sender
    return (sender is None or (sender.local.isascii() and sender.domain.isascii())) and all(
        recipient.address.local.isascii() and recipient.address.domain.isascii() and recipient.orcpt.isascii()
        for recipient in transaction.recipients
    )


def _embed(orcpt: str) -> str:
    """Write an original recipient in ASCII, in the form that RFC 6533 §3 has for it."""
    if orcpt.isascii():
        return orcpt
    return "".join(
        character if character.isascii() else f"\\x{{{ord(character):02X}}}" for character in orcpt
    )
