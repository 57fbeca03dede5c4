"""What sessions of one mailbox that rest have in common: the UIDs that they show, and looks for what is new.

Called in threads. Lists and changes are never changed by anybody, so who has one need not know who else does.
"""

from array import array
from dataclasses import replace
from threading import Lock
from weakref import WeakValueDictionary

from paperpath.folders.store.interface import OpenFolder
from paperpath.folders.store.values import Changes, Snapshot

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


class SharedLook:
    """A look at a folder for all sessions that are told of something there at once.

    The first that shows a certain state of the folder looks, and the others get what it got. It looks later
    than there was the sign for which they are told, so none of them misses what was behind it. Only for
    sessions whose looks would be alike: they may change the folder, and show nothing that is gone.
    """

    def __init__(self) -> None:
        """Nobody has looked yet."""
        self._found: dict[tuple[str, int, int, int], Changes] = {}
        self._lock = Lock()

    def look(self, folder: OpenFolder, since: Snapshot) -> Changes:
        """Tell what happened since a snapshot; new messages are \\Recent to who looked."""
        state = folder.folder_id, since.uid_validity, since.uid_next, since.modseq
        with self._lock:
            found = self._found.get(state)
            if found is None:
                found = self._found[state] = folder.look(since)
                return found
        return replace(found, snapshot=replace(found.snapshot, recent=since.recent))
