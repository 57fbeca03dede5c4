"""Messages sent again: the fields that tell of the last time are what counts (B-21, RFC 5322 §3.6.6).

A step of form.py, when hidden fields are gone. The original is not completed, nor are older blocks.
"""

from paperpath.submission.canonical.draft import RESENT, Draft
from paperpath.submission.canonical.lists import ADDRESS_KEYS, is_empty_list
from paperpath.submission.canonical.section import Field
from paperpath.submission.canonical.values import What

# Only those of RFC 5322 make a message one that was sent again.
_RESENT_KEYS = frozenset(key for key in ADDRESS_KEYS if key.startswith(RESENT)) | {
    b"resent-date",
    b"resent-message-id",
    b"resent-bcc",
}
_TRACE = b"received"


def find_block(draft: Draft) -> None:
    """Find the topmost block: Resent fields up to one that is there already, or to a trace field.

    Other fields may stand among them. Empty ones are removed.
    """
    resent = [number for number, field in enumerate(draft.fields) if field.key in _RESENT_KEYS]
    if not resent:
        return
    for number in resent:
        field = draft.fields[number]
        if field.octets and field.key in ADDRESS_KEYS and is_empty_list(field):
            draft.remove(field, What.EMPTY_REMOVED)
    block: dict[bytes, Field] = {}
    for field in draft.fields[resent[0] :]:
        if field.key == _TRACE or (field.key in block and field.octets):
            break
        if field.key in _RESENT_KEYS and field.octets:
            block[field.key] = field
    draft.look_at_block(resent[0], list(block.values()))
