"""Whether the journal has the whole story of each message that was acknowledged (promise P9)."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from paperpath.journal.events import Accepted, Attempted
from paperpath.journal.files import list_files
from paperpath.journal.search import find_told
from tests.crash.ledger import Answer, Ledger

_WANTED = re.compile(rb'"event":"(?:accepted|attempted)"')
_ENDS = frozenset({"delivered", "relayed", "failed"})


def find_gaps(folder: Path, ledger: Ledger) -> Iterator[str]:
    """Give each recipient of an acknowledged message of whose coming or end the journal has nothing."""
    accepted: defaultdict[str, list[str]] = defaultdict(list)  # queue ids by sender
    ended: defaultdict[str, set[str]] = defaultdict(set)  # recipients by queue id
    for told in find_told(list_files(folder), [_WANTED]):
        if isinstance(told.event, Accepted):
            accepted[told.event.sender].append(told.event.queue_id)
        elif isinstance(told.event, Attempted) and told.event.outcome in _ENDS:
            ended[told.event.queue_id].add(told.event.recipient)
    for message, answer in ledger.sent.values():
        if answer is not Answer.TAKEN:
            continue
        queue_ids = accepted.get(message.return_path, ())
        if not queue_ids:
            yield f"message {message.number} was never accepted"
        else:
            known = set[str]().union(*(ended[queue_id] for queue_id in queue_ids))
            yield from (f"{one} has no end" for one in message.recipients if one not in known)
