"""Verifying a host by its name: the context for that, towards mail exchangers and web servers alike."""

import ssl
from pathlib import Path


def make_verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """Make a context that takes certificates of those whom a file names; `None` is whom this system trusts.

    Raises: OSError, where the file cannot be read or has none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 8461 §3.3 and §4.2, RFC 9525 §2: DNS-IDs alone
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca_file)
    return context
