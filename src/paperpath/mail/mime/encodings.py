"""Content-Transfer-Encodings undone, piece by piece (RFC 2045 §6).

Called for BINARY, for SEARCH in bodies, and for previews. What is malformed is decoded as far as it has a
meaning; what comes out does not depend on how the octets are cut.
"""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterable, Iterator

_IDENTITIES = (b"7bit", b"8bit", b"binary")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_NOT_ENCODED = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r\n)")
_MOST_OPEN_BLANKS = 100  # more of them at the end of a piece may stay, though their line ends there
_OPEN_END = re.compile(rb"(?:=[0-9A-Fa-f]?|=?[ \t]{0,%d}+\r?)\Z" % _MOST_OPEN_BLANKS)
_LONGEST_OPEN_END = _MOST_OPEN_BLANKS + 2


class UnknownEncodingError(ValueError):
    """The name of an encoding that nobody here knows."""


def decode_pieces(encoding: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo an encoding, named in any case. Raises, before anything is given: UnknownEncodingError."""
    match encoding.lower():
        case b"base64":
            return _decode_base64(pieces)
        case b"quoted-printable":
            return _decode_quoted_printable(pieces)
        case name if name in _IDENTITIES:
            return iter(pieces)
        case _:
            raise UnknownEncodingError(encoding.decode("ascii", "replace"))


def _decode_base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode each run of letters up to padding; more may follow, and then begins anew."""
    rest = b""
    for piece in pieces:
        *ended, last = (rest + piece.translate(None, _NOT_BASE64)).split(b"=")
        whole = len(last) // 4 * 4
        yield b"".join(map(_decode_letters, (*ended, last[:whole])))
        rest = last[whole:]
    yield _decode_letters(rest)


def _decode_letters(letters: bytes) -> bytes:
    if len(letters) % 4 == 1:  # six bits that are no octet
        letters = letters[:-1]
    return a2b_base64(letters + b"=" * (-len(letters) % 4))


def _decode_quoted_printable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        octets = rest + piece
        end = _find_open_end(octets)
        yield _decode_quoted(octets[:end])
        rest = octets[end:]
    yield _decode_quoted(rest, is_last=True)


def _find_open_end(octets: bytes) -> int:
    """Return from where on octets mean something only with what comes behind them."""
    begin = max(len(octets) - _LONGEST_OPEN_END, 0)
    match = _OPEN_END.search(octets, begin)
    return len(octets) if match is None else match.start()


def _decode_quoted(octets: bytes, *, is_last: bool = False) -> bytes:
    """Decode octets that end where nothing is open."""
    *ended, last = octets.split(b"\r\n")
    lines = [*(line.rstrip(b" \t") for line in ended), last.rstrip(b" \t") if is_last else last]
    plain = _NOT_ENCODED.sub(b"=3D", b"\r\n".join(lines))
    return a2b_qp(plain.replace(b"=\r\n", b""))
