"""The content of a message that mailto sends: a text, and what is attached to it (J-19, RFC 2046).

It is made anew each time that it is asked for, so nothing waits anywhere but the text. The canonical form,
which it goes through, encodes what must be, and labels a text that stands alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from paperpath.commands.attachment import Attachment, find_charset
from paperpath.commands.direct_submission import Content
from paperpath.commands.handed_message import HandedMessage
from paperpath.mail.header import count_fields

_VERSION = b"MIME-Version: 1.0\r\n"
_UNKNOWN = "unknown-8bit"


@dataclass(frozen=True, slots=True)
class Parts:
    """A content of several parts; `text_header` is that of the first of them."""

    header: bytes
    text_header: bytes
    text: HandedMessage
    attachments: Sequence[Attachment]
    boundary: bytes

    def read_body(self) -> Iterator[bytes]:
        """Give the body, as often as it is asked for. Raises: ExitError, OSError."""
        delimiter = b"\r\n--" + self.boundary  # the line end before it is its own (RFC 2046 §5.1.1)
        yield delimiter.removeprefix(b"\r\n") + b"\r\n" + self.text_header + b"\r\n"
        yield from self.text.read_body()
        for attachment in self.attachments:
            yield delimiter + b"\r\n" + attachment.write_header() + b"\r\n"
            yield from attachment.read()
        yield delimiter + b"--\r\n"


def make_content(
    header: bytes, content_fields: bytes, text: HandedMessage, attachments: Sequence[Attachment], token: str
) -> Content:
    """Put a content together; `content_fields` are about the text, `token` is random. Raises: OSError."""
    charset = find_charset(text.read_body())
    if not attachments and not content_fields and charset != _UNKNOWN:
        return replace(text, header=header)
    described = _describe(content_fields, charset, is_ascii=text.is_ascii)
    if not count_fields(header, b"mime-version"):
        header += _VERSION
    if not attachments:
        return replace(text, header=header + described)
    boundary = choose_boundary(text, token)
    header += f'Content-Type: multipart/mixed;\r\n boundary="{boundary}"\r\n'.encode()
    if not text.is_ascii:
        header += b"Content-Transfer-Encoding: 8bit\r\n"
    return Parts(header, described, text, attachments, boundary.encode())


def choose_boundary(text: HandedMessage, token: str) -> str:
    """Choose a boundary that stands nowhere in a text; base64 cannot hold it. Raises: OSError."""
    number = 0
    while _holds(text.read_body(), f"=_{token}.{number}".encode()):
        number += 1
    return f"=_{token}.{number}"


def _holds(pieces: Iterable[bytes], word: bytes) -> bool:
    held = b""
    for octets in pieces:
        held += octets
        if word in held:
            return True
        held = held[-len(word) :]
    return False


def _describe(fields: bytes, charset: str, *, is_ascii: bool) -> bytes:
    """Return the fields about a text, with those that its author left out."""
    if not count_fields(fields, b"content-type"):
        fields = f"Content-Type: text/plain; charset={charset}\r\n".encode() + fields
    if not count_fields(fields, b"content-transfer-encoding"):
        fields += b"Content-Transfer-Encoding: " + (b"7bit" if is_ascii else b"8bit") + b"\r\n"
    return fields
