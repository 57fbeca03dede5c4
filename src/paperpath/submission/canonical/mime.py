"""What the MIME fields of a part say of its body (RFC 2045 §5, §6; RFC 2046 §5.1).

Called by parts.py for the message and each part. Strict: what could be read in two ways is `UNKNOWN`, and the
body of an unknown part is never changed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.mail.header import find_fields

UNKNOWN = "unknown"
_TOKEN = rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"
_KIND = re.compile(rb"[ \t]*(" + _TOKEN + rb"/" + _TOKEN + rb")[ \t]*(?=;|\Z)")
_PARAMETER = re.compile(
    rb"[ \t]*;[ \t]*(?:(" + _TOKEN + rb")[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\";]+))[ \t]*)?(?=;|\Z)"
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_MOST_BOUNDARY_OCTETS = 1000  # far beyond the 70 of RFC 2046 §5.1.1
_IDENTITIES = ("7bit", "8bit", "binary")


@dataclass(frozen=True, slots=True)
class MimeFacts:
    """Type and transfer encoding in lower case, and the boundary of a multipart.

    Where there is no type it is `text/plain`, where there is no encoding `7bit` (RFC 2045 §5.2, §6.1).
    """

    kind: str
    encoding: str
    boundary: bytes = b""

    @property
    def is_identity(self) -> bool:
        """Whether the body stands there as it is, not encoded."""
        return self.encoding in _IDENTITIES


OPAQUE = MimeFacts(UNKNOWN, UNKNOWN)


def read_mime_facts(header: bytes, default: str = "text/plain") -> MimeFacts:
    """Read the header section of a message or part; `default` is the type where none stands."""
    types = find_fields(header, b"content-type")
    encodings = find_fields(header, b"content-transfer-encoding")
    encoding = _read_encoding(encodings)
    if not types:
        return MimeFacts(default, encoding)
    kind, boundary = _read_type(types)
    return MimeFacts(kind, encoding, boundary)


def _read_encoding(values: Sequence[bytes]) -> str:
    if not values:
        return "7bit"
    if len(values) > 1:
        return UNKNOWN
    return values[0].strip(b" \t").decode("latin-1").lower()


def _read_type(values: Sequence[bytes]) -> tuple[str, bytes]:
    """Return type and boundary; the type is unknown where either cannot be read with certainty."""
    found = _KIND.match(values[0])
    if found is None or len(values) > 1:
        return UNKNOWN, b""
    kind, boundaries = found[1].decode("ascii").lower(), []
    at = found.end()
    while parameter := _PARAMETER.match(values[0], at):
        at = parameter.end()
        name, quoted, bare = parameter.groups()
        if name is not None and name.lower().startswith(b"boundary"):
            boundaries.append((name.lower(), bare or _QUOTED_PAIR.sub(rb"\1", quoted)))
    if not kind.startswith("multipart/"):
        return kind, b""
    if at != len(values[0]) or len(boundaries) != 1:
        return UNKNOWN, b""
    name, boundary = boundaries[0]
    is_clear = (
        name == b"boundary" and 0 < len(boundary) <= _MOST_BOUNDARY_OCTETS and boundary == boundary.rstrip()
    )
    return (kind, boundary) if is_clear else (UNKNOWN, b"")
