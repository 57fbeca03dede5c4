"""Days and times as clients write them (RFC 9051 §9)."""

import datetime as dt
import re

from paperpath.imap.fault import misread
from paperpath.imap.scanner import Scanner

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAY = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_TIME = re.compile(rb" (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def parse_day(words: Scanner) -> dt.date:
    """Take a day, quoted or not. Raises: Fault."""
    octets = words.quoted() if words.next_is(b'"') else words.astring()
    match = _DAY.fullmatch(octets)
    if match is None:
        raise misread("a date")
    return _read_day(match)


def parse_date_time(words: Scanner) -> int:
    """Take a day, a time and a zone, quoted; give microseconds since 1970. Raises: Fault."""
    octets = words.quoted()
    day = _DAY.match(octets)
    time = day and _TIME.fullmatch(octets, day.end())
    if not (day and time):
        raise misread("a date with time and zone")
    hour, minute, second = map(int, time.group(1, 2, 3))
    zone = dt.timedelta(hours=int(time[5]), minutes=int(time[6]))
    try:
        clock = dt.time(hour, minute, min(second, 59))  # a leap second is none to the calendar
        moment = dt.datetime.combine(_read_day(day), clock, dt.UTC)
    except ValueError:
        raise misread("a time that there is") from None
    since = moment - _EPOCH + (zone if time[4] == b"-" else -zone)
    return since // dt.timedelta(microseconds=1)


def _read_day(match: "re.Match[bytes]") -> dt.date:
    day, month, year = (part.decode("ascii").upper() for part in match.groups())
    try:
        return dt.date(int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        raise misread("a date that there is") from None
