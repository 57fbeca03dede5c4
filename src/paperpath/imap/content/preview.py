"""PREVIEW: the beginning of a message's text, in one line (RFC 8970).

Called for FETCH, and kept. Looks at the first part that is text for people, and at its beginning only.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator

from paperpath.mail.mime.part import Extent, Part
from paperpath.mail.mime.texts import read_texts

MOST_CHARACTERS = 200  # RFC 8970 §3.1 allows 256
_MOST_READ = 16 * 1024
_KINDS = (b"text/plain", b"text/html")
# What is not closed is hidden up to the end, so nothing is looked through twice.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script|head|title)\b.*?(?:</\1\s*+>|\Z)", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"<[a-z/!?][^>]*+(?:>|\Z)", re.IGNORECASE)
_QUOTED_LINE = re.compile(r"^>.*$", re.MULTILINE)
_NOT_SHOWN = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]")

ReadExtent = Callable[[Extent], Iterable[bytes]]


def make_preview(message: Part, read: ReadExtent) -> str:
    """Return the text; empty where there is none. `read` gives octets of the message, in pieces."""
    part = _find_text(message)
    if part is None:
        return ""
    text = _take(read_texts(part, read(part.body)), _MOST_READ)
    if part.media.name == b"text/html":
        text = html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", text)))
    else:
        text = _QUOTED_LINE.sub("", text)
    return " ".join(_NOT_SHOWN.sub("", text).split())[:MOST_CHARACTERS].rstrip()


def _find_text(part: Part) -> Part | None:
    """Return the first part that is text and not attached; not one of a message within the message."""
    if part.is_multipart:
        return next((found for child in part.children if (found := _find_text(child)) is not None), None)
    disposition = part.about.disposition
    is_attached = disposition is not None and disposition.value.lower() == b"attachment"
    return part if part.media.name in _KINDS and not is_attached else None


def _take(texts: Iterator[str], most: int) -> str:
    """Return the beginning of a text, and read little more of it."""
    taken: list[str] = []
    room = most
    for text in texts:
        taken.append(text[:room])
        room -= len(taken[-1])
        if room == 0:
            break
    return "".join(taken)
