"""Names as people write them, and as the DNS has them (RFC 1035 §2.3.4, RFC 5891 §5).

Called by the resolver. Underscores are fine, since TLSA and others live under them. What cannot be a name in
the DNS is `None` and no exception: whoever writes mail may put anything there.
"""

import dns.exception
import dns.name
import idna

from paperpath.mail.domain import MOST_DOMAIN_OCTETS


def fold_name(name: str) -> str:
    """Return the form in which names in ASCII compare; others are left to `parse_name`."""
    return name.lower().removesuffix(".")


def parse_name(name: str) -> dns.name.Name | None:
    """Return a name for the wire, U-labels as A-labels, in lower case; `None` for what cannot be asked."""
    if not 0 < len(name) <= 4 * MOST_DOMAIN_OCTETS or name == "@":  # "@" is the codec's word for its origin
        return None
    try:
        text = name if name.isascii() else ".".join(map(_to_a_label, idna.uts46_remap(name).split(".")))
        return dns.name.from_text(fold_name(text))
    except (dns.exception.DNSException, idna.IDNAError):
        return None


def _to_a_label(label: str) -> str:
    """Raises: idna.IDNAError."""
    return label if label.isascii() else idna.alabel(label).decode("ascii")
