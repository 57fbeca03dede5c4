"""J-2, J-3, J-13: a message read from a file descriptor, to its end or not at all."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from paperpath.commands.exits import ExitError
from paperpath.commands.handed_message import read_message


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(tmp_path: Path, octets: bytes, *, ends_at_dot: bool = False) -> tuple[bytes, bytes, int, bool]:
    (tmp_path / "letter").write_bytes(octets)
    with (
        opened(tmp_path / "letter") as descriptor,
        closing(read_message(descriptor, ends_at_dot=ends_at_dot)) as message,
    ):
        whole = b"".join(message.read())
        assert whole == b"".join(message.read())
        body = b"".join(message.read_body())
        assert whole == message.header + b"\r\n" + body
        assert message.size == len(whole)
        return message.header, body, message.size, message.has_8bit


@pytest.mark.parametrize(
    ("octets", "header", "body"),
    [
        (b"S: x\n\na\n", b"S: x\r\n", b"a\r\n"),
        (b"S: x\n\na", b"S: x\r\n", b"a\r\n"),
        (b"S: x\n", b"S: x\r\n", b""),
        (b"S: x\n y\n\n", b"S: x\r\n y\r\n", b""),
        (b"\na\n", b"", b"a\r\n"),
        (b"no field\nS: x\n", b"", b"no field\r\nS: x\r\n"),
        (b"S: x\nno field\n", b"S: x\r\n", b"no field\r\n"),
        (b"From me Mon Jan 1\nS: x\n\na\n", b"S: x\r\n", b"a\r\n"),
        (b"", b"", b""),
    ],
)
def test_B24_header_and_body_are_told_apart(
    tmp_path: Path, octets: bytes, header: bytes, body: bytes
) -> None:
    assert read(tmp_path, octets)[:2] == (header, body)


def test_J2_a_dot_ends_it_only_where_it_is_asked_to(tmp_path: Path) -> None:
    octets = b"S: x\n\na\n.\nb\n"
    assert read(tmp_path, octets, ends_at_dot=True)[1] == b"a\r\n"
    assert read(tmp_path, octets)[1] == b"a\r\n.\r\nb\r\n"


@pytest.mark.parametrize("end", [b"\n", b"", "ü\n".encode()])
def test_a_long_message_waits_in_a_file(tmp_path: Path, end: bytes) -> None:
    line = b"0123456789" * 7 + b"\n"
    body = line * 60_000 + end
    header, found, size, has_8bit = read(tmp_path, b"S: x\n\n" + body)
    assert (header, size) == (b"S: x\r\n", len(found) + 8)
    assert found == body.replace(b"\n", b"\r\n")
    assert has_8bit == (not end.isascii())


@pytest.mark.parametrize(
    "octets",
    [
        b"S: x\n y\n" * 400_000,
        b"S: x\n" * 10 + b"T: " + b"x" * 3_000_000 + b"\n\na\n",
        b"S:\n" + b" x\n" * 999_999,
    ],
)
def test_a_header_without_end_is_refused_and_never_cut(tmp_path: Path, octets: bytes) -> None:
    with pytest.raises(ExitError, match="header does not end") as caught:
        read(tmp_path, octets)
    assert caught.value.exit_code == 65


def test_J3_a_bare_cr_is_bad_data(tmp_path: Path) -> None:
    with pytest.raises(ExitError, match="a CR") as caught:
        read(tmp_path, b"S: x\n\na\rb\n")
    assert caught.value.exit_code == 65


def test_J12_J13_input_that_fails_is_no_end() -> None:
    with pytest.raises(ExitError) as caught, opened(Path("/proc/self/mem")) as descriptor:
        read_message(descriptor, ends_at_dot=False)  # EIO
    assert caught.value.exit_code == 74
    with pytest.raises(ExitError) as caught, opened(Path("/")) as descriptor:
        read_message(descriptor, ends_at_dot=False)
    assert caught.value.exit_code == 74
    with pytest.raises(ExitError) as caught:
        read_message(999, ends_at_dot=False)
    assert caught.value.exit_code == 66
