"""The library call that leaves a message: durable when it returns, and nothing left when it raises."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.mail.envelope import Envelope
from paperpath.maildrop.drop import writer
from paperpath.maildrop.drop.format import DropError
from paperpath.maildrop.drop.writer import drop_message
from tests.support.drop import CLIENT, CONTENT, ENVELOPE, make_folders, read_drop

HEAVY = ("asyncio", "pydantic", "click", "apsw", "rich", "uvloop")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folders(tmp_path)[0]


def test_it_imports_nothing_heavy() -> None:
    code = "import sys, paperpath.maildrop.drop.writer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(HEAVY) & set(done.stdout.split())


@pytest.mark.parametrize("chunks", [[], [CONTENT], [CONTENT[:3], CONTENT[3:]], [b"x\r\n" * 500_000]])
def test_D1_what_is_dropped_is_what_is_read(folder: Path, chunks: list[bytes]) -> None:
    name = drop_message(folder, ENVELOPE, chunks)
    assert [file.name for file in folder.iterdir()] == [name]
    assert read_drop(folder, name) == (ENVELOPE, b"".join(chunks))


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_D15_whatever_the_umask_its_owner_and_its_group_alone_may_read_it(folder: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        name = drop_message(folder, ENVELOPE, [CONTENT])
    finally:
        os.umask(old)
    assert (folder / name).stat().st_mode & 0o7777 == 0o640


def test_D15_a_link_in_the_place_of_the_folder_is_not_followed(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    with pytest.raises(NotADirectoryError):
        drop_message(link, ENVELOPE, [CONTENT])
    assert list(folder.iterdir()) == []


def test_D15_a_name_that_is_there_already_is_not_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    target = folder.parent / "target"
    target.write_text("untouched")
    (folder / ("partial-" + "0" * 32)).symlink_to(target)
    with pytest.raises(FileExistsError):
        drop_message(folder, ENVELOPE, [CONTENT])
    assert target.read_text() == "untouched"
    assert len(list(folder.iterdir())) == 1


def break_off() -> Iterator[bytes]:
    yield CONTENT
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        ([b"bare\nnewline\r\n"], DropError),
        ([b"no end of line"], DropError),
        ([b"x" * 100 + b"\r\n"], DropError),
        (break_off(), KeyboardInterrupt),
    ],
)
def test_what_is_no_message_leaves_nothing(
    folder: Path, chunks: list[bytes], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        drop_message(folder, ENVELOPE, chunks, most_octets=100)
    assert list(folder.iterdir()) == []
    with pytest.raises(DropError):
        drop_message(folder, Envelope(None, (), CLIENT), [CONTENT])
    assert list(folder.iterdir()) == []


def test_J13_who_is_ended_as_the_file_is_made_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.open

    def make_and_end(path: Path | str, flags: int, mode: int = 0o777, **options: int) -> int:
        descriptor = make(path, flags, mode, **options)
        if flags & os.O_CREAT:
            os.close(descriptor)
            raise KeyboardInterrupt
        return descriptor

    monkeypatch.setattr(os, "open", make_and_end)
    with pytest.raises(KeyboardInterrupt):
        drop_message(folder, ENVELOPE, [CONTENT])
    monkeypatch.undo()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("call", ["write", "lseek", "fchmod", "fsync", "rename", "fstat"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_D4_a_call_that_fails_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        drop_message(folder, ENVELOPE, [CONTENT])
    monkeypatch.undo()
    assert list(folder.iterdir()) == []


def test_D4_a_name_that_cannot_be_flushed_is_taken_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def flush(descriptor: int) -> None:
        seen.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        if len(seen) == 2:
            assert [file.name.partition("-")[0] for file in folder.iterdir()] == ["message"]
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(OSError, match="Input/output"):
        drop_message(folder, ENVELOPE, [CONTENT])
    assert [path.name.partition("-")[0] for path in seen] == ["partial", "drop"]
    assert list(folder.iterdir()) == []


def test_D1_a_folder_that_does_not_close_well_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is on the disk by then: who is told otherwise hands it in again."""
    close, failed = os.close, []

    def close_badly(descriptor: int) -> None:
        is_gone_through = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_PATH
        close(descriptor)
        if is_gone_through:
            failed.append(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "close", close_badly)
    name = drop_message(folder, ENVELOPE, [CONTENT])
    assert len(failed) == 1
    assert [file.name for file in folder.iterdir()] == [name]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), KeyboardInterrupt()])
def test_D1_what_the_import_has_taken_meanwhile_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    flushed: list[int] = []

    def flush(descriptor: int) -> None:
        flushed.append(descriptor)
        if len(flushed) == 2:
            (file,) = folder.iterdir()
            file.unlink()  # as the import does, once it has the message on the disk
            raise error

    monkeypatch.setattr(os, "fsync", flush)
    assert drop_message(folder, ENVELOPE, [CONTENT]).startswith("message-")
    assert list(folder.iterdir()) == []


def test_D4_a_file_that_is_gone_before_it_is_whole_is_a_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(descriptor: int) -> None:
        (file,) = folder.iterdir()
        file.unlink()

    monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(FileNotFoundError):
        drop_message(folder, ENVELOPE, [CONTENT])


def test_D1_who_may_not_list_the_folder_flushes_the_file_system(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    really_open = os.open

    def open_unlisted(path: str, flags: int, *arguments: int, **options: int) -> int:
        if path == ".":
            raise PermissionError(errno.EACCES, "unlisted")
        return really_open(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", open_unlisted)
    monkeypatch.setattr(writer, "_flush_file_system", flushed.append)
    drop_message(folder, ENVELOPE, [CONTENT])
    assert len(flushed) == 1


def test_a_flush_of_the_file_system_that_fails_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        writer._flush_file_system(-1)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_a_folder_that_does_not_pass_its_group_on_is_no_drop_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, -1, 12345)
    with pytest.raises(DropError, match="no drop directory"):
        drop_message(tmp_path, ENVELOPE, [CONTENT])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        drop_message(tmp_path / "nowhere", ENVELOPE, [CONTENT])
