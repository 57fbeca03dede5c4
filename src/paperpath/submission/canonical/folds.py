"""Lines of a header that are too long, or white space alone (B-22, RFC 5322 §2.1.1, §3.2.2).

The last step of form.py, for fields that no other step has written anew.
"""

import re

from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.folding import fold_field, unfold
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.lines import has_long_line
from paperpath.submission.canonical.lists import ADDRESS_KEYS, read_list, write_list
from paperpath.submission.canonical.refusals import refuse_field
from paperpath.submission.canonical.section import Field
from paperpath.submission.canonical.values import What

_BLANK_LINE = re.compile(rb"\r\n[ \t]+(?=\r\n)")


def fold_lines(draft: Draft, header: bytes) -> None:
    """Mend the lines that need it; `header` is the section as it came. Raises: CanonicalError."""
    if _BLANK_LINE.search(header) is not None:
        for field in draft.fields:
            lines = field.octets.split(b"\r\n")
            kept = [line for line in lines[:-1] if line.strip(b" \t")]
            if len(kept) < len(lines) - 1:
                draft.rewrite(field, b"\r\n".join([*kept, b""]), What.FOLDED)
    if has_long_line(header):
        for field in draft.fields:
            if has_long_line(field.octets):
                draft.rewrite(field, _fold(draft, field), What.FOLDED)


def _fold(draft: Draft, field: Field) -> bytes:
    """Write a field anew at its white space, or else between its addresses. Raises: CanonicalError."""
    try:
        return fold_field(field.name, unfold(field.value.decode("utf-8")).strip(" \t"))
    except FieldError as error:
        if field.key not in ADDRESS_KEYS:
            raise refuse_field(field.shown, str(error)) from None
    international = draft.submitted.international
    return write_list(field, read_list(field).addresses, international=international)
