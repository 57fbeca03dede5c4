"""On which kind of file system a folder lies: the queue may lie on no network's (attack L-7).

SQLite's log lives in memory that processes share, and our locks and flushes must mean what they say. Over a
network they do not, and a queue is lost there without anyone's fault.
"""

import re
from pathlib import Path

from paperpath.maildrop.errors import SchemaError

MOUNTS = Path("/proc/self/mountinfo")
# fmt: off
_NETWORK = frozenset((
    "9p", "acfs", "afs", "beegfs", "ceph", "ceph-fuse", "cifs", "coda",
    "curlftpfs", "davfs", "gcsfuse", "gfs2", "glusterfs", "goofys", "lustre", "mfs",
    "moosefs", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2",
    "rclone", "s3fs", "smb3", "smbfs", "smbnetfs", "sshfs", "vboxsf", "vmhgfs-fuse",
))
# fmt: on
_POINT = 4  # the field of the mount point
_ESCAPE = re.compile(r"\\([0-7]{3})")


def refuse_network(folder: Path) -> None:
    """Raise SchemaError where a folder lies on a network file system; what cannot be told is let pass."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = find_kind(folder.resolve(), mounts)
    if kind.removeprefix("fuse.") in _NETWORK:
        raise SchemaError(f"{folder} lies on {kind}, a network file system, where no queue is safe; move it")


def find_kind(folder: Path, mounts: str) -> str:
    """Return the type of file system that a resolved path lies on; empty where the table does not say.

    `mounts` is of the form of proc_pid_mountinfo(5). Of several mounts on one point the last is on top.
    """
    kind, depth = "", 0
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) <= _POINT:
            continue
        point = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[_POINT]))
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = after.split(" ")[0], len(point.parts)
    return kind
