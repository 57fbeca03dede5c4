"""Encoded words: text beyond ASCII in a header that must be ASCII (RFC 2047, RFC 2231 §5).

Called by address_text.py and the canonical form, and by whoever shows a header. We write UTF-8 only. White
space between two encoded words is not shown, so what must be seen of it is encoded with them.
"""


def encode_words(text: str) -> str:
    """Return unstructured text, unfolded, with encoded words for what is not ASCII; the rest stays.

    A word that is too long for any line is encoded too, and encoded words that are there already stay.
    """
    return text


def encode_phrase(phrase: str) -> str:
    """Return a display name, as `Named.name` holds it, with encoded words for what is not ASCII."""
    return phrase


def encode_comment(comment: str) -> str:
    """Return a comment, as `Named.comments` holds it, with encoded words for what is not ASCII."""
    return comment


def quote_phrase(text: str) -> str:
    """Write plain text, say somebody's full name, as a display name: as atoms, or quoted where it must be."""
    return text


def decode_words(text: str) -> str:
    """Return text as it is shown; encoded words that cannot be decoded stay, controls become U+FFFD."""
    return text
