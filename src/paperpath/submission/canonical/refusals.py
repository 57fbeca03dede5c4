"""What is refused and not repaired: each refusal by name, with the reply that the user gets (RFC 6409 §4, §6).

The sentence names the field, and says what would help; of what stands in the field nothing is repeated, for it
might be a blind recipient (B-15).
"""

from paperpath.mail.reply import Reply, make_reply


class CanonicalError(Exception):
    """The message cannot be put into canonical form; `reply` says why, to who wrote it."""

    def __init__(self, reply: Reply) -> None:
        """Take the reply; `str()` is the same for a log."""
        super().__init__(str(reply))
        self.reply = reply


def refuse_header(text: str) -> CanonicalError:
    """Refuse a header (B-6)."""
    return CanonicalError(make_reply(554, "5.6.0", text))
