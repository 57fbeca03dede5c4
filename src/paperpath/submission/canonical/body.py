"""The body looked at as it passes: what the canonical form has to know of it, and no more.

Called by whoever takes a message in, with each chunk of the body; holds at most a line of it. A body that
needs nothing costs a search for octets above 7F, one for long lines, and for delimiters where it has parts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """What was seen. A body in ASCII with short lines is all defaults, as is one that is not there."""

    is_eight_bit: bool = False
    is_utf8: bool = True
    has_long_lines: bool = False


NO_BODY = BodyFacts()


class BodyScan:
    """Looks at one body."""

    def __init__(self, header: bytes) -> None:
        """Begin; the header section as it came in says which parts there are."""
        self._header = header

    def add(self, octets: bytes) -> None:
        """Look at the next octets behind the empty line, however they are cut."""

    def finish(self) -> BodyFacts:
        """Say what was seen."""
        return NO_BODY
