"""Quoted-printable: any octets as short lines of printable ASCII (RFC 2045 §6.7).

Called by whoever writes a part of a message that must pass every hop. Line ends are CRLF; a CR or LF that is
none becomes part of its line, encoded, so decoding gives back what there was.
"""

_MOST_LINE_OCTETS = 76
_PLAIN = frozenset(range(33, 127)) - {ord("=")}
_ENCODED = [bytes([code]) if code in _PLAIN else b"=%02X" % code for code in range(256)]
_BLANKS = b" \t"


def to_quoted_printable(octets: bytes) -> bytes:
    """Encode octets; lines that end stay lines that end."""
    return b"\r\n".join(map(_encode_line, octets.split(b"\r\n")))


def _encode_line(line: bytes) -> bytes:
    pieces, length = [], 0
    last = len(line) - 1
    for number, code in enumerate(line):
        # A blank may stand as it is, but not at the end, where it could get lost.
        piece = line[number : number + 1] if code in _BLANKS and number != last else _ENCODED[code]
        if length + len(piece) >= _MOST_LINE_OCTETS:
            pieces.append(b"=\r\n")
            length = 0
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces)
