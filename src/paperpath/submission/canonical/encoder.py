"""The body encoded where it must be: lines too long (B-23), octets above 7F where they are not wanted (X-5).

Called by whoever writes a message out, where the canonical form says so, with each chunk of the body. Parts
that need nothing pass through octet for octet. What is to be encoded was decided before, in content.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from paperpath.mail.header import count_fields, remove_fields
from paperpath.submission.canonical.coders import Base64, Coder, QuotedPrintable
from paperpath.submission.canonical.mime import MimeFacts
from paperpath.submission.canonical.parts import Part, PartWalker, Piece, Role

_LINE_END = b"\r\n"


@dataclass(frozen=True, slots=True)
class Coding:
    """What becomes of a part's body; `is_encoded`: it is in that encoding, and only gets shorter lines."""

    encoding: str
    is_encoded: bool = False

    def make_coder(self) -> Coder:
        """Make what does it."""
        coder = Base64 if self.encoding == "base64" else QuotedPrintable
        return coder(is_encoded=self.is_encoded)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to a body: codings by the number of the part; if there are none, nothing.

    `is_seven_bit`: no octet above 7F is left behind it, so what is around parts is relabelled too.
    """

    codings: Mapping[int, Coding]
    is_seven_bit: bool = False

    def find_label(self, part: Part) -> str:
        """Return the transfer encoding that a part's header must say; empty where it is right as it is."""
        coding = self.codings.get(part.number)
        if coding is not None:
            return "" if coding.is_encoded else coding.encoding
        kind, encoding = part.mime.kind, part.mime.encoding
        is_container = kind.startswith(("multipart/", "message/"))
        return "7bit" if self.is_seven_bit and is_container and encoding in ("8bit", "binary") else ""


class BodyEncoder:
    """Encodes one body on its way; it cannot fail."""

    def __init__(self, mime: MimeFacts, plan: Plan) -> None:
        """Begin; `mime` is what the header says as it came in."""
        self._mime = mime
        self._walker = PartWalker(mime)
        self._plan = plan
        self._part: Part | None = None  # whose body it is that passes
        self._coder: Coder | None = None

    def renew(self) -> "BodyEncoder":
        """Return another that has seen nothing yet, for whoever reads the body twice."""
        return BodyEncoder(self._mime, self._plan)

    def encode(self, octets: bytes) -> bytes:
        """Take the next octets of the body as it came in; return what can be written."""
        return b"".join(map(self._write, self._walker.feed(octets)))

    def finish(self) -> bytes:
        """Return the rest; a body ends with a line end, whatever its last part was turned into."""
        rest = b"".join(map(self._write, self._walker.finish()))
        line_end = _LINE_END if isinstance(self._coder, Base64) else b""
        return rest + self._end_part() + line_end

    def _write(self, piece: Piece) -> bytes:
        if piece.role is not Role.BODY:
            octets = self._write_header(piece) if piece.role is Role.HEADER else piece.octets
            return self._end_part() + octets
        ended = b""
        if piece.part is not self._part:
            ended = self._end_part()
            self._begin_part(piece.part)
        return ended + (piece.octets if self._coder is None else self._coder.encode(piece.octets))

    def _begin_part(self, part: Part) -> None:
        coding = self._plan.codings.get(part.number)
        self._part, self._coder = part, None if coding is None else coding.make_coder()

    def _end_part(self) -> bytes:
        coder, self._part, self._coder = self._coder, None, None
        return coder.finish() if coder is not None else b""

    def _write_header(self, piece: Piece) -> bytes:
        """Write a part's header with another label, if it needs one."""
        label = self._plan.find_label(piece.part)
        if not label:
            return piece.octets
        fields = remove_fields(piece.octets.removesuffix(_LINE_END), b"content-transfer-encoding")
        if piece.part.is_message and not count_fields(fields, b"mime-version"):
            fields += b"MIME-Version: 1.0\r\n"
        return fields + f"Content-Transfer-Encoding: {label}\r\n\r\n".encode()
