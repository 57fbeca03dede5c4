"""BINARY and BINARY.SIZE: parts with their encoding undone (RFC 3516, RFC 9051 §6.4.5).

Called for FETCH. Which part is meant is told as for BODY; without numbers it is the message as it is.
"""

from collections.abc import Iterable, Iterator, Sequence

from paperpath.imap.content.sections import find_part
from paperpath.imap.fetch_items import Partial
from paperpath.mail.mime.encodings import decode_pieces
from paperpath.mail.mime.part import Extent, Part


def find_binary(message: Part, path: Sequence[int]) -> tuple[Extent, bytes] | None:
    """Return where the octets lie and how they are encoded; `None` where there is no such part.

    Multiparts and messages are as they are: what is in them is encoded, they are not.
    """
    if not path:
        return message.extent, b"binary"
    part = find_part(message, path)
    if part is None:
        return None
    return part.body, b"binary" if part.children else part.about.encoding


def read_binary(encoding: bytes, pieces: Iterable[bytes], partial: Partial | None) -> Iterator[bytes]:
    """Give octets decoded, only those wanted. Raises, at once: UnknownEncodingError (UNKNOWN-CTE)."""
    decoded = decode_pieces(encoding, pieces)
    return decoded if partial is None else _cut(decoded, partial)


def measure_binary(encoding: bytes, pieces: Iterable[bytes]) -> int:
    """Return how many octets there are, decoded. Raises: UnknownEncodingError."""
    return sum(map(len, decode_pieces(encoding, pieces)))


def _cut(pieces: Iterator[bytes], partial: Partial) -> Iterator[bytes]:
    skip, room = partial.begin, partial.octets
    for piece in pieces:
        wanted = piece[skip : skip + room]
        skip = max(skip - len(piece), 0)
        room -= len(wanted)
        yield wanted
        if room == 0:
            return
