"""SEARCH: whether messages match a key (RFC 9051 §6.4.4 and the extensions).

Called by whoever carries out SEARCH, SORT and THREAD. A key is prepared once, and asked of each message; of
keys that all have to match, those are asked first that cost least.
"""

import datetime as dt
from collections.abc import Callable

from paperpath.imap.content.header_texts import first_text
from paperpath.imap.content.searched import Cost, SearchContext, Searched
from paperpath.imap.content.text_search import Matcher, search_body, search_header, search_text
from paperpath.imap.search_keys import (
    AgeKey,
    AllKey,
    AndKey,
    BodyKey,
    DateKey,
    DateOf,
    EmailIdKey,
    FlagKey,
    HeaderKey,
    ModSeqKey,
    NotKey,
    NumberKey,
    OrKey,
    SaveDateSupportedKey,
    SearchKey,
    SizeKey,
    TextKey,
    ThreadIdKey,
    UidKey,
    When,
)
from paperpath.imap.sets import MessageSet, Range, SequenceSet
from paperpath.mail.mime.loose_dates import read_loose_date

_FEW_KEYS = 10
_US = 1_000_000
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_US_A_DAY = 86_400 * _US


def find_cost(key: SearchKey) -> Cost:
    """Tell what of a message it may take to judge a key."""
    match key:
        case BodyKey() | TextKey():
            return Cost.BODY
        case HeaderKey() | DateKey(DateOf.SENT):
            return Cost.HEADER
        case NotKey(inner):
            return find_cost(inner)
        case OrKey(left, right):
            return max(find_cost(left), find_cost(right))
        case AndKey(keys):
            return max(map(find_cost, keys), default=Cost.NOTHING)
        case _:
            return Cost.NOTHING


def takes_long(key: SearchKey) -> bool:
    """Tell whether it may take long to judge even a single message."""
    return find_cost(key) is Cost.BODY or _count_keys(key) > _FEW_KEYS


def _count_keys(key: SearchKey) -> int:
    match key:
        case NotKey(inner):
            return _count_keys(inner)
        case OrKey(left, right):
            return _count_keys(left) + _count_keys(right)
        case AndKey(keys):
            return sum(map(_count_keys, keys))
        case _:
            return 1


def prepare_search(key: SearchKey, context: SearchContext) -> Matcher:
    """Return what tells of a message whether it matches a key."""
    match key:
        case NotKey(inner):
            matches = prepare_search(inner, context)
            return lambda message: not matches(message)
        case OrKey(left, right):
            first, second = (prepare_search(part, context) for part in sorted((left, right), key=find_cost))
            return lambda message: first(message) or second(message)
        case AndKey(keys):
            parts = [prepare_search(part, context) for part in sorted(keys, key=find_cost)]
            return lambda message: all(part(message) for part in parts)
        case HeaderKey(field, text):
            return search_header(field, text)
        case BodyKey(text):
            return search_body(text)
        case TextKey(text):
            return search_text(text)
        case _:
            return _prepare_simple(key, context)


def _prepare_simple(key: SearchKey, context: SearchContext) -> Matcher:
    """Prepare a key that is judged without the message's octets, or by a date."""
    match key:
        case FlagKey(flag, is_set):
            return _search_flag(flag, is_set=is_set)
        case DateKey():
            return _search_date(key)
        case AgeKey(seconds, younger):
            return _search_age(context.now_us - seconds * _US, younger=younger)
        case SizeKey(octets, larger):
            return lambda message: message.octets > octets if larger else message.octets < octets
        case NumberKey(messages):
            return _search_set(messages, context, context.messages, lambda message: message.number)
        case UidKey(messages):
            return _search_set(messages, context, context.greatest_uid, lambda message: message.uid)
        case _:
            return _prepare_extension(key)


def _prepare_extension(key: SearchKey) -> Matcher:
    match key:
        case ModSeqKey(modseq):
            return lambda message: message.modseq >= modseq
        case EmailIdKey(object_id):
            return lambda message: message.email_id == object_id
        case ThreadIdKey(object_id):
            return lambda message: message.thread_id == object_id
        case _:  # every mailbox knows when messages were saved
            assert isinstance(key, AllKey | SaveDateSupportedKey)
            return lambda _: True


def _search_flag(flag: str, *, is_set: bool) -> Matcher:
    folded = flag.lower()

    def matches(message: Searched) -> bool:
        flags = message.flags
        found = flag in flags or any(other.lower() == folded for other in flags)
        return found is is_set

    return matches


def _search_age(edge_us: int, *, younger: bool) -> Matcher:
    """Compare the internal date with a moment; the edge itself is both (RFC 5032 §3)."""
    return lambda message: message.internal_us >= edge_us if younger else message.internal_us <= edge_us


def _search_set(
    messages: MessageSet, context: SearchContext, greatest: int, number_of: Callable[[Searched], int]
) -> Matcher:
    if not isinstance(messages, SequenceSet):
        return lambda message: message.uid in context.saved
    ranges = messages.resolve(greatest)
    return lambda message: _is_within(number_of(message), ranges)


def _is_within(number: int, ranges: tuple[Range, ...]) -> bool:
    """Tell whether a number is in one of the ranges, which ascend."""
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][1] < number:
            low = middle + 1
        else:
            high = middle
    return low < len(ranges) and ranges[low][0] <= number


def _search_date(key: DateKey) -> Matcher:
    wanted, when = key.day.toordinal(), key.when
    day_of = _DAYS[key.date]

    def matches(message: Searched) -> bool:
        day = day_of(message)
        if day is None:
            return False
        if when is When.BEFORE:
            return day < wanted
        return day >= wanted if when is When.SINCE else day == wanted

    return matches


def _sent_day(message: Searched) -> int | None:
    """Return the day that stands in Date, whatever its zone."""
    value = first_text(message.header_texts(), b"date")
    moment = None if value is None else read_loose_date(value.strip())
    return None if moment is None else moment.toordinal()


def _day(moment_us: int) -> int:
    return _EPOCH_DAY + moment_us // _US_A_DAY


_DAYS: dict[DateOf, Callable[[Searched], int | None]] = {
    DateOf.INTERNAL: lambda message: _day(message.internal_us),
    DateOf.SAVED: lambda message: _day(message.saved_us),
    DateOf.SENT: _sent_day,
}
