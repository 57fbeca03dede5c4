"""Lines are found wherever the chunks are cut (P9)."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.journal import search
from paperpath.journal.events import Released
from paperpath.journal.files import JournalFile, list_files
from paperpath.journal.lines import encode_event
from paperpath.journal.search import find_told


def write(folder: Path, octets: bytes) -> list[JournalFile]:
    (folder / "2026-11-22.smtprd.1").write_bytes(octets)
    return list_files(folder)


def find(files: list[JournalFile], *patterns: bytes, since_us: int = 0) -> list[int]:
    found = find_told(files, [re.compile(pattern) for pattern in patterns], since_us)
    return [told.event.recipients for told in found if isinstance(told.event, Released)]


@given(st.lists(st.integers(1, 1000), max_size=50), st.integers(1, 500))
def test_P9_chunks_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], chunk: int
) -> None:
    lines = "".join(encode_event(Released(number), 1) for number in numbers)
    files = write(tmp_path_factory.mktemp("journal"), lines.encode("ascii"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_CHUNK_OCTETS", chunk)
        assert find(files, b"released") == numbers
        # Each line once, whichever of the expressions it has.
        assert find(files, b":7", b"77", b'"event"') == numbers
        assert find(files, b":7") == [number for number in numbers if str(number).startswith("7")]


def test_P9_torn_and_foreign_lines_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_CHUNK_OCTETS", 64)
    monkeypatch.setattr(search, "_MOST_LINE_OCTETS", 200)
    good = encode_event(Released(1), 1).encode("ascii")
    octets = (
        good + good[:-9] + b"\n\n" + b"released" * 1000 + b"\n" + good + b"released\0\n" + good + good[:-5]
    )
    assert find(write(tmp_path, octets), b"released") == [1, 1, 1]


def test_P9_what_was_told_before_is_passed_over(tmp_path: Path) -> None:
    octets = "".join(encode_event(Released(moment), moment) for moment in (1, 5, 9))
    assert find(write(tmp_path, octets.encode("ascii")), b"released", since_us=5) == [5, 9]


def test_P9_a_file_that_is_removed_meanwhile_has_nothing(tmp_path: Path) -> None:
    files = write(tmp_path, b"")
    files[0].path.unlink()
    assert find(files, b"released") == []
