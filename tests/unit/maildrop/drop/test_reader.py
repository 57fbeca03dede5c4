"""Reading a file whose owner may be hostile (L-2)."""

import errno
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.maildrop.drop.format import DropError, UnreadableError
from paperpath.maildrop.drop.reader import open_drop
from paperpath.maildrop.drop.writer import drop_message
from paperpath.service.durable import open_directory
from tests.support.drop import CONTENT, ENVELOPE, make_folders, read_drop


@pytest.fixture
def written(tmp_path: Path) -> Path:
    drop, _ = make_folders(tmp_path)
    return drop / drop_message(drop, ENVELOPE, [CONTENT])


def test_L2_a_link_is_not_followed(written: Path) -> None:
    (written.parent / "link").symlink_to(written)
    with pytest.raises(DropError, match="symbolic links"):
        read_drop(written.parent, "link")


def test_L2_a_file_with_two_names_is_refused(written: Path) -> None:
    (written.parent.parent / "other").hardlink_to(written)
    with pytest.raises(DropError, match="other names"):
        read_drop(written.parent, written.name)


def test_L2_what_is_no_file_is_refused_and_nobody_waits(written: Path) -> None:
    folder = written.parent
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        for name in ("fifo", "folder", "socket"):
            with pytest.raises(DropError):
                read_drop(folder, name)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_L2_a_device_is_refused(written: Path) -> None:
    os.mknod(written.parent / "zero", 0o20666, os.makedev(1, 5))
    with pytest.raises(DropError, match="no regular file"):
        read_drop(written.parent, "zero")


def test_L2_a_sparse_file_of_any_size_is_refused_unread(written: Path) -> None:
    os.truncate(written, 2**40)
    with pytest.raises(DropError, match="more than"):
        read_drop(written.parent, written.name)
    os.truncate(written, 2**20)
    with pytest.raises(DropError, match="not as long as it says"):
        read_drop(written.parent, written.name)


def test_L2_content_beyond_the_limit_is_refused_unread(written: Path) -> None:
    with pytest.raises(DropError, match="more than 5 octets"):
        read_drop(written.parent, written.name, most_octets=5)
    assert read_drop(written.parent, written.name, most_octets=len(CONTENT)) == (ENVELOPE, CONTENT)


def test_L2_what_its_owner_writes_while_it_is_read_is_noticed(written: Path) -> None:
    directory = open_directory(written.parent)
    try:
        with closing(open_drop(directory, written.name, 1000)) as file:
            with written.open("r+b") as owner:  # held open since before
                owner.seek(-4, os.SEEK_END)
                owner.write(b"!")
            with pytest.raises(DropError, match="digest differs"):
                file.copy_content(lambda chunk: None)
        with closing(open_drop(directory, written.name, 1000)) as file:
            os.truncate(written, written.stat().st_size - 1)
            with pytest.raises(DropError, match="incomplete"):
                file.copy_content(lambda chunk: None)
        os.truncate(written, written.stat().st_size + 1)
        with closing(open_drop(directory, written.name, 1000)) as file:
            os.truncate(written, written.stat().st_size + 1)
            with pytest.raises(DropError):
                file.copy_content(lambda chunk: None)
    finally:
        os.close(directory)


def test_L2_a_file_that_its_owner_takes_back_is_gone(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_fstat = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        written.unlink(missing_ok=True)
        return really_fstat(descriptor)

    directory = open_directory(written.parent)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        with pytest.raises(FileNotFoundError, match="took it back"):
            open_drop(directory, written.name, 1000)
    with pytest.raises(FileNotFoundError):
        open_drop(directory, written.name, 1000)
    os.close(directory)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EACCES, DropError),
        (errno.EIO, UnreadableError),
        (errno.EMFILE, OSError),
        (errno.EWOULDBLOCK, BlockingIOError),  # its owner has a lease on it
    ],
)
@pytest.mark.parametrize("call", ["open", "read"])
def test_what_may_pass_is_told_from_what_will_not(
    written: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, error: type[Exception]
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    directory = open_directory(written.parent)
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(error):
        open_drop(directory, written.name, 1000)
    monkeypatch.undo()
    os.close(directory)


def test_one_file_has_one_key_and_the_next_of_its_name_another(written: Path) -> None:
    directory = open_directory(written.parent)
    keys = []
    for _ in range(2):
        with closing(open_drop(directory, written.name, 1000)) as file:
            keys.append(file.unique)
    octets = written.read_bytes()
    written.unlink()
    written.write_bytes(octets)
    os.utime(written, ns=(1, 1))
    with closing(open_drop(directory, written.name, 1000)) as file:
        keys.append(file.unique)
        assert file.uid == os.geteuid()
    assert keys[0] == keys[1] != keys[2]
    os.close(directory)
