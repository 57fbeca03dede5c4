"""The date of a message as far as it can be read, for whoever sorts messages or looks for them by date."""

import re
from datetime import UTC, datetime, timedelta

from paperpath.mail.charsets import decode_octets
from paperpath.mail.fields.dates import MONTHS, parse_date
from paperpath.mail.fields.error import FieldError

_MOST_OCTETS = 200
_DAY = re.compile(
    rf"\b([0-9]{{1,2}})[ -]({'|'.join(MONTHS)})[a-z]{{0,6}}[ -]((?:19|20)[0-9]{{2}})\b", re.IGNORECASE
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_loose_date(value: bytes | None) -> datetime | None:
    """Read the value of Date, unfolded; where only the day can be told, it is midnight (RFC 5256 §2.2)."""
    if value is None or len(value) > _MOST_OCTETS:
        return None
    text = decode_octets(value)
    try:
        return parse_date(text)
    except FieldError:
        return _read_day(text)


def to_microseconds(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _read_day(text: str) -> datetime | None:
    match = _DAY.search(text)
    if match is None:
        return None
    day, month, year = match.groups()
    try:
        return datetime(int(year), 1 + MONTHS.index(month.lower()), int(day), tzinfo=UTC)
    except ValueError:
        return None
