"""What a question to the DNS came to.

Made by the resolver; judged by whoever asked. There is always an answer: what went wrong is one too, and the
five ways in which a question can end are never taken for one another.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Generic

from paperpath.dns.records import Value


class Status(Enum):
    """How a question ended."""

    FOUND = "found"
    NODATA = "no such record"
    """The name is there and has no record of this type."""
    NXDOMAIN = "no such name"
    FAILED = "failed"
    """A server said that it cannot tell (SERVFAIL, REFUSED), or none could be reached."""
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """The records, if there are any, in the order in which they came, and what is known about them."""

    status: Status
    records: tuple[Value, ...] = ()
    canonical: str = ""
    """The name at the end of the aliases (CNAME), which has the records; else the name that was asked for."""
    is_secure: bool = False
    """Whether a resolver on this host vouches for all of it by DNSSEC, that there is nothing included."""
    detail: str = ""
    """What a postmaster wants to know of a failure, such as who said SERVFAIL."""
    expires_s: float = 0.0
    """When it may be asked again, by the resolver's clock."""

    @property
    def is_temporary(self) -> bool:
        """Whether the same question may have another answer soon: nothing is known now."""
        return self.status in (Status.FAILED, Status.TIMED_OUT)
