"""What a conversation wants done, and what it is told of it: values, none of them frozen, for speed alone."""

from collections.abc import Generator
from dataclasses import dataclass

from paperpath.mail.reply import Reply


class LostError(Exception):
    """The connection is no more, or there is none; `str()` says why."""


@dataclass(slots=True)
class Say:
    """Send octets, and wait for so many replies."""

    octets: bytes
    replies: int = 1


@dataclass(slots=True)
class Connect:
    """Connect, and wait for so many replies; the connection before is closed."""

    replies: int = 1


@dataclass(slots=True)
class StartTls:
    """Begin TLS, and wait for so many replies: the greeting, where there was none before."""

    replies: int = 0


@dataclass(slots=True)
class Rest:
    """Wait until the next message is due."""


@dataclass(slots=True)
class Heard:
    """Replies, when they had come, and when all octets before had been handed over."""

    replies: list[Reply]
    now_us: int = 0
    said_us: int = 0


Step = Say | Connect | StartTls | Rest
Talk = Generator[Step, Heard, None]
