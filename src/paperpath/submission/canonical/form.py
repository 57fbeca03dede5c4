"""A header put into canonical form (requirements B-10 to B-27): octets in, octets out, and what was changed.

Called by smtpsd, mailto and sendmail. What needs no repair stays octet for octet, and a header in canonical
form comes back as the same object. Whatever a header holds, this takes time linear in it. The steps and their
order are in docs/canonical.md.
"""

from paperpath.submission.canonical.addresses import complete_addresses
from paperpath.submission.canonical.body import BodyFacts
from paperpath.submission.canonical.content import ensure_content
from paperpath.submission.canonical.draft import Draft
from paperpath.submission.canonical.folds import fold_lines
from paperpath.submission.canonical.names import mend_names
from paperpath.submission.canonical.originators import ensure_originators
from paperpath.submission.canonical.recipients import ensure_recipients, remove_hidden
from paperpath.submission.canonical.repeated import ensure_once
from paperpath.submission.canonical.resent import find_block
from paperpath.submission.canonical.section import split_section
from paperpath.submission.canonical.stamps import ensure_stamps
from paperpath.submission.canonical.text import ensure_ascii
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Submitted


def canonicalize(header: bytes, body: BodyFacts, submitted: Submitted, rules: CanonicalRules) -> Canonical:
    """Put a header section into canonical form; it ends with its last CRLF, before the empty line.

    Raises: CanonicalError, whose reply is for the client.
    """
    if header and not header.endswith(b"\r\n"):  # so does the message, then
        header += b"\r\n"
    draft = Draft(split_section(header), submitted, rules)
    remove_hidden(draft)
    find_block(draft)
    mend_names(draft)
    ensure_ascii(draft, header)
    ensure_once(draft)
    complete_addresses(draft)
    ensure_originators(draft)
    ensure_stamps(draft)
    ensure_recipients(draft)
    encoder, is_body_eight_bit = ensure_content(draft, header, body)
    fold_lines(draft, header)
    made = draft.join(header)
    return Canonical(made, draft.changes, encoder, is_body_eight_bit or not made.isascii())
