"""Message ids: read, made (RFC 5322 §3.6.4, §4.5.4).

Called by the canonical form.
"""


def parse_message_id(text: str) -> str:
    """Read a value that is one message id; return that in canonical form, with its brackets.

    Raises: FieldError.
    """
    return text.strip()


def make_message_id(token: str, host: str) -> str:
    """Make a message id of a token that is used once, an atom, and the name of this host."""
    return f"<{token}@{host}>"
