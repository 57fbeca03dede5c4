"""What a peer offers: its reply to EHLO or LHLO, read (RFC 5321 §4.1.1.1, and the RFC of each extension)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions of a peer that we can use.

    `size`: the most octets it takes, 0 where it names no number, `None` without SIZE. `mechanisms`: of AUTH,
    in upper case. `most_recipients` and so on: LIMITS (RFC 9422), `None` where there is none.
    """

    pipelining: bool = False
    size: int | None = None
    eight_bit: bool = False
    international: bool = False
    dsn: bool = False
    chunking: bool = False
    binary: bool = False
    starttls: bool = False
    mechanisms: frozenset[str] = frozenset()
    most_recipients: int | None = None
    most_messages: int | None = None
    most_domains: int | None = None


NO_EXTENSIONS = Extensions()
