"""Maildirs (F-6 to F-9, F-11, P4)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.folders.maildir import Maildir, create_maildir, find_delivery, is_maildir, to_stored_lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_maildir(tmp_path / "a" / "box")
    return tmp_path / "a" / "box"


def test_F11_a_maildir_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        create_maildir(tmp_path / "x" / "y")
    finally:
        os.umask(old)
    assert is_maildir(tmp_path / "x" / "y")
    for part in (".", "..", "tmp", "new", "cur"):
        assert (tmp_path / "x" / "y" / part).stat().st_mode & 0o777 == 0o700


def test_F6_a_delivery_lies_in_new_and_tmp_is_empty(folder: Path) -> None:
    with Maildir(folder) as maildir:
        maildir.write("1.M2R3.host", [b"a\n", b"b\n"])
        maildir.flush()
    (file,) = (folder / "new").iterdir()
    assert (file.name, file.read_bytes(), file.stat().st_mode & 0o777) == ("1.M2R3.host", b"a\nb\n", 0o600)
    assert not list((folder / "tmp").iterdir())


def test_a_maildir_is_made_where_it_is_missing(tmp_path: Path) -> None:
    with Maildir(tmp_path / "late" / "box") as maildir:
        maildir.write("n", [b"x"])
    assert (tmp_path / "late" / "box" / "new" / "n").read_bytes() == b"x"


def test_P4_what_an_earlier_try_left_is_replaced(folder: Path) -> None:
    (folder / "tmp" / "n").write_bytes(b"half")
    with Maildir(folder) as maildir:
        maildir.write("n", [b"whole"])
        maildir.write("n", [b"whole"])
    assert [file.read_bytes() for file in (folder / "new").iterdir()] == [b"whole"]


def test_an_error_leaves_nothing(folder: Path) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError

    with Maildir(folder) as maildir, pytest.raises(RuntimeError):
        maildir.write("n", breaking())
    assert not list((folder / "tmp").iterdir())
    assert not list((folder / "new").iterdir())


def test_L1_a_link_in_tmp_is_not_followed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (folder / "tmp" / "n").symlink_to(victim)
    with Maildir(folder) as maildir:
        maildir.write("n", [b"mail"])
    assert victim.read_bytes() == b"precious"
    assert not (folder / "new" / "n").is_symlink()


@pytest.mark.parametrize(
    "place", ["new/n", "cur/n:2,S", "cur/n:2,", ".Work/cur/n:2,RS", ".Work.Old/new/n", "new/n,S=3"]
)
def test_P4_a_delivery_is_found_wherever_its_owner_put_it(folder: Path, place: str) -> None:
    for subfolder in (".Work", ".Work.Old"):
        create_maildir(folder / subfolder)
    (folder / place).write_bytes(b"x")
    (folder / "new" / "n2").write_bytes(b"other")
    assert find_delivery(folder, "n") == folder / place


def test_P4_half_written_or_similar_names_are_not_it(folder: Path) -> None:
    for place in ("tmp/n", "new/n2", "cur/nn:2,S"):
        (folder / place).write_bytes(b"x")
    assert find_delivery(folder, "n") is None


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b".", b"\r\n\r\n"]), max_size=12), st.data())
def test_F9_lines_are_stored_the_same_at_any_cut(parts: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(parts)
    places = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=4)))
    chunks = [octets[start:end] for start, end in zip([0, *places], [*places, len(octets)], strict=True)]
    assert b"".join(to_stored_lines(chunks)) == octets.replace(b"\r\n", b"\n")
