"""The skeleton: what a program that fails leaves behind."""

import asyncio
import gc
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperpath import USUAL_COLLECTION
from paperpath.config.loader import Document
from paperpath.service.control import ask
from paperpath.service.errors import ServiceError
from paperpath.service.program import Life, run_as_started, run_program
from paperpath.service.tls.certificates import read_certificate
from paperpath.service.tls.key_files import CertificateError, Reader, open_key_files
from tests.support.tls import write_certificate
from tests.unit.config.example import RIGHT


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("paperpath.service.program.give_up_what_nobody_needs", lambda: None)  # for good
    file = tmp_path / "paperpath.toml"
    file.write_text(RIGHT)
    return file


def test_a_defect_is_one_line_of_the_log(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def body(life: Life) -> None:
        raise ZeroDivisionError("two\nlines")

    assert run_program("smtptd", file, body) == os.EX_SOFTWARE
    *_, line = capsys.readouterr().err.splitlines()
    assert " smtptd error defect " in line
    assert "test_program.py" in line


def test_a_program_that_ends_by_itself_leaves_no_socket(file: Path) -> None:
    async def body(life: Life) -> None:
        assert (file.parent / "data" / "run" / "control" / "smtptd.sock").is_socket()

    assert run_program("smtptd", file, body) == os.EX_OK
    assert list((file.parent / "data" / "run" / "control").iterdir()) == []


def test_garbage_is_collected_as_usual_but_what_was_imported_is_left_alone(file: Path) -> None:
    seen: list[tuple[tuple[int, int, int], int]] = []

    async def body(life: Life) -> None:
        seen.append((gc.get_threshold(), gc.get_freeze_count()))

    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    try:
        assert run_program("smtptd", file, body) == os.EX_OK
    finally:
        gc.set_threshold(*before)
    ((threshold, kept),) = seen
    assert threshold == USUAL_COLLECTION
    assert kept > frozen


def with_certificate(chain: Path, key: Path) -> str:
    return RIGHT + f'[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n'


async def reload(life: Life, text: str, *keys: int) -> None:
    folder = life.configuration.run_folder / "control"
    await asyncio.to_thread(ask, folder, life.name, "reload", descriptors=keys, text=text)


def test_keys_that_come_with_a_reload_are_read_whatever_lies_at_their_paths(
    file: Path, tmp_path: Path
) -> None:
    chain, key = write_certificate(tmp_path, "mail.example.org")
    read_names: list[tuple[str, ...]] = []

    async def note(document: Document, read: Reader) -> None:
        (entry,) = document.configuration.tls.certificate
        read_names.append(read_certificate(entry.chain, entry.key, datetime.now(UTC), read).names)

    async def body(life: Life) -> None:
        life.call_at_reload(note)
        with open_key_files([chain, key]) as keys:
            key.unlink()
            await reload(life, with_certificate(chain, key), *keys)
        with pytest.raises(ServiceError, match="cannot be read: No such file"):
            await reload(life, with_certificate(chain, key))

    assert run_program("smtptd", file, body) == os.EX_OK
    assert read_names == [("mail.example.org",)]


def test_L5_the_supervisor_takes_no_text_from_whoever_asks(file: Path, tmp_path: Path) -> None:
    """It opens keys as root: the service user, who may ask it, would have it open any."""
    seen: list[str] = []

    async def note(document: Document, read: Reader) -> None:
        seen.append(document.text)

    async def body(life: Life) -> None:
        life.call_at_reload(note)
        with open_key_files([Path("/dev/null")]) as keys:
            await reload(life, with_certificate(Path("/etc/shadow"), Path("/etc/shadow")), *keys)

    assert run_as_started("paperpath", file, body) == os.EX_OK
    assert seen == [RIGHT]


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(CertificateError, match="cannot be read: Illegal seek"):
        read_certificate(pipe, pipe, datetime.now(UTC))
