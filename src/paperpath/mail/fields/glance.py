"""Whether a field may stay as it is, told by one look at its octets: for the many that may.

Called by the canonical form for every field of every message, so each answer is one regular expression that
never goes back (possessive throughout). True is certain; False means only that the value must be parsed.
`octets` are what stands behind the colon, without the CRLF at the end; folds are in them as they came.
"""


def are_canonical_addresses(octets: bytes) -> bool:
    """Tell whether this is a list of addresses in ASCII, each with a domain of two labels or more.

    A name alone for a group without members counts too. Quoted local parts and address literals do not.
    """
    return False


def is_canonical_date(octets: bytes) -> bool:
    """Tell whether this is a date in the form of RFC 5322 §3.3, and its weekday, if it has one, is right."""
    return False


def is_canonical_message_id(octets: bytes) -> bool:
    """Tell whether this is one message id in the form of RFC 5322 §3.6.4."""
    return False
