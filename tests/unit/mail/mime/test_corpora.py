"""Messages that others wrote, where there are any: torture tests, and real mail (K-14)."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.mail.mime.structure import read_structure
from tests.fuzz.fuzz_mime import check

_CORPORA = Path(os.environ.get("PAPERPATH_CORPORA", "/nowhere"))
_MOST_OCTETS = 1_000_000


def find_messages() -> Iterator[tuple[Path, bytes]]:
    if not _CORPORA.is_dir():
        pytest.skip("PAPERPATH_CORPORA names no folder of messages")
    for file in sorted(_CORPORA.rglob("*")):
        if file.is_file() and file.stat().st_size < _MOST_OCTETS:
            yield file, re.sub(rb"\r?\n", b"\r\n", file.read_bytes())


@pytest.mark.slow
def test_K14_the_sections_of_real_mail_agree_with_its_structure() -> None:
    for file, message in find_messages():
        try:
            check(message)
        except AssertionError as error:
            raise AssertionError(str(file)) from error


@pytest.mark.slow
def test_K14_real_multiparts_are_taken_apart() -> None:
    whole = [read_structure([message]) for _, message in find_messages()]
    multiparts = [part for part in whole if part.is_multipart]
    assert len(multiparts) > 50
    assert sum(len(part.children) > 1 for part in multiparts) > 0.5 * len(multiparts)
