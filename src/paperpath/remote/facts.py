"""What is to be known of a content before it is sent: whether there are 8-bit octets in it, and where.

By LMTP it goes into mailboxes, so a header may also tell that it was in one of them before.

Nothing but a look: what is sent is what was taken in (promise P1).
"""

import asyncio

from paperpath.mail.delivered_to import DeliveryKey, read_delivered_to
from paperpath.mail.header import header_section
from paperpath.mail.value import value
from paperpath.maildrop.checked import read_unchecked
from paperpath.maildrop.values import Content

_MOST_HEADER_OCTETS = 2**20


@value
class Facts:
    """Whether some octet is above 7F, and whether one in the header is; where it was delivered before."""

    has_8bit: bool
    has_8bit_header: bool
    delivered_to: frozenset[DeliveryKey] = frozenset()


async def find_facts(content: Content, *, is_lmtp: bool) -> Facts:
    """Look through a content; a long one in a thread. Raises: DamagedError, if it is gone; OSError."""
    if content.octets is not None:
        return _look_through(content, is_lmtp=is_lmtp)
    return await asyncio.to_thread(_look_through, content, is_lmtp=is_lmtp)


def _look_through(content: Content, *, is_lmtp: bool) -> Facts:
    beginning = b""
    has_8bit = False
    for chunk in read_unchecked(content):
        has_8bit = has_8bit or not chunk.isascii()
        if len(beginning) < _MOST_HEADER_OCTETS:
            beginning += chunk
    header = header_section(beginning) if has_8bit or is_lmtp else b""
    delivered_to = read_delivered_to(header) if is_lmtp else frozenset()
    return Facts(has_8bit, not header.isascii(), delivered_to)
