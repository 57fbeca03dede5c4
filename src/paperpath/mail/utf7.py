"""Modified UTF-7: how names of mailboxes are written where UTF-8 is not on (RFC 3501 §5.1.3).

Strict in both directions: each name has one way to be written, so no two names are the same mailbox, and what
is written otherwise is no name.
"""

import base64
import binascii
import re

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_NOT_DIRECT = re.compile(r"[^\x20-\x7e]+|&")


def encode(name: str) -> bytes:
    """Write a name."""
    return _NOT_DIRECT.sub(_encode_run, name).encode("ascii")


def decode(octets: bytes) -> str:
    """Read a name. Raises: ValueError, where `encode` would have written it otherwise."""
    name = _SHIFTED.sub(_decode_run, octets.decode("ascii"))
    if encode(name) != octets:
        raise ValueError("no name in modified UTF-7")
    return name


def _encode_run(match: "re.Match[str]") -> str:
    run = match[0]
    if run == "&":
        return "&-"
    encoded = base64.b64encode(run.encode("utf-16-be"), altchars=b"+,").rstrip(b"=")
    return f"&{encoded.decode('ascii')}-"


def _decode_run(match: "re.Match[str]") -> str:
    run = match[1]
    if not run:
        return "&"
    try:
        octets = base64.b64decode(run + "=" * (-len(run) % 4), altchars=b"+,", validate=True)
        return octets.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("no name in modified UTF-7") from None
