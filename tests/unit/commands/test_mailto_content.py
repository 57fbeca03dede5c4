"""J-19: a text and what is attached to it as the parts of one message, which Python reads."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.commands.attachment import attach
from paperpath.commands.direct_submission import Content, Submission, submit_directly
from paperpath.commands.handed_message import HandedMessage, read_text
from paperpath.commands.mailto_content import _holds, choose_boundary, make_content
from paperpath.commands.plain_configuration import PlainConfiguration, parse_plain
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient
from tests.support.drop import make_folders, read_drop

HEADER = b"Subject: x\r\n"
TOKEN = "0cafe"
OCTETS = bytes(range(256)) * 4096


@contextmanager
def read(text: bytes) -> Iterator[HandedMessage]:
    with TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        with closing(read_text(file.fileno(), ends_at_dot=False)) as handed:
            yield handed


def make(text: bytes, *files: Path, header: bytes = HEADER, content_fields: bytes = b"") -> bytes:
    with ExitStack() as opened:
        attachments = [opened.enter_context(closing(attach(str(file)))) for file in files]
        handed = opened.enter_context(read(text))
        content: Content = make_content(header, content_fields, handed, attachments, TOKEN)
        body = b"".join(content.read_body())
        assert body == b"".join(content.read_body())
        return content.header + b"\r\n" + body


def parse(octets: bytes) -> EmailMessage:
    message = message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


@pytest.mark.parametrize("text", [b"", b"Hi\r\n", "Grüße\r\n".encode()])
def test_B26_a_text_alone_is_left_to_the_canonical_form(text: bytes) -> None:
    assert make(text.replace(b"\r", b"")) == HEADER + b"\r\n" + text


def test_J19_a_text_in_octets_that_nobody_knows_says_so() -> None:
    message = make(b"Gr\xfc\xdfe\n")
    assert message == (
        HEADER + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe\r\n"
    )


def test_J17_fields_about_the_content_stand_with_the_text(tmp_path: Path) -> None:
    kind = b"Content-Type: text/html; charset=utf-8\r\n"
    encoding = b"Content-Transfer-Encoding: 7bit\r\n"
    assert make(b"<p>\n", content_fields=kind) == (
        HEADER + b"MIME-Version: 1.0\r\n" + kind + encoding + b"\r\n<p>\r\n"
    )
    (tmp_path / "a").write_bytes(b"")
    message = make(b"<p>\n", tmp_path / "a", content_fields=kind, header=HEADER + b"Mime-Version: 1.0\r\n")
    assert message.lower().count(b"mime-version") == 1
    assert b"\r\n--=_0cafe.0\r\n" + kind + encoding + b"\r\n<p>\r\n" in message


@pytest.mark.parametrize("text", [b"", b"Hi", "Grüße\n\n".encode(), b"--\n", b"x\n" * 1_500_000])
def test_J19_parts_arrive_as_they_are(tmp_path: Path, text: bytes) -> None:
    names = ['ü ".txt', "a.bin", "empty"]
    for name, octets in zip(names, ("ü\n".encode(), OCTETS, b""), strict=True):
        (tmp_path / name).write_bytes(octets)
    message = parse(make(text, *(tmp_path / name for name in names)))
    assert message["Content-Type"] == 'multipart/mixed; boundary="=_0cafe.0"'
    assert message["MIME-Version"] == "1.0"
    assert message["Content-Transfer-Encoding"] == (None if text.isascii() else "8bit")
    first, *others = message.iter_parts()
    whole = text if text.endswith(b"\n") or not text else text + b"\n"
    assert first.get_payload(decode=True) == whole.replace(b"\n", b"\r\n")
    assert first.get_content_charset() == ("us-ascii" if text.isascii() else "utf-8")
    assert [part.get_filename() for part in others] == names
    assert [part.get_content_type() for part in others] == [
        "text/plain",
        "application/octet-stream",
        "application/octet-stream",
    ]
    assert [part.get_payload(decode=True) for part in others] == ["ü\n".encode(), OCTETS, b""]


@pytest.mark.parametrize("before", [b"", b"x" * 65_530, b"x" * 65_535, b"x\n" * 1_100_000])
def test_J19_the_boundary_stands_nowhere_in_the_text(before: bytes) -> None:
    with read(before + b"\n--=_0cafe.0\n--=_0cafe.1 \n") as text:
        assert choose_boundary(text, TOKEN) == "=_0cafe.2"
    with read(before) as text:
        assert choose_boundary(text, TOKEN) == "=_0cafe.0"


def test_J19_nor_where_pieces_meet() -> None:
    octets = b"ab=_0cafe.0cd"
    for cut in range(len(octets)):
        assert _holds([octets[:cut], octets[cut:]], b"=_0cafe.0")
    assert _holds((bytes([octet]) for octet in octets), b"=_0cafe.0")
    assert not _holds([octets], b"=_0cafe.1")


ME = Mailbox("me", "here.example")


def configure(folder: Path, *, encode_8bit: bool) -> PlainConfiguration:
    document = {
        "hostname": "mx.here.example",
        "post_office": {"postmaster": "admin@here.example"},
        "canonical": {"encode_8bit": encode_8bit},
    }
    return parse_plain(document, folder / "paperpath.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "data").mkdir()
    make_folders(folder / "data")
    return folder


LINES = st.sampled_from(
    [b"\n", b"--", b"=_0cafe.0", b"From ", b".", b"=", b" ", b"x" * 1100, "ü".encode(), b"\xff"]
)


@settings(max_examples=60)
@given(st.lists(LINES).map(b"".join), st.lists(st.binary(max_size=200), max_size=3), st.booleans())
def test_J19_whatever_is_sent_arrives(
    folder: Path, text: bytes, files: list[bytes], encode_8bit: bool
) -> None:
    configuration = configure(folder, encode_8bit=encode_8bit)
    paths = [folder / f"{number}.txt" for number in range(len(files))]
    for path, octets in zip(paths, files, strict=True):
        path.write_bytes(octets)
    with ExitStack() as opened:
        attachments = [opened.enter_context(closing(attach(str(path)))) for path in paths]
        content = make_content(HEADER, b"", opened.enter_context(read(text)), attachments, TOKEN)
        submission = Submission(ME, ME, (Recipient(ME),))
        name = submit_directly(configuration, submission, content)
    _, octets = read_drop(configuration.drop_folder, name)
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert octets.isascii() or not encode_8bit
    message = message_from_bytes(octets, policy=default)
    first, *others = message.iter_parts() if files else [message]
    whole = text if text.endswith(b"\n") or not text else text + b"\n"
    assert first.get_payload(decode=True) == whole.replace(b"\n", b"\r\n")
    assert [part.get_payload(decode=True) for part in others] == files
