"""Why a signature is none, in the words of the Authentication-Results field (RFC 8601 §2.7.1).

RFC 6376 knows PERMFAIL and TEMPFAIL. Here `neutral` is a signature that cannot be made sense of, `permerror`
one that its own words or its key rule out, `policy` one that we do not go by, `fail` one that does not match
the message, and `temperror` one whose key cannot be had now.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What comes of a signature."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - no secret
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class FlawError(Exception):
    """A signature does not pass; `str()` is the reason, in words of ours."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        """Say which verdict it gets."""
        super().__init__(reason)
        self.verdict = verdict
