"""What a load is: who sends what to whom, over how many connections, how fast and for how long.

Pure values, made by `paperpath bench` of what was typed; the source carries them out.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from paperpath.config.octets import parse_octets

SIZES_EXPECTED = 'a size, such as "4KiB", or several with their shares, such as "4KiB:80,100KiB:20"'
LEAST_OCTETS = 256  # the fields that every message has
MOST_OCTETS = 100 * 2**20  # it lies in memory, once for each size
_MOST_SIZES = 100
_MOST_SHARE = 1000
_SIZE = re.compile(r"([0-9]{1,15})([kKMG]i?B)?(?::([0-9]{1,4}))?")


class Protocol(Enum):
    """What is spoken: with LMTP, each recipient gets a reply at the end (RFC 2033)."""

    SMTP = "SMTP"
    LMTP = "LMTP"


class Security(Enum):
    """When TLS begins."""

    NONE = "none"
    STARTTLS = "STARTTLS"
    AT_ONCE = "TLS at once"


@dataclass(frozen=True, slots=True)
class Share:
    """A size in octets, and how many of all shares of messages have it."""

    octets: int
    weight: int


@dataclass(frozen=True)
class Load:
    """What is sent. `messages` or `duration_s` ends it; `rate` is in messages a second, `None`: all one can.

    `per_connection`: messages over one connection, 0: all there are. `recipients`: of each message, from
    `addresses` in turn; where these are fewer, details make them distinct.
    """

    sender: str
    addresses: tuple[str, ...]
    sizes: tuple[Share, ...] = (Share(4096, 1),)
    recipients: int = 1
    connections: int = 20
    per_connection: int = 0
    messages: int | None = None
    duration_s: float | None = None
    rate: float | None = None
    pipelining: bool = True
    protocol: Protocol = Protocol.SMTP
    security: Security = Security.NONE
    user: str = ""
    password: str = ""
    hello: str = "source.test"
    timeout_s: float = 60.0

    @cached_property
    def recipient_sets(self) -> tuple[tuple[str, ...], ...]:
        """The recipients of one message after another, until they begin anew."""
        names = self.addresses
        if len(names) < self.recipients:
            rounds = -(-self.recipients // len(names))
            names = tuple(_add_detail(name, number) for number in range(rounds) for name in names)
        count = len(names)
        starts = range(0, count, self.recipients) if count % self.recipients == 0 else range(count)
        return tuple(
            tuple(names[(start + place) % count] for place in range(self.recipients)) for start in starts
        )


def parse_sizes(text: str) -> tuple[Share, ...]:
    """Read "4KiB" or "4KiB:80,100KiB:20". Raises: ValueError, whose text says what was expected."""
    matches = [_SIZE.fullmatch(part.strip()) for part in text.split(",")]
    shares = []
    for match in matches:
        if match is None:
            raise ValueError(f"expected {SIZES_EXPECTED}")
        octets = parse_octets(match[1] + match[2] if match[2] else int(match[1]))
        weight = int(match[3] or 1)
        if not (LEAST_OCTETS <= octets <= MOST_OCTETS and 0 < weight <= _MOST_SHARE):
            raise ValueError(
                f"expected {LEAST_OCTETS} to {MOST_OCTETS} octets, and shares of 1 to {_MOST_SHARE}"
            )
        shares.append(Share(octets, weight))
    if len(shares) > _MOST_SIZES:
        raise ValueError(f"expected {_MOST_SIZES} sizes at most")
    return tuple(shares)


def _add_detail(address: str, number: int) -> str:
    """Make an address distinct that goes to the same mailbox: its first stays as it is."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{number}@{domain}" if number else address
