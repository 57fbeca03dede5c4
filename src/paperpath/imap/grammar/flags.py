"""Flags as clients write them (RFC 9051 §2.3.2, §9)."""

from paperpath.imap.completion import no
from paperpath.imap.fault import Fault, misread
from paperpath.imap.scanner import Scanner

MOST_KEYWORD_OCTETS = 100  # all of a folder are told at each SELECT, and stand in one small file
# \Recent is not among them: no client can set it (RFC 3501 §2.3.2).
_SYSTEM_FLAGS = {
    f"\\{name}".upper(): f"\\{name}" for name in ("Answered", "Deleted", "Draft", "Flagged", "Seen")
}


def parse_flag(words: Scanner) -> str:
    """Take a flag: one of the system's, or a keyword. Raises: Fault."""
    if not words.take(b"\\"):
        keyword = words.atom()
        if len(keyword) > MOST_KEYWORD_OCTETS:
            raise Fault(no("The keyword is too long", "LIMIT"))
        return keyword
    flag = _SYSTEM_FLAGS.get(f"\\{words.atom().upper()}")
    if flag is None:
        raise misread("a flag that there is")
    return flag


def parse_flag_list(words: Scanner) -> tuple[str, ...]:
    """Take flags in parentheses, none perhaps; each is given once. Raises: Fault."""
    if words.take_empty_list():
        return ()
    return tuple(dict.fromkeys(words.listed(lambda: parse_flag(words))))
