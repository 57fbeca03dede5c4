"""UIDs of a mailbox that several sessions show while they rest: in memory once, as long as they are the same.

Called in threads. The lists are never changed by anybody, so who has one need not know who else does.
"""

from array import array
from dataclasses import replace
from threading import Lock
from weakref import WeakValueDictionary

from paperpath.folders.store.values import Snapshot

_shown: "WeakValueDictionary[str, array[int]]" = WeakValueDictionary()
_lock = Lock()


def share_uids(snapshot: Snapshot, folder_id: str) -> Snapshot:
    """Return a snapshot with the list that another session of the folder has, if it is the same."""
    uids = snapshot.uids
    if isinstance(uids, range):  # which takes nothing
        return snapshot
    with _lock:
        there = _shown.get(folder_id)
        if there is None or there != uids:
            _shown[folder_id] = there = uids
    return snapshot if there is uids else replace(snapshot, uids=there)
