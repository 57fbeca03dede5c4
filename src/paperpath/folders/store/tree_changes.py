"""Changes of an account's tree of folders: made, removed and renamed as directories.

Called by tree.py with the mailbox's lock held. A folder is removed by one renaming to a name that is no
folder's, then emptied; who was killed in between leaves the rest to the next who removes one. A renaming of
several folders is written down first, and completed by the next who uses the tree.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from paperpath.folders.maildir import create_maildir
from paperpath.folders.quota_count import forget_count
from paperpath.folders.store.errors import FolderExistsError
from paperpath.folders.store.folder_names import INBOX_STEP, check_new_name, is_below, to_name, to_step
from paperpath.folders.store.home import Home
from paperpath.folders.store.home_state import HomeState

_REMOVED = "paperpath-removed."


def list_steps(home: int) -> list[str]:
    """Return the directories of an open mailbox that are folders, the mailbox itself first.

    Raises: OSError, also where a directory cannot be looked at: a mail program would take its folder for
    removed.
    """
    with os.scandir(home) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )
    return [INBOX_STEP, *(name for name in names if _is_folder(home, name))]


def map_names(steps: Iterable[str]) -> dict[str, str]:
    """Return the directories by the names of their folders; of two for one name, ours."""
    found = dict[str, str]()
    for step in steps:
        name = to_name(step)
        if name not in found or to_step(name) == step:
            found[name] = step
    return found


def make_folders(home: Home, names: Iterable[str]) -> None:
    """Make folders, flushed. Raises: OSError."""
    create_maildir(home.root, home.mailbox, [to_step(name)[1:] for name in names])


def remove_folder(directory: int, step: str) -> None:
    """Remove a folder of an open mailbox, its messages and its index. Raises: OSError."""
    os.rename(step, _REMOVED + secrets.token_hex(8), src_dir_fd=directory, dst_dir_fd=directory)
    os.fsync(directory)
    forget_count(directory)
    for name in os.listdir(directory):
        if name.startswith(_REMOVED):
            shutil.rmtree(name, ignore_errors=True, dir_fd=directory)


def rename_tree(home: Home, directory: int, name: str, new_name: str) -> None:
    """Rename a folder and those below it. Raises: OSError; FolderExistsError; FolderNameError."""
    there = map_names(list_steps(directory))
    for old in there:
        if is_below(old, name) and check_new_name(new_name + old[len(name) :]) in there:
            raise FolderExistsError("there is a folder of that name already")
    state = home.read_state()
    home.write_state(replace(state, renaming=(name, new_name)))
    complete_renaming(home, directory)


def complete_renaming(home: Home, directory: int) -> None:
    """Complete what was begun, if something was. Raises: OSError."""
    state = home.read_state()
    if len(state.renaming) != 2:
        return
    name, new_name = state.renaming
    for old, step in map_names(list_steps(directory)).items():
        if is_below(old, name):
            with suppress(FileExistsError):
                os.rename(
                    step, to_step(new_name + old[len(name) :]), src_dir_fd=directory, dst_dir_fd=directory
                )
    os.fsync(directory)
    home.write_state(replace(state, renaming=(), special_uses=_rename_uses(state, name, new_name)))


def forget_use(state: HomeState, name: str) -> HomeState:
    """Return the state without the special use of a folder."""
    return replace(
        state, special_uses={other: use for other, use in state.special_uses.items() if other != name}
    )


def _rename_uses(state: HomeState, name: str, new_name: str) -> Mapping[str, str]:
    return {
        new_name + old[len(name) :] if is_below(old, name) else old: use
        for old, use in state.special_uses.items()
    }


def _is_folder(home: int, step: str) -> bool:
    try:
        os.stat(f"{step}/cur", dir_fd=home, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
