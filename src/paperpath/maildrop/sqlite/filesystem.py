"""On which kind of file system a folder lies: the queue may lie on no network's (attack L-7).

SQLite's log lives in memory that processes share, and our locks and flushes must mean what they say. Over a
network they do not, and a queue is lost there without anyone's fault. The self-test asks for the whole mount.
"""

import re
from dataclasses import dataclass
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
_DEVICE, _POINT, _OPTIONS = 2, 4, 5  # the fields of the device's numbers, the mount point, its options
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """What a folder lies on: the type of file system, the device as MAJOR:MINOR, and all options."""

    kind: str
    device: str
    options: tuple[str, ...]

    @property
    def is_network(self) -> bool:
        """Whether it is another host's."""
        return self.kind.removeprefix("fuse.") in _NETWORK


def refuse_network(folder: Path) -> None:
    """Raise SchemaError where a folder lies on a network file system; what cannot be told is let pass."""
    mount = read_mount(folder)
    if mount is not None and mount.is_network:
        raise SchemaError(
            f"{folder} lies on {mount.kind}, a network file system, where no queue is safe; move it"
        )


def read_mount(folder: Path) -> Mount | None:
    """Return what a folder lies on, if this system tells."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return find_mount(folder.resolve(), mounts)


def find_mount(folder: Path, mounts: str) -> Mount | None:
    """Return what a resolved path lies on; nothing where the table does not say.

    `mounts` is of the form of proc_pid_mountinfo(5). Of several mounts on one point the last is on top.
    """
    found, depth = None, 0
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        fields, (kind, *more) = before.split(" "), after.split(" ")
        if not separator or len(fields) <= _POINT:
            continue
        point = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[_POINT]))
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            options = [*fields[_OPTIONS : _OPTIONS + 1], *more[1:2]]
            found, depth = (
                Mount(kind, fields[_DEVICE], tuple(",".join(options).split(","))),
                len(point.parts),
            )
    return found
