"""The octets behind BDAT: literal, counted, no dots taken off (RFC 3030 §2).

Bare CR and LF are noticed over the borders of segments and chunks, and never mended; the caller refuses them
unless the message is binary.
"""

from paperpath.mail.newlines import has_bare_newline


class ChunkReader:
    """Reads the chunks of one message. `begin` announces each, `feed` takes its octets."""

    def __init__(self) -> None:
        """Begin with no chunk announced."""
        self.left = 0  # octets of the chunk that have not come yet
        self.chunks = 0
        self.octets = 0
        self._after_cr = False
        self._has_bare_newline = False

    @property
    def has_bare_newline(self) -> bool:
        """Whether a CR or LF stood alone so far; a CR at the very end does."""
        return self._has_bare_newline or self._after_cr

    @property
    def is_flood(self) -> bool:
        """Whether the client sends crumbs: more than a thousand chunks of under 64 octets (attack S-2)."""
        return self.chunks > 1000 and self.octets < self.chunks * 64

    def begin(self, size: int) -> None:
        """Announce a chunk of that many octets."""
        self.left = size
        self.chunks += 1

    def feed(self, octets: bytes) -> tuple[bytes, bytes]:
        """Take octets; return those of the chunk, and what lies behind it."""
        content, behind = octets[: self.left], octets[self.left :]
        self.left -= len(content)
        self.octets += len(content)
        self._look_for_bare_newlines(content)
        return content, behind

    def _look_for_bare_newlines(self, content: bytes) -> None:
        if not content:
            return
        if self._after_cr:
            content = b"\r" + content
        self._after_cr = content.endswith(b"\r")
        if has_bare_newline(content[:-1] if self._after_cr else content):
            self._has_bare_newline = True
