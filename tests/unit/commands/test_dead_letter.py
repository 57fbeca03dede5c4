"""J-1: what could not be sent is kept, whole or not at all."""

import fcntl
import mailbox
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.commands import dead_letter
from paperpath.commands.dead_letter import find_dead_letter, keep

LETTER = b"Subject: x\r\n\r\na\r\nFrom here\r\nb\r\n"


def test_J1_messages_are_appended_as_an_mbox(tmp_path: Path) -> None:
    file = tmp_path / "dead.letter"
    keep(file, [LETTER], ["u@x.example", "not\nthis"])
    keep(file, [LETTER[:14], LETTER[14:18], *(bytes([octet]) for octet in LETTER[18:])], [])
    box = mailbox.mbox(file)
    first, second = list(box)
    assert first.get_all("X-Envelope-To") == ["u@x.example"]
    assert second.get_all("X-Envelope-To") is None
    for message in (first, second):
        assert message["Subject"] == "x"
        assert message.get_payload() == "a\n>From here\nb\n"
    box.close()
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"\r" not in file.read_bytes()


def test_J1_who_holds_the_lock_for_ever_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter, "_PATIENCE_S", 0)
    file = tmp_path / "dead.letter"
    file.touch(0o644)
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        keep(file, [LETTER], ["u@x.example"])
    assert file.read_bytes().endswith(b"\n\na\n>From here\nb\n\n")


def test_J1_what_cannot_be_kept_whole_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "dead.letter"
    keep(file, [LETTER], [])
    before = file.read_bytes()

    def read() -> Iterator[bytes]:
        yield LETTER * 1000
        raise OSError("it cannot be read")

    with pytest.raises(OSError, match="cannot be read"):
        keep(file, read(), [])
    assert file.read_bytes() == before


def test_L4_no_link_is_followed_and_nothing_but_a_file_is_written(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(elsewhere)
    os.mkfifo(pipe)
    for file in (link, pipe, tmp_path):
        with pytest.raises(OSError):  # noqa: PT011 - each for a reason of its own
            keep(file, [LETTER], [])
    assert elsewhere.read_text() == "mine"


def test_the_file_is_at_home() -> None:
    assert find_dead_letter({"HOME": "/home/joe"}) == Path("/home/joe/dead.letter")
    assert find_dead_letter({}).name == "dead.letter"
