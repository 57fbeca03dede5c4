"""The certificates that the other side of a connection showed, which nobody has verified.

Called by the client's layer once the handshake is over. Python tells of them from 3.13 on; before that only
the object inside its `SSLObject` does, so all that knows of the difference is here.
"""

import ssl
import sys
from typing import Any, cast

_DER = 2  # _ssl.ENCODING_DER


def read_peer_chain(ssl_object: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the certificates in DER, in the order in which they were shown: the peer's own is the first."""
    if sys.version_info >= (3, 13):
        return tuple(ssl_object.get_unverified_chain())
    inner = cast("Any", ssl_object)._sslobj  # noqa: SLF001 - nothing public gives it
    return tuple(certificate.public_bytes(_DER) for certificate in inner.get_unverified_chain() or ())
