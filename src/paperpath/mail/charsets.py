"""Charsets that people's mail is written in.

Their names are the sender's word, so only known ones are looked for: not every codec is one, or is harmless.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

_CHARSET = re.compile(
    r"us-ascii|utf-?8|iso-8859-[0-9]{1,2}|windows-125[0-8]|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-jp|euc-kr"
    r"|shift_jis|iso-2022-(?:jp|kr)|ks_c_5601-1987",
    re.ASCII | re.IGNORECASE,
)
_FALLBACK = "utf-8"  # holds ASCII, and is what is mostly meant where nothing is said


def is_known_charset(name: str) -> bool:
    """Tell whether text in that charset may be decoded; that the codec exists is not said."""
    return _CHARSET.fullmatch(name) is not None


def decode_texts(charset: str, pieces: Iterable[bytes]) -> Iterator[str]:
    """Decode octets piece by piece, of an unknown charset as UTF-8; what cannot be decoded becomes U+FFFD."""
    decoder = _find_decoder(charset)
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def decode_octets(octets: bytes) -> str:
    """Decode what stands in a header without a charset: UTF-8, and Latin-1 where it is none."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _find_decoder(charset: str) -> codecs.IncrementalDecoder:
    name = charset if is_known_charset(charset) and charset.lower() != "us-ascii" else _FALLBACK
    try:
        return codecs.getincrementaldecoder(name)("replace")
    except LookupError:
        return codecs.getincrementaldecoder(_FALLBACK)("replace")
