"""Encoded words as people see them (RFC 2047 §6, RFC 2231 §5).

Called by whoever shows a header.
"""

import re
from binascii import a2b_base64, a2b_qp
from itertools import groupby
from typing import NamedTuple

from paperpath.mail.charsets import is_known_charset
from paperpath.mail.fields.folding import unfold

# The charset, the language, the encoding, and the text.
ENCODED_WORD = re.compile(r"=\?([^?\s*]++)(?:\*[^?\s]*+)?\?([BbQq])\?([^?\s]*+)\?=")

_ANY = r"=\?[^?\s]++\?[BbQq]\?[^?\s]*+\?="
_RUN = re.compile(rf"{_ANY}(?>(?:[ \t]*+{_ANY})*)")
_CONTROL = re.compile("[\0-\x08\n-\x1f\x7f-\x9f\u2028\u2029]")


class _Read(NamedTuple):
    """The octets of an encoded word, and their charset; that is empty where it cannot be decoded."""

    charset: str
    octets: bytes


_UNREADABLE = _Read("", b"")


def decode_words(text: str) -> str:
    """Return text, folded or not, as it is shown.

    What cannot be decoded stays. Line ends and controls become U+FFFD, whether they were encoded or not.
    """
    return _CONTROL.sub("\ufffd", undo_words(text))


def undo_words(text: str) -> str:
    """Return text, a whole header perhaps, unfolded and decoded; line ends and controls are in it still."""
    return _RUN.sub(_show_run, unfold(text)) if "=?" in text else unfold(text)


def _show_run(run: re.Match[str]) -> str:
    """Decode encoded words with at most white space between them, which is not shown."""
    words = [(_read(word), word[0]) for word in ENCODED_WORD.finditer(run[0])]
    shown, was_decoded = "", True
    for charset, part in groupby(words, lambda word: word[0].charset):
        texts = list(part)
        if charset:  # a character may have its octets in two words, though it must not
            text = b"".join(read.octets for read, _ in texts).decode(charset, "replace")
        else:
            text = " ".join(word for _, word in texts)
        separator = "" if (was_decoded and charset) or not shown else " "
        shown += separator + text
        was_decoded = bool(charset)
    return shown


def _read(word: re.Match[str]) -> _Read:
    """Undo Q or B."""
    charset, encoding, text = word.groups()
    if not is_known_charset(charset):
        return _UNREADABLE
    try:
        octets = a2b_qp(text, header=True) if encoding in "Qq" else a2b_base64(f"{text}===")
        octets.decode(charset, "replace")
    except (ValueError, LookupError):
        return _UNREADABLE
    return _Read(charset.lower(), octets)
