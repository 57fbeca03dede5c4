"""The part of a report that is for programs: message/delivery-status (RFC 3464, RFC 3461 §6.3, RFC 6533 §3).

Called by report.py. Pure. A block about the message, then one for each recipient. What another host said has
the type "smtp" and that host's name; what we say ourselves has a type of our own (RFC 3464 §2.3.6).
"""

from paperpath.mail.domain import is_address_literal
from paperpath.mail.letter import MOST_LINE_OCTETS, Letterhead, Part, fold, join_lines
from paperpath.mail.notification import Action
from paperpath.mail.reported import ReportedMessage, ReportedRecipient, find_status
from paperpath.mail.trace import format_client, format_date
from paperpath.mail.typed_address import decode_xtext, format_final_recipient, format_original_recipient

_OWN_DIAGNOSTICS = "x-paperpath"
_WITHOUT_SUCCESS = (Action.FAILED, Action.DELAYED)


def delivery_status_part(head: Letterhead, message: ReportedMessage, *, international: bool) -> Part:
    """Write the part; outside `international` it is ASCII, whatever there is to show."""
    lines = []
    if message.envid:
        lines += _field("Original-Envelope-Id", decode_xtext(message.envid))
    lines.append(f"Reporting-MTA: dns; {head.host}")
    if message.client.address:
        lines += _field("Received-From-MTA", f"dns; {format_client(message.client)}")
    lines += [f"Arrival-Date: {format_date(message.arrived)}", f"X-Paperpath-Queue-Id: {message.queue_id}"]
    for recipient in message.recipients:
        lines += ["", *_recipient_fields(message.action, recipient, international=international)]
    octets = join_lines(lines)
    if octets.isascii():
        return Part("message/delivery-status", "7bit", octets)
    return Part("message/global-delivery-status", "8bit", octets)


def _recipient_fields(action: Action, recipient: ReportedRecipient, *, international: bool) -> list[str]:
    fields = []
    if recipient.orcpt:
        original = format_original_recipient(recipient.orcpt, international=international)
        fields += _field("Original-Recipient", original)
    final = format_final_recipient(recipient.address, international=international)
    fields += _field("Final-Recipient", final)
    fields += [f"Action: {action.value}", f"Status: {find_status(action, recipient.reply)}"]
    if recipient.host:
        fields += _field("Remote-MTA", f"dns; {_mta_name(recipient.host)}")
    if recipient.host or action in _WITHOUT_SUCCESS:
        kind = "smtp" if recipient.host else _OWN_DIAGNOSTICS
        reply = b" ".join(recipient.reply.octets.splitlines()).decode("ascii")
        fields += fold(reply, first=f"Diagnostic-Code: {kind}; ")
    if recipient.attempted is not None:
        fields.append(f"Last-Attempt-Date: {format_date(recipient.attempted)}")
    if action is Action.DELAYED and recipient.retry_until is not None:
        fields.append(f"Will-Retry-Until: {format_date(recipient.retry_until)}")
    return fields


def _field(name: str, value: str) -> list[str]:
    """Write a field in one line, unless that might be longer than a line may be."""
    line = f"{name}: {value}"
    return [line] if len(line.encode()) <= MOST_LINE_OCTETS else fold(value, first=f"{name}: ")


def _mta_name(host: str) -> str:
    """Write a host as the type "dns" has it: a name, or an address in brackets (RFC 3461 §9.3)."""
    literal = f"[IPv6:{host}]" if ":" in host else f"[{host}]"
    return literal if is_address_literal(literal) else host.encode("ascii", "replace").decode("ascii")
