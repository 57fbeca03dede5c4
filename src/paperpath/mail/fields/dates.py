"""Dates as people's programs write them (RFC 5322 §3.3, §4.3); `mail.trace.format_date` is the inverse.

Called by the canonical form.
"""

import re
from datetime import datetime, timedelta, timezone

from paperpath.mail.fields.error import FieldError, show
from paperpath.mail.fields.folding import unfold
from paperpath.mail.fields.lexer import read_tokens

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    # Of tokens with a blank between two of them.
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun) , )?"
    rf"([0-9]{{1,2}}) ({'|'.join(MONTHS)}) ([0-9]{{2,}}) "
    r"([0-9]{2}) : ([0-9]{2})(?: : ([0-5][0-9]|60))? ?"
    r"(?:([+-])([0-9]{2})([0-5][0-9])|([a-z]+)) ",
    re.ASCII | re.IGNORECASE,
)
# RFC 5322 §4.3; the military zones of one letter are not among them, since nobody knows which way they go.
_ZONE_HOURS = {"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8}
_FIRST_YEAR = 1900


def parse_date(text: str) -> datetime:
    """Read a date, folded or not, obsolete forms too; the result knows its offset from UTC.

    A weekday that is wrong does not count. A zone whose meaning is not known is UTC (RFC 5322 §4.3).

    Raises: FieldError.
    """
    match = _DATE.fullmatch(" ".join(token.text for token in read_tokens(unfold(text))))
    if match is None:
        raise FieldError(f"expected a date like 21 Nov 1997 09:55:06 -0600, got {show(text.strip())}")
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes, zone = match.groups()
    if zone is not None:
        offset = timedelta(hours=_ZONE_HOURS.get(zone.lower(), 0))
    else:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes)) * (-1 if sign == "-" else 1)
    try:
        date = _find_year(year), 1 + MONTHS.index(month.lower()), int(day)
        moment = datetime(*date, int(hour), int(minute), tzinfo=timezone(offset))
        return moment + timedelta(seconds=int(second or 0))  # a leap second is the next one
    except (ValueError, OverflowError):
        raise FieldError(f"there is no such day or time: {show(text.strip())}") from None


def _find_year(digits: str) -> int:
    """Return the year that is meant (RFC 5322 §4.3). Raises: ValueError."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    if len(digits) == 3:
        return year + 1900
    if year < _FIRST_YEAR:
        raise ValueError
    return year
