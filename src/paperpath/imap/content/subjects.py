"""Base subjects: what a subject is without `Re:`, `Fwd:` and the names of lists (RFC 5256 §2.1).

Used by summaries.py, for SORT and THREAD.
"""

import re
from typing import NamedTuple

from paperpath.imap.content.needle import fold
from paperpath.mail.charsets import decode_octets
from paperpath.mail.fields.shown_words import decode_words

_MOST_CHARACTERS = 1000  # of a subject; the rest does not count
_BLANKS = re.compile(r"[ \t]+")
_TRAILER = re.compile(r"(?:\(fwd\)| )\Z", re.IGNORECASE)
_LEADER = re.compile(r" |(?:\[[^\[\]]*\] *)*(?:re|fwd?) *(?:\[[^\[\]]*\] *)?:", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*\] *")
_FORWARDED = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE | re.DOTALL)


class BaseSubject(NamedTuple):
    """What subjects are compared by, and whether it was a reply or was forwarded."""

    text: str
    is_reply: bool


def find_base_subject(subject: bytes | None) -> BaseSubject:
    """Return the base subject of a field's value, unfolded."""
    text = _BLANKS.sub(" ", decode_words(decode_octets(subject or b""))[:_MOST_CHARACTERS])
    is_reply = False
    while True:
        text, had_trailer = _remove_trailers(text)
        text, had_leader = _remove_leaders(text)
        forwarded = _FORWARDED.match(text)
        is_reply |= had_trailer or had_leader or forwarded is not None
        if forwarded is None:
            return BaseSubject(fold(text), is_reply)
        text = forwarded[1]


def _remove_trailers(text: str) -> tuple[str, bool]:
    """Take off white space and `(fwd)`; tell whether the latter was there."""
    was_forwarded = False
    while (trailer := _TRAILER.search(text, max(len(text) - len("(fwd)"), 0))) is not None:
        was_forwarded |= trailer[0] != " "
        text = text[: trailer.start()]
    return text, was_forwarded


def _remove_leaders(text: str) -> tuple[str, bool]:
    """Take off what begins a reply, and names of lists unless nothing else is there."""
    is_reply = False
    while True:
        leader = _LEADER.match(text)
        if leader is not None:
            is_reply |= leader[0] != " "
            text = text[leader.end() :]
            continue
        blob = _BLOB.match(text)
        if blob is None or blob.end() == len(text):
            return text, is_reply
        text = text[blob.end() :]
