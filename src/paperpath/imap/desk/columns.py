"""Items of FETCH that are written for many messages at once: what the index says, no file opened.

Called by fetching.py, which writes message by message whatever is not to be had here: other items, and
messages that are gone or of which nothing is kept yet.
"""

from collections.abc import Callable, Collection, Sequence

from paperpath.folders.store.values import Cached
from paperpath.imap import responses
from paperpath.imap.desk.fetched_items import write_date
from paperpath.imap.desk.message import Batch
from paperpath.imap.fetch_items import Attribute, FetchItem

_SHORT = frozenset(
    {Attribute.FLAGS, Attribute.UID, Attribute.MODSEQ, Attribute.INTERNALDATE, Attribute.SAVEDATE}
)


def are_short(items: Collection[FetchItem]) -> bool:
    """Tell whether items are so short, and so quickly read, that a batch may be a large one."""
    return _SHORT.issuperset(items)


def write_columns(batch: Batch, items: Sequence[FetchItem]) -> bytes | None:
    """Write these items of all messages of a batch; `None` where that cannot be done here."""
    makers = [(item, _COLUMNS[item]) for item in items if isinstance(item, Attribute) and item in _COLUMNS]
    if len(makers) < len(items):
        return None
    try:
        columns = {item.value: make(batch) for item, make in makers}
    except KeyError:  # of a message there is nothing
        return None
    if any(len(column) < len(batch.uids) for column in columns.values()):
        return None
    return responses.write_fetches(batch.selected.numbers_of(batch.uids), columns)


def _write_envelopes(batch: Batch) -> Sequence[bytes]:
    kept = batch.kept(Cached.ENVELOPE)
    return [kept[uid] for uid in batch.uids]


_COLUMNS: dict[Attribute, Callable[[Batch], Sequence[bytes]]] = {
    Attribute.FLAGS: lambda batch: batch.selected.show_all_flags(batch.states.values()),
    Attribute.UID: lambda batch: [b"%d" % uid for uid in batch.uids],
    Attribute.MODSEQ: lambda batch: [b"(%d)" % state.modseq for state in batch.states.values()],
    Attribute.INTERNALDATE: lambda batch: [write_date(dates.internal_us) for dates in batch.dates.values()],
    Attribute.SAVEDATE: lambda batch: [write_date(dates.saved_us) for dates in batch.dates.values()],
    Attribute.SIZE: lambda batch: [b"%d" % measure.octets for measure in batch.measures.values()],
    Attribute.EMAILID: lambda batch: [
        b"(%b)" % measure.email_id.encode("ascii") for measure in batch.measures.values()
    ],
    Attribute.ENVELOPE: _write_envelopes,
}
