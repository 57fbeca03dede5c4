"""SORT: messages put in order (RFC 5256 §3)."""

from collections.abc import Callable, Iterable, Sequence

from paperpath.imap.content.summaries import Summary
from paperpath.imap.search_keys import SortCriterion, SortKey

_VALUES: dict[SortKey, Callable[[Summary], int | str]] = {
    SortKey.ARRIVAL: lambda message: message.arrived_us,
    SortKey.CC: lambda message: message.cc,
    SortKey.DATE: lambda message: message.sent_us,
    SortKey.FROM: lambda message: message.from_,
    SortKey.SIZE: lambda message: message.octets,
    SortKey.SUBJECT: lambda message: message.subject,
    SortKey.TO: lambda message: message.to,
}


def sort_messages(messages: Iterable[Summary], criteria: Sequence[SortCriterion]) -> list[int]:
    """Return the numbers of messages in order; what is equal by all criteria is in order of its number."""
    ordered = sorted(messages, key=lambda message: message.number)
    decisive: dict[SortKey, SortCriterion] = {}  # what is equal by a key is so the second time, too
    for criterion in criteria:
        decisive.setdefault(criterion.key, criterion)
    for criterion in reversed(decisive.values()):  # sorting is stable, in reverse too
        ordered.sort(key=_VALUES[criterion.key], reverse=criterion.reverse)
    return [message.number for message in ordered]
