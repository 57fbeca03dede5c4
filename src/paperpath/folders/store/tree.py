"""The mail store over an account's Maildir; see `MailStore` in interface.py, which this promises.

Made by the IMAP server for each who logs in. It keeps nothing open, so one costs nothing while nobody asks.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from paperpath.config.quota import NO_QUOTA, Quota
from paperpath.folders.quota import Allowance
from paperpath.folders.store.access import FolderAccess
from paperpath.folders.store.appending import Appending
from paperpath.folders.store.errors import (
    FolderExistsError,
    ForbiddenError,
    NoFolderError,
    TooManySubscriptionsError,
    UseError,
)
from paperpath.folders.store.folder_names import (
    INBOX_STEP,
    check_name,
    check_new_name,
    is_below,
    parents_of,
)
from paperpath.folders.store.home import Home
from paperpath.folders.store.looking import list_uids
from paperpath.folders.store.measuring import measure_messages
from paperpath.folders.store.open_folder import MaildirFolder
from paperpath.folders.store.tree_changes import (
    complete_renaming,
    forget_use,
    list_steps,
    make_folders,
    map_names,
    remove_folder,
    rename_tree,
)
from paperpath.folders.store.values import (
    INBOX,
    SEPARATOR,
    SPECIAL_USES,
    FolderEntry,
    FolderStatus,
    QuotaUse,
)

MOST_SUBSCRIPTIONS = 10_000  # they are read and written together
_HABITUAL = {use.removeprefix("\\"): use for use in SPECIAL_USES}  # folders of these names have these uses


class MaildirStore:
    """One account's folders. Keeps the contract of `MailStore`."""

    def __init__(
        self,
        root: Path,
        folder: PurePosixPath,
        *,
        quota: Quota = NO_QUOTA,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Work on the mailbox in a folder below the root of the mailboxes."""
        host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
        self._home = Home(root.resolve(), folder, quota, host, clock_ns)

    def folders(self) -> Sequence[FolderEntry]:
        """Return the tree."""
        with self._changing() as directory:
            names = set(map_names(list_steps(directory)))
            state = self._home.read_state()
        subscribed, uses = frozenset(state.subscribed), _find_uses(names, state.special_uses)
        shown = names.union(*(parents_of(name) for name in names))
        ordered = sorted(shown, key=lambda name: (name != INBOX, name))
        return [FolderEntry(name, name in names, name in subscribed, uses.get(name, "")) for name in ordered]

    def subscriptions(self) -> Sequence[str]:
        """Return the names that are subscribed to."""
        return self._home.read_state().subscribed

    def subscribe(self, name: str, *, subscribed: bool = True) -> None:
        """Subscribe to a name, or end that."""
        name = check_new_name(name) if subscribed else check_name(name)
        with self._home.locked():
            state = self._home.read_state()
            if subscribed and len(state.subscribed) >= MOST_SUBSCRIPTIONS:
                raise TooManySubscriptionsError(f"at most {MOST_SUBSCRIPTIONS} folders can be subscribed to")
            if (name in state.subscribed) != subscribed:
                names = {*state.subscribed, name} if subscribed else {*state.subscribed} - {name}
                self._home.write_state(replace(state, subscribed=tuple(sorted(names))))

    def create(self, name: str, special_uses: Sequence[str] = ()) -> None:
        """Make a folder, and those above it that are missing."""
        name = check_new_name(name.removesuffix(SEPARATOR))
        with self._changing() as directory:
            there = map_names(list_steps(directory))
            if name in there:
                raise FolderExistsError("there is a folder of that name already")
            state = self._home.read_state()
            use = _check_uses(special_uses, state.special_uses)
            if use:  # first, for who finds the folder is to find its use
                self._home.write_state(replace(state, special_uses={**state.special_uses, name: use}))
            make_folders(self._home, [each for each in (*parents_of(name), name) if each not in there])

    def delete(self, name: str) -> None:
        """Remove a folder and its messages."""
        name = check_name(name)
        with self._changing() as directory:
            step = _find(directory, name)
            if step == INBOX_STEP:
                raise ForbiddenError("INBOX cannot be removed")
            remove_folder(directory, step)
            self._home.write_state(forget_use(self._home.read_state(), name))

    def rename(self, name: str, new_name: str) -> None:
        """Give a folder and those below it other names."""
        name, new_name = check_name(name), check_new_name(new_name.removesuffix(SEPARATOR))
        if is_below(new_name, name) and name != INBOX:
            raise ForbiddenError("a folder cannot be moved below itself")
        with self._changing() as directory:
            there = map_names(list_steps(directory))
            if not any(is_below(other, name) for other in there):
                raise NoFolderError("there is no such folder")
            if new_name in there:
                raise FolderExistsError("there is a folder of that name already")
            above = [each for each in parents_of(new_name) if each not in there]
            if name != INBOX:
                make_folders(self._home, above)
                rename_tree(self._home, directory, name, new_name)
                return
            make_folders(self._home, [*above, new_name])
        self._move_all(INBOX, new_name)

    def open(self, name: str, *, read_only: bool = False) -> MaildirFolder:
        """Open a folder for a session, which closes it."""
        return MaildirFolder(partial(self._open, name), self._open, read_only=read_only)

    def status(self, name: str, *, with_octets: bool = False) -> FolderStatus:
        """Return a folder's numbers."""
        access = self._open(name)
        try:
            with access.locked():
                status = _count(access)
                deleted = frozenset(access.index.deleted()) if with_octets else frozenset()
                uids = list_uids(access.index, access.index.state()) if with_octets else ()
            if not with_octets:
                return status
            octets = {one.uid: one.octets for one in measure_messages(access, uids)}
            deleted_octets = sum(octets.get(uid, 0) for uid in deleted)
            return replace(status, octets=sum(octets.values()), deleted_octets=deleted_octets)
        finally:
            access.close()

    def append(self, name: str) -> Appending:
        """Begin to put messages into a folder."""
        return Appending(self._open(name))

    def quota(self) -> QuotaUse:
        """Return what the account may hold, and holds."""
        if not self._home.quota.is_limit:
            return QuotaUse(NO_QUOTA, 0, 0)
        access = self._open(INBOX)
        try:
            allowance = Allowance(access.files.home, access.files.tmp, self._home.quota)
            allowance.close()
        finally:
            access.close()
        return QuotaUse(self._home.quota, allowance.usage.octets, allowance.usage.messages)

    def _open(self, name: str) -> FolderAccess:
        """Open a folder by name, which the caller closes. Raises: NoFolderError; FolderNameError."""
        name = check_name(name)
        with self._changing() as directory:
            step = _find(directory, name)
        return FolderAccess(self._home, step)

    @contextmanager
    def _changing(self) -> Iterator[int]:
        """Lock the mailbox, and complete what was begun there; gives the open directory."""
        try:
            with self._home.locked() as directory:
                complete_renaming(self._home, directory)
                yield directory
        except FileNotFoundError as error:
            raise NoFolderError("there is no such mailbox") from error

    def _move_all(self, name: str, new_name: str) -> None:
        folder = self.open(name)
        try:
            folder.move(folder.look().snapshot.uids, new_name)
        finally:
            folder.close()


def _find(directory: int, name: str) -> str:
    step = map_names(list_steps(directory)).get(name)
    if step is None:
        raise NoFolderError("there is no such folder")
    return step


def _count(access: FolderAccess) -> FolderStatus:
    index = access.index
    state = index.state()
    return FolderStatus(
        len(list_uids(index, state)),
        index.count_unseen(),
        index.count_deleted(),
        index.count_from(state.first_unclaimed),
        state.uid_next,
        state.uid_validity,
        state.modseq,
        state.folder_id,
    )


def _find_uses(names: set[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the special uses of folders: those they were made for, and those of habitual names."""
    uses = {name: use for name, use in given.items() if name in names}
    taken = frozenset(uses.values())
    habitual = {name: use for name, use in _HABITUAL.items() if name in names and use not in taken}
    return {**habitual, **uses}


def _check_uses(wanted: Sequence[str], given: Mapping[str, str]) -> str:
    """Return the use that a folder is made for, empty for none. Raises: UseError."""
    known = {use.lower(): use for use in SPECIAL_USES}
    uses = {known.get(use.lower(), "") for use in wanted}
    if "" in uses or len(uses) > 1:
        raise UseError("a folder can be made for one of the special uses that are known")
    use = next(iter(uses), "")
    if use and use in given.values():
        raise UseError("another folder has that special use")
    return use
