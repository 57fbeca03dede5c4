"""Dialogues of IMAP, on the core whole, octet by octet and cut at every place.

As in test_dialogues.py; and `E: start` is how an event begins that the driver is told. It lets in who is in
tests/support/core.py, and carries everything out but what has to do with the mailbox `refused`. A file begins
with `=` and the settings: full, bare or minus; in the clear, where `clear` stands behind.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from paperpath.imap.events import Event
from tests.support.core import cuts
from tests.support.imap_core import BARE, MINUS, SETTINGS, converse

FILES = sorted((Path(__file__).parent / "imap").glob("*.txt"))
ALL_SETTINGS = {"full": SETTINGS, "bare": BARE, "minus": MINUS}


@dataclass
class Script:
    """What a file says."""

    sent: bytes = b""
    answers: list[bytes] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    how: list[str] = field(default_factory=lambda: ["full"])


def read_script(file: Path) -> Script:
    script = Script()
    for line in file.read_text(encoding="utf-8").splitlines():
        mark, text = line[:2], line[3:]
        if mark == "S:":
            script.answers.append(text.encode())
        elif mark == "E:":
            script.told.append(text)
        elif mark in {"C:", "C>"}:
            octets = text.encode().decode("unicode_escape").encode("latin-1")
            script.sent += octets + (b"\r\n" if mark == "C:" else b"")
        elif mark[:1] == "=":
            script.how = line[1:].split()
        else:
            assert mark[:1] == "#", f"{file.name}: {line}"
    return script


def show(event: Event) -> str:
    """Show an event; of one that only wraps a command, the command."""
    return repr(getattr(event, "command", "") or event)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dialogue_on_the_imap_core_at_every_cut(file: Path) -> None:
    script = read_script(file)
    name, *clear = script.how
    for segments in cuts(script.sent):
        heard = converse(segments, ALL_SETTINGS[name], encrypted=not clear)
        compare(script.answers, heard.lines)
        compare(script.told, [show(event) for event in heard.told])


def compare(expected: list[Any], found: list[Any]) -> None:
    assert len(found) == len(expected), found
    for wanted, given in zip(expected, found, strict=True):
        assert given.startswith(wanted), (wanted, given)
