"""When a message was written, and its id: Date and Message-ID added, rewritten or replaced (B-10, B-11).

A step of form.py.
"""

from collections.abc import Callable

from paperpath.mail.fields.dates import parse_date
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.glance import is_canonical_date, is_canonical_message_id
from paperpath.mail.fields.message_ids import make_message_id, parse_message_id
from paperpath.mail.trace import format_date
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.section import Field
from paperpath.submission.canonical.values import What


def ensure_stamps(draft: Draft) -> None:
    """See to it that both are there and can be read."""
    submitted = draft.submitted
    date = draft.find(b"date")
    if date is None:
        draft.add(f"Date: {format_date(submitted.now)}\r\n".encode())
    elif not is_canonical_date(date.value):
        _mend(draft, date, lambda text: format_date(parse_date(text)), format_date(submitted.now))
    message_id = draft.find(b"message-id")
    if message_id is not None and is_canonical_message_id(message_id.value):
        return
    new_id = make_message_id(submitted.token, draft.rules.hostname)
    if message_id is None:
        draft.add(f"Message-ID: {new_id}\r\n".encode())
    else:
        _mend(draft, message_id, parse_message_id, new_id)


def _mend(draft: Draft, field: Field, rewrite: Callable[[str], str], new: str) -> None:
    """Put a field into its form; a new value in its place where it cannot be read."""
    try:
        value, what = rewrite(field.value.decode("utf-8")), What.REWRITTEN
    except FieldError:
        value, what = new, What.REPLACED
    if not value.isascii() and not draft.submitted.international:
        value, what = new, What.REPLACED
    octets = field.name + b": " + value.encode() + b"\r\n"
    if octets != field.octets:
        is_needed = what is What.REPLACED or not field.octets.isascii()
        draft.rewrite(field, octets, what, is_needed=is_needed)
