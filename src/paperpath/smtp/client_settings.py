"""What a client says of itself, and asks of its peers: one value for all connections to a destination."""

from dataclasses import dataclass, field
from enum import Enum


class Security(Enum):
    """Whether STARTTLS is used: not at all, where it is offered, or else no mail is sent (RFC 3207)."""

    NEVER = "never"
    WANTED = "wanted"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a smart host; used inside TLS only (RFC 4954 §4). Its `repr` holds no secret.

    `nonce`: what SCRAM begins with: printable ASCII without commas, random, of one connection alone.
    """

    user: str
    password: str = field(repr=False)
    nonce: str


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to talk. `hello`: our domain or address literal, in ASCII; `lmtp`: RFC 2033 instead of SMTP."""

    hello: str
    security: Security = Security.WANTED
    credentials: Credentials | None = None
    lmtp: bool = False
