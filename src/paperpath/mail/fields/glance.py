"""Whether a field may stay as it is, told by one look at its octets: for the many that may.

Called by the canonical form for every field of every message, so each answer is one regular expression that
never goes back: every repetition in it is possessive. True is certain; False means only that the value must
be parsed. `octets` are what stands behind the colon, without the CRLF at the end; folds are in them as they
came.
"""

import re
from datetime import date

# RFC 5322 §3.2.2, without the obsolete form: one fold at most, so no line of white space alone.
_BLANKS = r"(?:[ \t]++(?:\r\n[ \t]++)?+|\r\n[ \t]++)(?!\r\n)"
_MAY_BE_BLANKS = f"(?:{_BLANKS})?+"
_COMMENT = rf"\((?:[!-'*-\[\]-~]++|{_BLANKS}|\\[ -~])*+\)"  # without others in it
_END = rf"(?:{_MAY_BE_BLANKS}{_COMMENT})*+"

# An atom that looks like an encoded word is legal in a name, but not in an address (RFC 2047 §5).
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LOCAL = rf"(?![^@]{{257}})(?!=\?){_ATOM}(?:\.(?!=\?){_ATOM})*+"
_LABEL = r"(?![A-Za-z0-9-]{64})[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+"
_DOMAIN = rf"(?![A-Za-z0-9.-]{{256}}){_LABEL}(?:\.{_LABEL})++"
_ADDRESS = f"{_LOCAL}@{_DOMAIN}"
_WORD = rf'(?:{_ATOM}|"(?:[!#-\[\]-~]++|{_BLANKS}|\\[ -~])*+")'
_NAME = f"{_WORD}(?:{_BLANKS}{_WORD})*+"
_MEMBER = f"(?>{_ADDRESS}|(?:{_NAME}{_MAY_BE_BLANKS})?+<{_ADDRESS}>|{_NAME}:{_MAY_BE_BLANKS};){_END}"
_ADDRESSES = rf"{_MAY_BE_BLANKS}{_MEMBER}(?:{_MAY_BE_BLANKS},{_MAY_BE_BLANKS}{_MEMBER})*+[ \t]*+"

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = (
    rf"{_MAY_BE_BLANKS}(?:({'|'.join(_DAYS)}),{_MAY_BE_BLANKS})?+([0-9]{{1,2}}+){_BLANKS}({'|'.join(_MONTHS)})"
    rf"{_BLANKS}((?:19|[2-9][0-9])[0-9]{{2}}){_BLANKS}(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60))?+"
    rf"{_BLANKS}[+-][0-9]{{2}}[0-5][0-9]{_END}[ \t]*+"
)

_MESSAGE_ID = (
    rf"{_MAY_BE_BLANKS}<(?![^>]{{899}}){_ATOM}(?:\.{_ATOM})*+@"
    rf"(?:{_ATOM}(?:\.{_ATOM})*+|\[[!-Z^-~]*+\])>{_END}[ \t]*+"
)

_match_addresses = re.compile(_ADDRESSES.encode()).fullmatch
_match_date = re.compile(_DATE.encode(), re.IGNORECASE).fullmatch
_match_message_id = re.compile(_MESSAGE_ID.encode()).fullmatch
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
