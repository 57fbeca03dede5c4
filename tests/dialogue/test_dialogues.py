"""Dialogue files: each run on the core whole, octet by octet and cut at every place, and on the live relay.

Those of submission begin inside TLS, and behind it stand the accounts of tests/support/core.py.

`C: text` is a line the client sends, `C> octets` octets without a line end, both with Python's escapes;
`S: start` what the reply begins with, `|` between the lines of one reply; `#` a comment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.core import SETTINGS, SUBMISSION, converse, cuts
from tests.support.installation import Installation
from tests.support.wire import Wire

FILES = sorted((Path(__file__).parent / "files").glob("*.txt"))
# These run where everything is announced that is off by default.
EXTENDED_FILES = sorted((Path(__file__).parent / "files" / "extended").glob("*.txt"))
EXTENDED = replace(SETTINGS, dsn=True, binary=True)
# These run where three errors are allowed, and replies to recipients are held back.
LIMITED_FILES = sorted((Path(__file__).parent / "files" / "limited").glob("*.txt"))
LIMITED = replace(SETTINGS, errors=3)
SUBMISSION_FILES = sorted((Path(__file__).parent / "files" / "submission").glob("*.txt"))
EXTENDED_RELAY = "binarymime = true\ndsn_success = true"
LIMITED_RELAY = "tarpit = { after = 1, first_s = 0.01, step_s = 0.01 }\nlimits = { errors = 3 }"


@dataclass
class Step:
    """What the client sends, then what the server must answer."""

    sent: bytes
    expected: list[bytes]


def read_steps(file: Path) -> list[Step]:
    steps = [Step(b"", [])]
    for line in file.read_text(encoding="utf-8").splitlines():
        mark, text = line[:2], line[3:]
        if mark == "S:":
            steps[-1].expected.append(text.replace("|", "\r\n").encode())
        elif mark in {"C:", "C>"}:
            octets = text.encode().decode("unicode_escape").encode("latin-1")
            if steps[-1].expected:
                steps.append(Step(b"", []))
            steps[-1].sent += octets + (b"\r\n" if mark == "C:" else b"")
        else:
            assert mark[:1] == "#", f"{file.name}: {line}"
    return steps


def compare(file: Path, expected: list[bytes], replies: list[bytes]) -> None:
    assert len(replies) == len(expected), (file.name, replies)
    for wanted, reply in zip(expected, replies, strict=True):
        assert reply.startswith(wanted), (file.name, wanted, reply)


@pytest.mark.parametrize("file", FILES + EXTENDED_FILES, ids=lambda file: file.stem)
def test_dialogue_on_the_core_at_every_cut(file: Path) -> None:
    steps = read_steps(file)
    wire = b"".join(step.sent for step in steps)
    expected = [reply for step in steps for reply in step.expected]
    for segments in cuts(wire):
        settings = EXTENDED if file in EXTENDED_FILES else SETTINGS
        compare(file, expected, converse(segments, settings).replies)


@pytest.mark.parametrize("file", LIMITED_FILES, ids=lambda file: file.stem)
def test_limited_dialogue_on_the_core_at_every_cut(file: Path) -> None:
    steps = read_steps(file)
    wire = b"".join(step.sent for step in steps)
    expected = [reply for step in steps for reply in step.expected]
    for segments in cuts(wire):
        compare(file, expected, converse(segments, LIMITED).replies)


@pytest.mark.parametrize("file", SUBMISSION_FILES, ids=lambda file: file.stem)
def test_submission_dialogue_on_the_core_at_every_cut(file: Path) -> None:
    steps = read_steps(file)
    wire = b"".join(step.sent for step in steps)
    expected = [reply for step in steps for reply in step.expected]
    for segments in cuts(wire):
        compare(file, expected, converse(segments, SUBMISSION, encrypted=True).replies)


@contextmanager
def running(folder: Path, loop: str, more_relay: str) -> Iterator[Installation]:
    installation = Installation(folder, more_relay=more_relay)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERPATH_LOOP", loop)
        with installation.up():
            yield installation


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def relay(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Installation]:
    with running(tmp_path_factory.mktemp("relay"), request.param, "") as installation:
        yield installation


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def extended(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    with running(tmp_path_factory.mktemp("extended"), request.param, EXTENDED_RELAY) as installation:
        yield installation


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def limited(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    with running(tmp_path_factory.mktemp("limited"), request.param, LIMITED_RELAY) as installation:
        yield installation


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dialogue_on_the_live_relay(file: Path, relay: Installation) -> None:
    play(file, relay)


@pytest.mark.slow
@pytest.mark.parametrize("file", EXTENDED_FILES, ids=lambda file: file.stem)
def test_dialogue_on_the_live_relay_with_all_extensions(file: Path, extended: Installation) -> None:
    play(file, extended)


@pytest.mark.slow
@pytest.mark.parametrize("file", LIMITED_FILES, ids=lambda file: file.stem)
def test_dialogue_on_the_live_relay_with_limits(file: Path, limited: Installation) -> None:
    play(file, limited)


def play(file: Path, relay: Installation) -> None:
    with Wire(relay.port) as wire:
        for step in read_steps(file):
            wire.send(step.sent)
            compare(file, step.expected, [wire.reply() for _ in step.expected])
        assert wire.reply() == b""
