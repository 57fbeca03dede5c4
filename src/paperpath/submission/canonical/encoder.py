"""The body encoded where it must be: lines too long (B-23), octets above 7F where they are not wanted (X-5).

Called by whoever writes a message out, where the canonical form says so, with each chunk of the body; parts
that need nothing pass through octet for octet.
"""


class BodyEncoder:
    """Encodes one body on its way; whether it can be is certain before it begins."""

    def encode(self, octets: bytes) -> bytes:
        """Take the next octets of the body as it came in; return what can be written."""
        return octets

    def finish(self) -> bytes:
        """Return the rest."""
        return b""
