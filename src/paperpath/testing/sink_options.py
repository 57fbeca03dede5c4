"""How a sink behaves apart from what addresses tell it: one value, for all its connections."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path

from paperpath.config.endpoint import Endpoint


class StartTls(Enum):
    """What becomes of STARTTLS."""

    HONEST = "honest"
    REFUSE = "refuse"  # offered, and refused
    THEN_PLAIN = "then-plain"  # promised, and not done: what follows is in the clear
    INJECT = "inject"  # a reply more in the segment of the promise, before TLS begins
    CUT = "cut"  # promised, and the connection closed
    STALL = "stall"  # promised, and nothing is said any more


@dataclass(frozen=True)
class SinkOptions:
    """Extensions, limits and lies. Scripts are words as in a local part (docs/sink.md); empty: none.

    `size`: octets of content, 0 for any; `random`: the probability that `random@` fails, and everybody else
    where `all_random`; `keep`: a folder for what is taken; `remembers`: it stays in `Sink.taken` too, with
    content; `stall_s`: after so long a stall ends with the connection. `certificate` and `key` stand for the
    self-signed certificate that `tls` or `tls_at_once` make otherwise. `mechanisms`: how `user` must log in.
    `socket`: a UNIX socket to listen on as well; `lmtp`: RFC 2033 instead of SMTP.
    """

    listen: tuple[Endpoint, ...] = (Endpoint("127.0.0.1", 0),)
    socket: Path | None = None
    lmtp: bool = False
    hostname: str = "sink.example"
    greeting: str = ""
    greeting_delay_s: float = 0.0
    ehlo: str = ""
    helo_only: bool = False
    pipelining: bool = True
    eight_bit: bool = True
    smtputf8: bool = True
    dsn: bool = True
    announces_size: bool = True
    size: int = 100 * 2**20
    chunking: bool = False
    binary: bool = False
    limits: str = ""
    recipients: int = 1000
    recipients_code: int = 452
    tls: bool = False
    tls_at_once: bool = False
    starttls: StartTls = StartTls.HONEST
    certificate: Path | None = None
    key: Path | None = None
    user: str = ""
    password: str = ""
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    auth_garbage: bool = False
    random: float = 0.5
    seed: int = 0
    all_random: bool = False
    stall_s: float = 3600.0
    keep: Path | None = None
    remembers: bool = True

    @property
    def hello(self) -> bytes:
        """The verb of those who want to hear of extensions."""
        return b"LHLO" if self.lmtp else b"EHLO"

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """What EHLO or LHLO announces, STARTTLS excepted."""
        named = {
            "PIPELINING": self.pipelining,
            f"SIZE {self.size}": self.announces_size,
            "8BITMIME": self.eight_bit,
            "SMTPUTF8": self.smtputf8,
            "DSN": self.dsn,
            "CHUNKING": self.chunking,
            "BINARYMIME": self.binary,
            "ENHANCEDSTATUSCODES": True,
            " ".join(("AUTH", *self.mechanisms)): bool(self.user),
            f"LIMITS {self.limits}": bool(self.limits),
        }
        return tuple(keyword for keyword, offered in named.items() if offered)

    @cached_property
    def sender_parameters(self) -> frozenset[str]:
        """The parameters that a client may give to MAIL after an EHLO."""
        named = {
            "SIZE": self.announces_size,
            "BODY": self.eight_bit or self.binary,
            "SMTPUTF8": self.smtputf8,
            "RET": self.dsn,
            "ENVID": self.dsn,
            "AUTH": bool(self.user),
        }
        return frozenset(keyword for keyword, offered in named.items() if offered)

    @cached_property
    def recipient_parameters(self) -> frozenset[str]:
        """The parameters that a client may give to RCPT after an EHLO."""
        return frozenset({"NOTIFY", "ORCPT"} if self.dsn else ())

    def limit(self, name: str) -> int | None:
        """Return the value of one of the LIMITS where it has one; what is malformed limits nothing."""
        for entry in self.limits.split():
            keyword, _, value = entry.partition("=")
            if keyword == name and value.isascii() and value.isdigit():
                return int(value)
        return None
