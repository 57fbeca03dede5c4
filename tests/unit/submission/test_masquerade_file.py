"""The masquerade table on disk."""

from pathlib import Path

import pytest

from paperpath.mail.address import Mailbox
from paperpath.submission.masquerade_file import MasqueradeFileError, load_masquerade


def complaint(file: Path) -> str:
    with pytest.raises(MasqueradeFileError) as caught:
        load_masquerade(file, (), "example.org")
    return str(caught.value)


def test_B20_the_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "masquerade"
    file.write_text("jru J.Random.User@example.org\n", encoding="utf-8")
    assert load_masquerade(file, (), "example.org").users == {"jru": Mailbox("J.Random.User", "example.org")}


def test_L4_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "masquerade"
    file.touch()
    file.chmod(0o646)
    assert complaint(file) == f"{file}: every user of this host may write it; run: chmod o-w {file}"


def test_mistakes_are_named_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "masquerade"
    assert complaint(file) == f"{file}: cannot be read: No such file or directory"
    file.write_bytes(b"a b@c.example\nx\ny\n")
    first, second = complaint(file).splitlines()
    assert first.startswith(f"{file}:2: expected a local part")
    assert second.startswith(f"{file}:3: expected a local part")
    file.write_bytes(b"a b@c.example\n\xff\n")
    assert complaint(file) == f"{file}:2: expected UTF-8, got the octet 0xff"
