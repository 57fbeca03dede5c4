"""The table [imap]: where people read their mail, and how much imapd takes.

Like tables.py, whose `Configuration` holds it.
"""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, Strict, model_validator

from paperpath.config.endpoint import ENDPOINT_EXPECTED
from paperpath.config.fields import EndpointField, Table
from paperpath.config.intake_tables import ENDPOINTS_EXPECTED, SMALLEST_SIZE
from paperpath.config.octets import OCTETS_EXPECTED, parse_octets

LEAST_IDLE_S = 1800.0  # RFC 9051 §5.4
MOST_THREADS = 64
LARGEST_MESSAGE = 2**32 - 1  # of RFC822.SIZE, and of a literal that every client can send


class ImapTable(Table):
    """[imap], for imapd. It needs one listener at least."""

    listen: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """Where it speaks IMAP with STARTTLS, port 143; nobody logs in before that."""
    listen_tls: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """Where it speaks TLS from the start, port 993 (RFC 8314 §3.2)."""
    size: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=50 * 2**20,
        ge=SMALLEST_SIZE,
        le=LARGEST_MESSAGE,
        description=f"{OCTETS_EXPECTED}, at least 64 KiB, less than 4 GiB",
    )
    """Octets that a message may have which a client puts into a mailbox."""
    most_connections: int = Field(default=1000, ge=1, description="a whole number, at least 1")
    """Connections at once."""
    most_connections_per_client: int = Field(default=100, ge=1, description="a whole number, at least 1")
    """Connections of one address, or one /64 of IPv6, at once."""
    idle_timeout_s: float = Field(
        default=LEAST_IDLE_S,
        ge=LEAST_IDLE_S,
        allow_inf_nan=False,
        description=f"a number of seconds, at least {LEAST_IDLE_S:.0f}",
    )
    """Seconds that a client that has logged in may be silent."""
    threads: int = Field(
        default=8, ge=1, le=MOST_THREADS, description=f"a whole number from 1 to {MOST_THREADS}"
    )
    """Threads that carry commands out."""

    @model_validator(mode="after")
    def _listen_somewhere(self) -> Self:
        if not self.listen and not self.listen_tls:
            raise ValueError(f"expected listen or listen_tls with at least one {ENDPOINT_EXPECTED}")
        return self
