"""Whether a field may stay as it is, told by one look at its octets: for the many that may.

Called by the canonical form for every field of every message, so each answer is one regular expression that
never goes back. True is certain; False means only that the value must
be parsed. `octets` are what stands behind the colon, without the CRLF at the end; folds are in them as they
came.
"""

import re
from datetime import date


def _any(pattern: str) -> str:
    """Repeat a pattern, and never go back into it.

    Before Python 3.11.5, `(?:...)*+` can match what it must not (gh-106052); an atomic group does not.
    """
    return f"(?>(?:{pattern})*)"


# RFC 5322 §3.2.2, without the obsolete form: one fold at most, so no line of white space alone.
_BLANKS = r"(?>[ \t]++(?:\r\n[ \t]++)?|\r\n[ \t]++)(?!\r\n)"
_MAY_BE_BLANKS = f"(?>(?:{_BLANKS})?)"
_COMMENT = r"\(" + _any(rf"[!-'*-\[\]-~]++|{_BLANKS}|\\[ -~]") + r"\)"  # without others in it
_END = _any(_MAY_BE_BLANKS + _COMMENT)

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_DOTTED = _ATOM + _any(rf"\.{_ATOM}")
# Encoded words are atoms, legal in a name and not in an address (RFC 2047 §5); what only begins like one is
# for the parser to judge.
_NO_ENCODED = r"(?!=\?)"
_ENCODED = r"=\?[A-Za-z0-9_-]++\?(?:[Qq]\?[A-Za-z0-9!#$%&'*+/=^_`{|}~-]*+|[Bb]\?[A-Za-z0-9+/=]*+)\?="
_LOCAL = rf"(?![^@]{{257}}){_NO_ENCODED}{_ATOM}" + _any(rf"\.{_NO_ENCODED}{_ATOM}")
_LABEL = r"(?![A-Za-z0-9-]{64})[A-Za-z0-9]++" + _any("-++[A-Za-z0-9]++")
_DOMAIN = rf"(?![A-Za-z0-9.-]{{256}}){_LABEL}\.{_LABEL}" + _any(rf"\.{_LABEL}")
_ADDRESS = f"{_LOCAL}@{_DOMAIN}"
_QUOTED = '"' + _any(rf"[!#-\[\]-~]++|{_BLANKS}|\\[ -~]") + '"'
_WORD = f"(?:{_NO_ENCODED}{_ATOM}|{_QUOTED}|{_ENCODED})"
_NAME = _WORD + _any(_BLANKS + _WORD)
_NAMED = f"(?:{_NAME}{_MAY_BE_BLANKS})?<{_ADDRESS}>"
_NOBODY = f"{_NAME}{_MAY_BE_BLANKS}:{_MAY_BE_BLANKS};"
_MEMBER = f"(?>{_ADDRESS}|{_NAMED}|{_NOBODY}){_END}"
_ADDRESSES = _MAY_BE_BLANKS + _MEMBER + _any(f"{_MAY_BE_BLANKS},{_MAY_BE_BLANKS}{_MEMBER}")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = (
    f"{_MAY_BE_BLANKS}(?:({'|'.join(_DAYS)}),{_MAY_BE_BLANKS})?([0-9]{{1,2}}){_BLANKS}({'|'.join(_MONTHS)})"
    f"{_BLANKS}((?:19|[2-9][0-9])[0-9]{{2}}){_BLANKS}(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60))?"
    rf"{_BLANKS}[+-][0-9]{{2}}[0-5][0-9]{_END}"
)

_MESSAGE_ID = rf"{_MAY_BE_BLANKS}<(?![^>]{{899}}){_DOTTED}@(?:{_DOTTED}|\[[!-Z^-~]*+\])>{_END}"

_match_addresses = re.compile(rf"{_ADDRESSES}[ \t]*+".encode()).fullmatch
_match_date = re.compile(rf"{_DATE}[ \t]*+".encode(), re.IGNORECASE).fullmatch
_match_message_id = re.compile(rf"{_MESSAGE_ID}[ \t]*+".encode()).fullmatch
_DAY_NUMBERS = {day.encode(): number for number, day in enumerate(_DAYS)}
_MONTH_NUMBERS = {month.encode(): number for number, month in enumerate(_MONTHS, 1)}


def are_canonical_addresses(octets: bytes) -> bool:
    """Tell whether this is a list of addresses in ASCII, each with a domain of two labels or more.

    A group without members counts too. Quoted local parts, literals and comments before addresses do not.
    """
    return _match_addresses(octets) is not None


def is_canonical_date(octets: bytes) -> bool:
    """Tell whether this is a date in the form of RFC 5322 §3.3, and its weekday, if it has one, is right."""
    match = _match_date(octets)
    if match is None:
        return False
    weekday, day, month, year = match.groups()
    try:
        number = date(int(year), _MONTH_NUMBERS[month.lower()], int(day)).weekday()
    except ValueError:
        return False
    return weekday is None or _DAY_NUMBERS[weekday.lower()] == number


def is_canonical_message_id(octets: bytes) -> bool:
    """Tell whether this is one message id in the form of RFC 5322 §3.6.4."""
    return _match_message_id(octets) is not None
