"""Names of cipher suites: IANA's for OpenSSL's, since a `Received:` field has IANA's (RFC 8314 §4.3).

Called by the TLS layer. Python's ssl tells OpenSSL's only; those of TLS 1.3 are IANA's already.
"""

import re

_AES = re.compile(r"(ECDHE|DHE)-(ECDSA|RSA)-AES(128|256)-(GCM-)?(SHA\d*)")
_CHACHA20 = re.compile(r"(ECDHE|DHE)-(ECDSA|RSA)-CHACHA20-POLY1305")


def format_cipher(name: str) -> str:
    """Return IANA's name, for every suite that Python's ssl offers by itself; others keep the name given."""
    if (match := _AES.fullmatch(name)) is not None:
        exchange, signature, bits, gcm, digest = match.groups()
        return f"TLS_{exchange}_{signature}_WITH_AES_{bits}_{'GCM' if gcm else 'CBC'}_{digest}"
    if (match := _CHACHA20.fullmatch(name)) is not None:
        return f"TLS_{match[1]}_{match[2]}_WITH_CHACHA20_POLY1305_SHA256"
    return name
