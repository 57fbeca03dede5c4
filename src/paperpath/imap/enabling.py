"""What switches CONDSTORE on without being asked to (RFC 7162 §3.1)."""

from paperpath.imap.commands import (
    Command,
    Fetch,
    List,
    Search,
    Select,
    Sort,
    Status,
    StatusItem,
    Store,
    Thread,
)
from paperpath.imap.fetch_items import Attribute
from paperpath.imap.search_keys import AndKey, ModSeqKey, NotKey, OrKey, SearchKey


def enables_condstore(command: Command) -> bool:
    """Tell whether a command uses mod-sequences: from then on FETCH responses tell them."""
    match command:
        case Select():
            return command.condstore or command.resync is not None
        case Status(items=items) | List(status=items):
            return StatusItem.HIGHESTMODSEQ in items
        case Fetch():
            return Attribute.MODSEQ in command.items
        case Store():
            return command.unchanged_since is not None
        case Search() | Sort() | Thread():
            return asks_for_modseq(command.key)
    return False


def asks_for_modseq(key: SearchKey) -> bool:
    """Tell whether mod-sequences are looked for."""
    match key:
        case ModSeqKey():
            return True
        case NotKey(within):
            return asks_for_modseq(within)
        case OrKey(left, right):
            return asks_for_modseq(left) or asks_for_modseq(right)
        case AndKey(keys):
            return any(map(asks_for_modseq, keys))
    return False
