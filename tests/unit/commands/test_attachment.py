"""J-18, J-19: files attached, their types and names; what is no file, cannot be read, or changes."""

import base64
import os
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.commands.attachment import attach, find_charset
from paperpath.commands.exits import ExitError

OCTETS = bytes(range(256)) * 1000


@pytest.mark.parametrize("octets", [b"", b"x", b"x" * 57, b"x" * 58, OCTETS])
def test_J19_a_file_is_read_as_base64_in_short_lines(tmp_path: Path, octets: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(octets)
    with closing(attach(str(file))) as attachment:
        text = b"".join(attachment.read())
        assert text == b"".join(attachment.read())
    assert base64.b64decode(text) == octets
    assert not text.endswith(b"\r\n")
    assert max(map(len, text.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "application/pdf"),
        ("A.PNG", "image/png"),
        ("a", "application/octet-stream"),
        ("a.no-such-ending", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
        ("a.txt.bz2", "application/x-bzip2"),
        ("a.tar.xz", "application/x-xz"),
        ("a.svgz", "application/gzip"),
        ("a.tar.Z", "application/octet-stream"),
        ("a.eml", "application/octet-stream"),
        ("data:text,html;a.pdf", "application/pdf"),
        ("http:x?y#a.pdf", "application/pdf"),
    ],
)
def test_J19_the_type_is_told_by_the_name(tmp_path: Path, name: str, kind: str) -> None:
    assert header_of(tmp_path, name, OCTETS).startswith(
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n".encode()
    )


@pytest.mark.parametrize(
    ("octets", "charset"), [(b"a\n", "us-ascii"), ("ü\n".encode(), "utf-8"), (b"\xfc\n", "unknown-8bit")]
)
def test_J19_a_text_says_its_charset(tmp_path: Path, octets: bytes, charset: str) -> None:
    header = header_of(tmp_path, "a.txt", octets)
    assert header.startswith(f'Content-Type: text/plain; charset="{charset}"\r\n'.encode())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a.txt", b'filename="a.txt"'),
        ('ü ".txt'.encode(), b"filename*=utf-8''%C3%BC%20%22.txt"),
        (b"a\r\nBcc: x", b'filename="a??Bcc: x"'),
        (b"\xfc.txt", b'filename="?.txt"'),
        (b"\x1b[2J", b'filename="?[2J"'),
    ],
)
def test_J19_the_name_harms_nobody(tmp_path: Path, name: bytes, shown: bytes) -> None:
    header = header_of(tmp_path, os.fsdecode(name), OCTETS)
    assert header.endswith(b"\r\nContent-Disposition: attachment; " + shown + b"\r\n")


def header_of(folder: Path, name: str, octets: bytes) -> bytes:
    file = folder / name
    file.write_bytes(octets)
    with closing(attach(str(file))) as attachment:
        return attachment.write_header()


def test_J18_what_is_no_file_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    dangling = tmp_path / "link"
    dangling.symlink_to("nowhere")
    for word in (str(tmp_path), str(fifo), "/dev/zero", "/dev/null", str(dangling), "", f"{dangling}/x"):
        with pytest.raises(ExitError) as caught:
            attach(word)
        assert caught.value.exit_code == 66, word


def test_J18_what_takes_the_place_of_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()

    def open_another(path: Path, flags: int) -> int:
        path.unlink()
        os.mkfifo(path)
        return really_open(path, flags)

    really_open = os.open
    monkeypatch.setattr(os, "open", open_another)
    with pytest.raises(ExitError, match="this is no file") as caught:
        attach(str(file))
    assert caught.value.exit_code == 66


def test_J18_who_means_a_field_is_told_how() -> None:
    with pytest.raises(ExitError, match="-C adds a field") as caught:
        attach("X-Foo: bar")
    assert caught.value.exit_code == 66


def test_J19_what_cannot_be_read_says_so() -> None:
    with closing(attach("/proc/self/mem")) as attachment, pytest.raises(ExitError) as caught:  # EIO
        list(attachment.read())
    assert caught.value.exit_code == 74
    assert "'/proc/self/mem': cannot be read" in str(caught.value)


def test_J19_a_file_without_a_length_is_read_to_its_end() -> None:
    with closing(attach("/proc/self/limits")) as attachment:
        assert base64.b64decode(b"".join(attachment.read())) == Path("/proc/self/limits").read_bytes()


@pytest.mark.parametrize("length", [1, 300_000])
def test_J19_a_file_that_changes_while_it_is_read_is_not_sent(tmp_path: Path, length: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(OCTETS)
    with closing(attach(str(file))) as attachment:
        reading = attachment.read()
        next(reading)
        os.truncate(file, length)
        with pytest.raises(ExitError, match="changed while it was read") as caught:
            list(reading)
        assert caught.value.exit_code == 75
        assert base64.b64decode(b"".join(attachment.read())) == file.read_bytes()


@pytest.mark.parametrize(
    ("pieces", "charset"),
    [
        ([], "us-ascii"),
        ([b"a", b"b"], "us-ascii"),
        ([b"a", b"\xc3", b"\xbc", b"b"], "utf-8"),
        ([b"\xc3"], "unknown-8bit"),
        ([b"\xfc"], "unknown-8bit"),
        ([b"\xc3\xbc", b"a\xfc"], "unknown-8bit"),
    ],
)
def test_J19_a_charset_is_told_by_the_octets(pieces: list[bytes], charset: str) -> None:
    assert find_charset(pieces) == charset
