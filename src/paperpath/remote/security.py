"""TLS towards other hosts: the contexts, one for each kind of trust, and the layer for each connection.

Opportunistic TLS verifies nothing (RFC 3207 §4.1, requirement G-35): who could answer in a host's place could
also leave STARTTLS out. Where a route asks for a host that is verified, its name must be in the certificate;
where the host has TLSA records, they say what the certificate must be (RFC 7672).
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from paperpath.mail.reply import make_reply
from paperpath.remote.connection import SessionError
from paperpath.remote.route import Security
from paperpath.remote.tlsa import find_objection
from paperpath.remote.trust import make_verifying_context
from paperpath.service.tls.layer import ClientTlsLayer
from paperpath.smtp.client_states import Wait


class ClientContexts:
    """The contexts made so far; a file of authorities is read once, until the contexts are made anew."""

    def __init__(self) -> None:
        """Begin with none."""
        self._contexts: dict[tuple[bool, Path | None], ssl.SSLContext] = {}

    def make_layer(self, security: Security, host: str) -> ClientTlsLayer:
        """Make the layer for a connection to a host. Raises: SessionError."""
        context, pins = self._find_context(security), security.pins
        if pins is None:
            return ClientTlsLayer(context, host)
        return ClientTlsLayer(
            context, pins.names[0], lambda chain: find_objection(pins, chain, datetime.now(UTC))
        )

    def check(self, security: Security) -> None:
        """Find out whether layers can be made, before anybody is contacted. Raises: SessionError."""
        self._find_context(security)

    def _find_context(self, security: Security) -> ssl.SSLContext:
        key = security.verifies, security.ca_file
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = _make_context(security)
        return context


def _make_context(security: Security) -> ssl.SSLContext:
    """Make a context. Raises: SessionError, where the authorities cannot be read."""
    if not security.verifies:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return make_verifying_context(security.ca_file)
    except OSError as error:
        reply = make_reply(451, "4.7.5", f"{security.ca_file} has no authorities that can be read: {error}")
        raise SessionError(reply, Wait.STARTTLS, is_ours=True, is_for_tls=True) from error
