"""Files that people edit and programs trust: whatever stands in their place, who reads goes on (L-4, P6)."""

import os
from pathlib import Path

import pytest

from paperpath.service.guarded_text import GuardedTextError, read_guarded_text


def test_P6_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "rules"
    os.mkfifo(pipe)
    with pytest.raises(GuardedTextError, match="expected a file"):
        read_guarded_text(pipe, 100)


@pytest.mark.parametrize("place", ["folder", "nowhere"])
def test_what_is_no_file_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(GuardedTextError):
        read_guarded_text(tmp_path / place, 100)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    assert read_guarded_text(tmp_path / "link", 4) == "text"
