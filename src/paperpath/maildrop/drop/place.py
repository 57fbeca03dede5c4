"""Making the drop directory, and saying who may write there.

Called by `paperpath init` and `paperpath up`, as the service user. Anybody, or who is of one group, may make
files in the directory; nobody may list it, and nobody but a file's owner and the service user may rename or
remove it. What is made there gets the directory's group, which is how the service user reads files of others.
"""

import os
from pathlib import Path

from paperpath.config.tables import Configuration
from paperpath.service.durable import flush_directory, open_directory
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import find_group

_FOR_ALL = 0o3733
_FOR_GROUP = 0o3730


def make_drop(configuration: Configuration) -> None:
    """Make the directories that are missing, and put owner, group and mode right. Raises: ServiceError."""
    group = configuration.drop.group
    gid, mode = (os.getegid(), _FOR_ALL) if group is None else (find_group(group, "drop.group"), _FOR_GROUP)
    for folder, owned_by, allowed in (
        (configuration.damaged_folder, os.getegid(), 0o700),
        (configuration.drop_folder, gid, mode),
    ):
        try:
            _make(folder, owned_by, allowed)
        except PermissionError as error:
            hint = (
                ""
                if group is None
                else f"; drop.group: the user of the programs must be of the group {group}"
            )
            raise ServiceError(f"{folder}: {error.strerror}{hint}", os.EX_CONFIG) from error
        except OSError as error:
            raise ServiceError(f"{folder}: {error.strerror}", os.EX_CANTCREAT) from error


def _make(folder: Path, gid: int, mode: int) -> None:
    """Make a folder or mend it, by its descriptor: what it is called may be changed meanwhile."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        flush_directory(folder.parent)
    descriptor = open_directory(folder)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            raise ServiceError(f"{folder} does not belong to the user of the programs", os.EX_CONFIG)
        if found.st_gid != gid:
            os.fchown(descriptor, -1, gid)
        if found.st_mode & 0o7777 != mode:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
