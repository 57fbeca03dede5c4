"""From rows to values, for whoever reads: what cannot be made sense of is named, and stops nothing else.

A row can be damaged though SQLite reads it: by a disk that lost a bit, by a program of yesteryear. Such a
recipient, or every recipient of such a message, is given as `Damaged` (requirement D-9).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.envelope import Client, SenderParameters
from paperpath.mail.place import parse_recipient
from paperpath.maildrop.content import content_file
from paperpath.maildrop.values import Claim, ClaimedMessage, Content, Origin, UnsortedRecipient

Row = tuple[Any, ...]

_DIGEST_OCTETS = 32


class DamageError(Exception):
    """A row cannot be made sense of; `str()` says what of it."""


def to_unsorted(row: Row) -> UnsortedRecipient:
    """Make a recipient that waits for the post office. Raises: DamageError."""
    number, queue_id, arrived_us, sender, address, accepted, path, notify, orcpt, via, override, is_report = (
        row
    )
    _check_types("message", (queue_id, arrived_us), (str, int))
    _check_types("recipient", (notify, orcpt, override), (str, str, str))
    mailbox = _mailbox(address, "address", parse_recipient)
    return UnsortedRecipient(
        number,
        queue_id,
        arrived_us,
        mailbox,
        mailbox if accepted == address else _mailbox(accepted, "accepted address"),
        _path(sender if path is None else path, "return path"),
        notify,
        orcpt,
        _alias_keys(via),
        override,
        bool(is_report),
    )


def to_claim(row: Row, message: ClaimedMessage, deadline_us: int) -> Claim:
    """Make a claim of one message's recipient. Raises: DamageError."""
    _check_types("message", (deadline_us,), (int,))
    number, _, address, accepted, path, destination, tried, attempts, notify, orcpt, *rest = row
    via, warned, before, now = rest  # failed contacts of its destination: when it was sorted, and now
    _check_types("recipient", (destination, notify, orcpt), (str, str, str))
    _check_types("recipient", (tried, attempts, warned, before, now), (int, int, int, int, int))
    mailbox = _mailbox(address, "address", parse_recipient)
    return Claim(
        number,
        message,
        mailbox,
        mailbox if accepted == address else _mailbox(accepted, "accepted address"),
        message.sender if path is None else _path(path, "return path"),
        destination,
        bool(tried),
        attempts + now - before,
        notify,
        orcpt,
        deadline_us,
        bool(warned),
        _alias_keys(via),
    )


def to_message(row: Row, content_folder: Path) -> ClaimedMessage:
    """Make a message, with its content if that is small. Raises: DamageError."""
    number, queue_id, sender, body, utf8, ret, envid, arrived_us, size, digest, in_file, octets, *rest = row
    origin, *client = rest
    _check_types("message", (queue_id, body, ret, envid, origin), (str, str, str, str, str))
    _check_types("message", (arrived_us, utf8), (int, int))
    _check_types("client", tuple(client), (str, int, str, str, str, str, str))
    file = content_file(content_folder, queue_id) if in_file else None
    content = Content(size, digest, None if in_file else octets, file)
    _check_content(content)
    parameters = SenderParameters(body, bool(utf8), ret, envid)
    mailbox = _path(sender, "sender")
    try:
        way = Origin(origin)
    except ValueError:
        raise DamageError(f"the message's origin is {origin!r}") from None
    return ClaimedMessage(number, queue_id, mailbox, parameters, arrived_us, content, way, Client(*client))


def _check_content(content: Content) -> None:
    _check_types("content", (content.size, content.digest), (int, bytes))
    if len(content.digest) != _DIGEST_OCTETS:
        raise DamageError(f"the digest has {len(content.digest)} octets")
    if content.file is not None:
        try:
            found = content.file.stat().st_size
        except OSError as error:
            raise DamageError(f"the content's file: {error.strerror}") from None
    elif isinstance(content.octets, bytes):
        found = len(content.octets)
    else:
        raise DamageError("the content is missing")
    if found != content.size:
        raise DamageError(f"the content has {found} octets, not {content.size}")


def _check_types(what: str, values: tuple[object, ...], wanted: tuple[type, ...]) -> None:
    """Check what SQLite gave, in one comparison, since it is done several times for every claim."""
    if tuple(map(type, values)) != wanted:
        raise DamageError(f"the row of the {what} is damaged or missing")


def _mailbox(text: object, what: str, parse: Callable[[str], Mailbox] = parse_mailbox) -> Mailbox:
    try:
        if isinstance(text, str):
            return parse(text)
    except AddressError as error:
        raise DamageError(f"{what} {text!r}: {error}") from None
    raise DamageError(f"{what}: {text!r}")


def _path(text: object, what: str) -> Mailbox | None:
    return None if text == "" else _mailbox(text, what)


def _alias_keys(text: object) -> tuple[str, ...]:
    if text == "":
        return ()
    try:
        keys = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise DamageError(f"aliases it came from: {text!r}")
    return tuple(keys)
