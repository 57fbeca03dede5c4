"""The trace fields that we write: Received, Return-Path, Delivered-To (RFC 5321 §4.4, RFC 9228).

Each function returns one whole field as octets, line ends CRLF. Whatever a client called itself, nothing that
could end a field or open a comment gets through (requirement A-48). A Received field leaves ASCII only where
SMTPUTF8 was in force (RFC 6531 §3.7.3); the other two are as the addresses are (RFC 6532 §3.2).
"""

import re
from datetime import datetime

from paperpath.mail.address import Mailbox, format_path
from paperpath.mail.domain import domain_key, is_address_literal, is_domain, to_u_labels
from paperpath.mail.envelope import Client
from paperpath.mail.value import value

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNSAFE = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.:\[\]-]")
_MOST_HELLO_CHARACTERS = 255
_INTERNATIONAL = "UTF8"  # how each protocol name begins that means SMTPUTF8 (RFC 6531 §4.3)


@value
class Stamp:
    """One acceptance: by which host, under which queue id, when (with its offset from UTC)."""

    host: str
    queue_id: str
    arrived: datetime


def received_field(client: Client, stamp: Stamp, only_recipient: Mailbox | None) -> bytes:
    """Write the Received field; `only_recipient` is `None` unless there is just one (RFC 5321 §4.4, §7.2).

    Without SMTPUTF8 a recipient whose local part is not ASCII is left out.
    """
    international = client.protocol.startswith(_INTERNATIONAL)
    show = to_u_labels if international else _show_in_ascii
    lines = [
        f"Received: from {show(_clean_hello(client.hello))} ({_literal(client.address)})",
        f" by {show(stamp.host)} with {client.protocol} id {stamp.queue_id}",
    ]
    if only_recipient is not None and (international or only_recipient.local.isascii()):
        recipient = Mailbox(only_recipient.local, show(only_recipient.domain))
        lines.append(f" for {format_path(recipient)}")
    lines[-1] += ";"
    lines.append(f" {format_date(stamp.arrived)}")
    return "\r\n".join(lines).encode("utf-8" if international else "ascii") + b"\r\n"


def submission_field(client: Client, stamp: Stamp, *, hides_client: bool = False) -> bytes:
    """Write the Received field of a message that was submitted over the network (RFC 8314 §4.3).

    Where the client is hidden there is no `from`. There is no `for`, whatever the number of recipients: the
    one may have been meant to be blind (RFC 5321 §7.2).
    """
    international = client.protocol.startswith(_INTERNATIONAL)
    show = to_u_labels if international else _show_in_ascii
    _, _, cipher = client.tls.partition(" ")
    lines = [
        *([] if hides_client else [f"from {show(_clean_hello(client.hello))} ({_literal(client.address)})"]),
        f"by {show(stamp.host)} with {client.protocol} id {stamp.queue_id}",
        *([f"tls {cipher}"] if cipher else []),
    ]
    text = "\r\n ".join([*lines[:-1], f"{lines[-1]};", format_date(stamp.arrived)])
    return f"Received: {text}\r\n".encode("utf-8" if international else "ascii")


def submitted_field(uid: int, login: str, stamp: Stamp, protocol: str = "") -> bytes:
    """Write the Received field of a message that a user of this host handed in; `login` is empty if unknown.

    No `from`, for there was no host but this; `with` only where it came by a protocol that is registered (RFC
    3848). No `for` either, as above.
    """
    user = f"user {_UNSAFE.sub('?', login)[:_MOST_HELLO_CHARACTERS]}, uid {uid}" if login else f"uid {uid}"
    way = f"with {protocol} id" if protocol else "id"
    lines = [
        f"Received: by {_show_in_ascii(stamp.host)} (Paperpath, from {user})",
        f" {way} {stamp.queue_id};",
        f" {format_date(stamp.arrived)}",
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def return_path_field(sender: Mailbox | None) -> bytes:
    """Write the Return-Path field, `<>` for the null sender."""
    return f"Return-Path: {format_path(sender)}\r\n".encode()


def delivered_to_field(recipient: Mailbox) -> bytes:
    """Write the Delivered-To field: the address this copy was delivered for (RFC 9228 §4)."""
    return f"Delivered-To: {recipient}\r\n".encode()


def format_client(client: Client) -> str:
    """Write who handed a message in, by name and address, in ASCII: for a report (RFC 3464 §2.2.4)."""
    return f"{_show_in_ascii(_clean_hello(client.hello))} ({client.address})"


def format_date(moment: datetime) -> str:
    """Write a date and time with its numeric offset (RFC 5322 §3.3); `moment` must know its offset."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a date in a header needs an offset from UTC")
    minutes = round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    day = f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year:04}"
    return f"{day} {moment.hour:02}:{moment.minute:02}:{moment.second:02} {zone}"


def _clean_hello(hello: str) -> str:
    if is_domain(hello) or is_address_literal(hello):
        return hello
    return _UNSAFE.sub("?", hello)[:_MOST_HELLO_CHARACTERS] or "unknown"


def _show_in_ascii(domain: str) -> str:
    return domain if domain.isascii() else domain_key(domain)


def _literal(address: str) -> str:
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
