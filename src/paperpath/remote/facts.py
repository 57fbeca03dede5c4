"""What a transaction must know of a content beforehand: whether there are 8-bit octets in it, and where.

Nothing but a look: what is sent is what was taken in (promise P1).
"""

import asyncio
from dataclasses import dataclass

from paperpath.mail.header import header_section
from paperpath.maildrop.checked import read_unchecked
from paperpath.maildrop.values import Content

_MOST_HEADER_OCTETS = 2**20


@dataclass(frozen=True, slots=True)
class Facts:
    """Whether some octet is above 7F, and whether one in the header is."""

    has_8bit: bool
    has_8bit_header: bool


async def find_facts(content: Content) -> Facts:
    """Look through a content; a long one in a thread. Raises: DamagedError, if it is gone; OSError."""
    if content.octets is not None:
        return _look_through(content)
    return await asyncio.to_thread(_look_through, content)


def _look_through(content: Content) -> Facts:
    beginning = b""
    has_8bit = False
    for chunk in read_unchecked(content):
        has_8bit = has_8bit or not chunk.isascii()
        if len(beginning) < _MOST_HEADER_OCTETS:
            beginning += chunk
    return Facts(has_8bit, has_8bit and not header_section(beginning).isascii())
