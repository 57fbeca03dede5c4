"""A message as it comes in, cut into its header, which is held, and its body, which waits beside it.

Used by the reception. Whatever is sent, no more of a header is held than `MOST_HEADER_OCTETS`.
"""

from pathlib import Path

from paperpath.mail.reply import make_reply
from paperpath.submission.body import WaitingBody
from paperpath.submission.canonical.body import NO_BODY, BodyFacts, BodyScan
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.section import MOST_HEADER_OCTETS

R554_HEADER_TOO_LONG = make_reply(554, "5.6.0", "The header is too long; it may have 2 MiB")

_END = b"\r\n\r\n"


class Draft:
    """One message on its way in. Close it."""

    def __init__(self, folder: Path) -> None:
        """Begin before the first octet; a long body goes into a file of that folder's file system."""
        self.body = WaitingBody(folder)
        self._header = bytearray()
        self._scan: BodyScan | None = None  # there once the header has ended
        self._is_too_long = False

    @property
    def has_separator(self) -> bool:
        """Whether an empty line came."""
        return self._scan is not None

    @property
    def header_octets(self) -> int:
        """How long the header is as far as it has come."""
        return len(self._header)

    @property
    def header(self) -> bytes:
        """The header section as far as it has come, each line with its end."""
        header = bytes(self._header)
        return header if header.endswith(b"\r\n") or not header else header + b"\r\n"

    def add(self, octets: bytes) -> None:
        """Take the next octets. Raises: StorageError."""
        if self._scan is not None:
            self._scan.add(octets)
            self.body.write(octets)
        elif not self._is_too_long:
            self._add_to_header(octets)

    def finish(self) -> BodyFacts:
        """Say what was seen of the body. Raises: CanonicalError, where the header was too much."""
        if self._is_too_long:
            raise CanonicalError(R554_HEADER_TOO_LONG)
        return NO_BODY if self._scan is None else self._scan.finish()

    def close(self) -> None:
        """Let go of it all."""
        self.body.close()
        self._header.clear()

    def _add_to_header(self, octets: bytes) -> None:
        searched = max(len(self._header) - len(_END) + 1, 0)
        self._header += octets
        if self._header.startswith(b"\r\n"):
            end, behind = 0, 2
        elif (found := self._header.find(_END, searched)) >= 0:
            end, behind = found + 2, found + len(_END)
        else:
            end = behind = len(self._header)
        self._is_too_long = end > MOST_HEADER_OCTETS
        if self._is_too_long:
            self._header.clear()
        elif behind > end:
            rest = bytes(self._header[behind:])
            del self._header[end:]
            self._scan = BodyScan(bytes(self._header))
            self.add(rest)
