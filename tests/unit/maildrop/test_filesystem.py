"""The queue lies on no network (L-7)."""

from pathlib import Path

import pytest

from paperpath.maildrop.errors import SchemaError
from paperpath.maildrop.sqlite import filesystem
from paperpath.maildrop.sqlite.database import create_database, open_database
from paperpath.maildrop.sqlite.filesystem import Mount, find_mount

MOUNTS = """\
22 1 0:21 / / rw,relatime - overlay overlay rw,lowerdir=/l
23 22 8:1 / /var rw shared:1 master:2 - ext4 /dev/sda1 rw
24 23 0:50 / /var/mail\\040drop rw - nfs4 server:/export rw
25 22 0:51 / /srv rw - tmpfs tmpfs rw
26 22 0:52 / /srv rw - fuse.sshfs me@server: rw
27 22 0:53 / /home - nonsense
broken
"""


def test_L7_the_kind_of_file_system_is_that_of_the_nearest_mount() -> None:
    kinds = {
        "/": "overlay",
        "/variety": "overlay",
        "/var": "ext4",
        "/var/mail": "ext4",
        "/var/mail drop/x/y": "nfs4",
        "/srv/x": "fuse.sshfs",
        "/home/x": "nonsense",
    }
    mounts = {path: find_mount(Path(path), MOUNTS) for path in kinds}
    assert {path: mount.kind for path, mount in mounts.items() if mount is not None} == kinds
    assert mounts["/var"] == Mount("ext4", "8:1", ("rw", "rw"))
    assert find_mount(Path("/x"), "") is None


@pytest.mark.parametrize(
    ("kind", "is_refused"),
    [
        *[
            (kind, True)
            for kind in ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph", "fuse.glusterfs")
        ],
        *[
            (kind, False)
            for kind in ("ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuse.gocryptfs", "")
        ],
    ],
)
def test_L7_no_queue_is_made_or_opened_on_a_network(
    kind: str, is_refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    create_database(there)
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 0:1 / / rw - overlay o rw\n2 1 0:2 / {tmp_path.resolve()} rw - {kind} source rw\n")
    monkeypatch.setattr(filesystem, "MOUNTS", table)
    if not is_refused:
        create_database(here)
        open_database(there).close()
        return
    for attempt in (lambda: create_database(here), lambda: open_database(there)):
        with pytest.raises(SchemaError, match=f"lies on {kind}, a network file system"):
            attempt()
    assert not here.exists()


def test_L7_where_no_table_of_mounts_is_nobody_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "MOUNTS", tmp_path / "nothing")
    create_database(tmp_path / "maildrop")
