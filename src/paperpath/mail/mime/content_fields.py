"""The fields that say what a part is, read leniently (RFC 2045 §5, §6; RFC 2183; RFC 2231; RFC 3282).

Used by structure.py. A type that cannot be understood is plain text (RFC 2045 §5.2); other fields stay as
they are written, as far as there is a meaning in them.
"""

import re
from urllib.parse import unquote_to_bytes

from paperpath.mail.mime.fields import first_values, unfold_octets
from paperpath.mail.mime.part import PLAIN_TEXT, About, Media, Parameters, Token

_MOST_OCTETS = 8192  # of a value
_TOKEN = rb"[!#-'*+\-.0-9A-Z^_`a-z{|}~]++"  # RFC 2045 §5.1
_TYPE = re.compile(rb"(%b)[ \t]*+/[ \t]*+(%b)" % (_TOKEN, _TOKEN))
_WORD = re.compile(_TOKEN)
_PARAMETER = re.compile(
    rb'[ \t]*+([^\s;=()"]++)[ \t]*+=[ \t]*+(?:"((?>(?:[^"\\]++|\\.)*))"?|([^\s;"(]*+))', re.DOTALL
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_DEFAULT_ENCODING = b"7bit"  # RFC 2045 §6.1
_NAMES = frozenset(
    (
        b"content-type",
        b"content-transfer-encoding",
        b"content-id",
        b"content-description",
        b"content-md5",
        b"content-disposition",
        b"content-language",
        b"content-location",
    )
)


def read_content_fields(header: bytes, default: Media) -> tuple[Media, About]:
    """Read what a header says of its part; `default` is the type where it names none."""
    found = {
        name: unfold_octets(value[:_MOST_OCTETS]) for name, value in first_values(header, _NAMES).items()
    }
    media = _read_type(found[b"content-type"]) if b"content-type" in found else default
    return media, About(
        encoding=_read_encoding(found.get(b"content-transfer-encoding", b"")),
        content_id=found.get(b"content-id"),
        description=found.get(b"content-description"),
        md5=found.get(b"content-md5"),
        disposition=_read_token(found.get(b"content-disposition", b"")),
        languages=tuple(_WORD.findall(found.get(b"content-language", b""))),
        location=found.get(b"content-location"),
    )


def find_parameter(parameters: Parameters, name: bytes) -> bytes | None:
    """Return the value of a parameter (lower case), put together and without percents (RFC 2231 §3, §4)."""
    values = {written.lower(): value for written, value in reversed(parameters)}
    if name in values:
        return values[name]
    whole = values.get(name + b"*")
    if whole is not None:
        return unquote_to_bytes(_without_charset(whole))
    pieces: list[bytes] = []
    while True:
        key = b"%b*%d" % (name, len(pieces))
        if key in values:
            pieces.append(values[key])
        elif key + b"*" in values:
            value = values[key + b"*"]
            pieces.append(unquote_to_bytes(value if pieces else _without_charset(value)))
        else:
            return b"".join(pieces) if pieces else None


def _read_type(value: bytes) -> Media:
    match = _TYPE.match(value)
    if match is None:
        return PLAIN_TEXT
    return Media(match[1], match[2], _read_parameters(value, match.end()))


def _read_encoding(value: bytes) -> bytes:
    word = _WORD.match(value)
    return _DEFAULT_ENCODING if word is None else word[0]


def _read_token(value: bytes) -> Token | None:
    word = _WORD.match(value)
    return None if word is None else Token(word[0], _read_parameters(value, word.end()))


def _read_parameters(value: bytes, begin: int) -> Parameters:
    """Read what stands behind semicolons, as far as it has the form of a parameter."""
    parameters = []
    while (semicolon := value.find(b";", begin)) >= 0:
        begin = semicolon + 1
        match = _PARAMETER.match(value, begin)
        if match is not None:
            name, quoted, plain = match.groups()
            parameters.append((name, plain if quoted is None else _QUOTED_PAIR.sub(rb"\1", quoted)))
            begin = match.end()
    return tuple(parameters)


def _without_charset(value: bytes) -> bytes:
    """Return what stands behind charset and language."""
    return value.split(b"'", 2)[-1]
