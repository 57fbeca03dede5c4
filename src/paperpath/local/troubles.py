"""What kept a delivery from its folder, as the reply that says so: pure (requirement F-5).

All of it is temporary: somebody can make room, mend a disk, or put a folder back.
"""

import errno

from paperpath.folders.steps import OpenToAllError
from paperpath.mail.reply import Reply, make_reply

R450_NO_FOLDER = make_reply(450, "4.2.0", "The folder of the mailbox is missing")
R451_OPEN_TO_ALL = make_reply(451, "4.3.5", "Every user of the host may write in the folder of the mailbox")

_STATUS = {errno.ENOSPC: "4.3.1", errno.EDQUOT: "4.2.2", errno.EIO: "4.3.0", errno.EROFS: "4.3.0"}
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def describe_trouble(error: OSError) -> Reply:
    """Return the temporary reply for an error of the file system."""
    if isinstance(error, OpenToAllError):
        return R451_OPEN_TO_ALL
    if isinstance(error, FileNotFoundError):
        return R450_NO_FOLDER
    number = error.errno or 0
    return make_reply(
        452 if number in _NO_ROOM else 451,
        _STATUS.get(number, "4.2.0"),
        f"The mailbox cannot be written now: {error.strerror}",
    )
