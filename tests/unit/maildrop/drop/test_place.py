"""Who may write into the drop directory, and who may read what is there (D-15, L-2)."""

import os
import pwd
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from paperpath.config.tables import Configuration, DropTable
from paperpath.maildrop.drop.folder import DropFolder, Fate
from paperpath.maildrop.drop.place import make_drop
from paperpath.maildrop.drop.writer import drop_message
from paperpath.service.errors import ServiceError
from tests.support.drop import CONTENT, ENVELOPE, act_as, read_drop
from tests.unit.config.example import RIGHT, configure

SERVICE, JOE, ANN = 65501, 65502, 65503  # no group of theirs has a name, and no user
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root")


def configure_at(data: Path, group: str | None = None) -> Configuration:
    drop = DropTable.model_construct(size=100_000, group=group)
    return configure(RIGHT).model_copy(update={"data": data, "drop": drop})


@pytest.fixture
def data() -> Iterator[Path]:
    """Return a folder that every user can pass, which pytest's are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        (Path(name) / "data").mkdir()
        (Path(name) / "data").chmod(0o711)
        yield Path(name) / "data"


def test_it_is_made_once_and_mended(data: Path) -> None:
    configuration = configure_at(data)
    for _ in range(2):
        make_drop(configuration)
        assert configuration.drop_folder.stat().st_mode & 0o7777 == 0o3733
        assert configuration.damaged_folder.stat().st_mode & 0o7777 == 0o700
        configuration.drop_folder.chmod(0o777)
        configuration.damaged_folder.chmod(0o777)


def test_what_is_no_folder_is_refused(data: Path) -> None:
    (data / "elsewhere").mkdir()
    (data / "drop").symlink_to("elsewhere")
    with pytest.raises(ServiceError, match="drop"):
        make_drop(configure_at(data))


def test_a_group_that_is_none_is_refused(data: Path) -> None:
    with pytest.raises(ServiceError, match=r"drop\.group: this host has no group no-such-group"):
        make_drop(configure_at(data, "no-such-group"))


@as_root
def test_a_folder_of_somebody_else_is_refused(data: Path) -> None:
    (data / "drop").mkdir()
    os.chown(data / "drop", JOE, JOE)
    with pytest.raises(ServiceError, match="does not belong"):
        make_drop(configure_at(data))


@as_root
def test_a_group_that_the_service_user_is_not_of_is_refused(data: Path) -> None:
    os.chown(data, SERVICE, SERVICE)

    def refused() -> None:
        with pytest.raises(ServiceError, match="must be of the group daemon"):
            make_drop(configure_at(data, "daemon"))

    act_as(SERVICE, refused)


@as_root
def test_D15_anybody_leaves_mail_that_only_they_and_the_service_user_read(data: Path) -> None:
    os.chown(data, SERVICE, SERVICE)
    configuration = configure_at(data)
    folder = configuration.drop_folder
    act_as(SERVICE, lambda: make_drop(configuration))
    act_as(JOE, lambda: drop_message(folder, ENVELOPE, [CONTENT]))
    (file,) = folder.iterdir()
    assert (file.stat().st_uid, file.stat().st_gid) == (JOE, SERVICE)

    def intrude() -> None:
        for action in (
            lambda: list(folder.iterdir()),
            lambda: file.read_bytes(),
            lambda: file.write_bytes(b""),
            lambda: file.unlink(),
            lambda: file.rename(folder / "mine"),
            lambda: (data / "other").touch(),
            lambda: list(data.iterdir()),
            lambda: list(configuration.damaged_folder.iterdir()),
        ):
            with pytest.raises(PermissionError):
                action()
        mine = folder / drop_message(folder, ENVELOPE, [CONTENT])
        with pytest.raises(PermissionError):
            mine.replace(file)

    act_as(ANN, intrude)

    def take_over() -> None:
        assert read_drop(folder, file.name) == (ENVELOPE, CONTENT)
        file.rename(configuration.damaged_folder / "aside")

    act_as(SERVICE, take_over)


@as_root
def test_L2_folders_of_others_go_if_they_are_empty_and_else_stay(data: Path) -> None:
    os.chown(data, SERVICE, SERVICE)
    configuration = configure_at(data)
    drop = configuration.drop_folder

    def attack() -> None:
        (drop / "empty").mkdir(mode=0)
        (drop / "full" / "in").mkdir(parents=True)
        os.mkfifo(drop / "fifo", mode=0)

    def clear() -> None:
        folder = DropFolder(drop, configuration.damaged_folder)
        found = folder.look(10, time.time())
        assert found is not None
        for one in found:
            assert one.fate is Fate.ASIDE
            with suppress(OSError) if one.name == "full" else nullcontext():
                folder.put_aside(one.name)
        folder.flush()
        folder.close()

    act_as(SERVICE, lambda: make_drop(configuration))
    act_as(JOE, attack)
    act_as(SERVICE, clear)
    assert [path.name for path in drop.iterdir()] == ["full"]
    assert len(list(configuration.damaged_folder.iterdir())) == 1


@as_root
def test_with_a_group_only_its_members_may_write(data: Path) -> None:
    group = pwd.getpwnam("daemon").pw_gid
    configuration = configure_at(data, "daemon")
    make_drop(configuration)
    assert configuration.drop_folder.stat().st_mode & 0o7777 == 0o3730
    act_as(JOE, lambda: drop_message(configuration.drop_folder, ENVELOPE, [CONTENT]), gid=group)

    def refused() -> None:
        with pytest.raises(PermissionError):
            drop_message(configuration.drop_folder, ENVELOPE, [CONTENT])

    act_as(ANN, refused)
