"""What the header tells of recipients: nothing of blind ones, and one field at least (B-14, B-15).

Two steps of form.py; the first also takes off the Return-Path, which final delivery writes (B-16).
"""

from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.values import What

_BLIND = b"bcc"
_REMOVED = (_BLIND, b"resent-bcc", b"return-path")


def remove_hidden(draft: Draft) -> None:
    """Remove what must not go out; one blind field that is empty, and so tells nothing, may yet be needed."""
    for key in _REMOVED:
        first = draft.firsts.get(key)
        if first is None:
            continue
        for field in draft.repeated.get(key, (first,)):
            if field is not first or key != _BLIND or field.value.strip():
                draft.remove(field)


def ensure_recipients(draft: Draft) -> None:
    """Let an empty Bcc stand where no other recipient does, and only there (RFC 5321, appendix B).

    A message sent again keeps what it had.
    """
    empty = draft.firsts.get(_BLIND)
    if b"to" in draft.firsts or b"cc" in draft.firsts:
        if empty is not None:
            draft.remove(empty, What.EMPTY_REMOVED)
    elif empty is None and not draft.is_resent:
        draft.add(b"Bcc:\r\n")
