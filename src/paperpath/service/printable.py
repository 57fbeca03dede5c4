"""What others chose, written for a terminal or a line of a log: printable ASCII only (attack S-6).

Used by the log and by every command that prints. Imports next to nothing, for mailq has to answer at once.
"""

import re

_is_plain = re.compile(r"[!#-&(-\[\]-~]+").fullmatch  # printable, and without space, quotes or backslash


def format_value(value: object) -> str:
    """Write a value so that it stays on its line: plain as it is, the rest quoted with escapes."""
    text = value if type(value) is str else str(value)
    return text if _is_plain(text) else ascii(text)


def format_text(text: str) -> str:
    """Write a text that has the rest of its line for itself: spaces and quotes do no harm there."""
    return text if text.isascii() and text.isprintable() else ascii(text)
