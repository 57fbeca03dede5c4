"""Fields that may stand once (RFC 5322 §3.6, requirement B-17): merged where that is safe, else refused.

A step of form.py. The old fields of a message that was sent again are held to this too.
"""

from collections.abc import Sequence

from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.lists import check_list, is_empty_list
from paperpath.submission.canonical.refusals import refuse_repeated
from paperpath.submission.canonical.section import Field
from paperpath.submission.canonical.values import What

_SINGLE = (b"from", b"sender", b"date", b"message-id", b"subject")
_ADDRESSES = (b"to", b"cc", b"reply-to")
_IDS = (b"in-reply-to", b"references")
_BLANKS = b" \t\r\n"


def ensure_once(draft: Draft) -> None:
    """Leave one of each. Raises: CanonicalError."""
    if not draft.repeated:
        return
    for key in _SINGLE:
        if fields := draft.repeated.get(key):
            raise refuse_repeated(fields[0].shown, len(fields))
    for key in _ADDRESSES:
        if fields := draft.repeated.get(key):
            for field in fields:
                check_list(field)  # else a comment that one leaves open would hide the next
            _merge(draft, fields, b",")
    for key in _IDS:
        if fields := draft.repeated.get(key):
            _merge(draft, fields, b"")


def _merge(draft: Draft, fields: Sequence[Field], separator: bytes) -> None:
    """Put the values of all fields into the first, each on lines of its own, and remove the others."""
    values = [field.value.strip(_BLANKS) for field in fields if not is_empty_list(field)]
    first, *others = fields
    value = (separator + b"\r\n ").join(values)
    draft.rewrite(first, first.name + b": " + value + b"\r\n", What.MERGED)
    for field in others:
        draft.remove(field, What.MERGED)
