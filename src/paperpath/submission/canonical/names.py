"""Names with blanks before their colon (RFC 5322 §4.5.8), which are taken off (B-18).

A step of form.py.
"""

from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.values import What

_COLON = ord(":")


def mend_names(draft: Draft) -> None:
    """Let the colon stand right behind each name."""
    for field in draft.fields:
        if field.octets and field.octets[len(field.name)] != _COLON:
            octets = field.name + b":" + field.value + b"\r\n"
            draft.rewrite(field, octets, What.REWRITTEN)  # signed or not: not every reader knows such a name
