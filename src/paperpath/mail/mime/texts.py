"""The text of a part as people read it: its encoding undone, its charset decoded.

Called for SEARCH in bodies, and for previews.
"""

from collections.abc import Iterable, Iterator

from paperpath.mail.charsets import decode_texts
from paperpath.mail.mime.content_fields import find_parameter
from paperpath.mail.mime.encodings import UnknownEncodingError, decode_pieces
from paperpath.mail.mime.part import Part


def read_texts(part: Part, pieces: Iterable[bytes]) -> Iterator[str]:
    """Give the text of a part, out of the octets of its body; none where its encoding is unknown."""
    charset = find_parameter(part.media.parameters, b"charset") or b""
    try:
        octets = decode_pieces(part.about.encoding, pieces)
    except UnknownEncodingError:
        return iter(())
    return decode_texts(charset.decode("ascii", "replace"), octets)
