"""PREVIEW (RFC 8970)."""

import pytest
from hypothesis import given

from paperpath.imap.content.preview import MOST_CHARACTERS, make_preview
from tests.support.mime import Message, messages, text


def preview(content: bytes) -> str:
    message = Message(content)
    return make_preview(message.structure(), message.read)


HTML = "Content-Type: text/html; charset=utf-8\n\n"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("\nHello,\n> quoted\n\n  world\0!\n", "Hello, world!"),
        ("Content-Transfer-Encoding: base64\n\naGVsbG8=\n", "hello"),
        ("Content-Transfer-Encoding: x-none\n\nhello\n", ""),
        (
            HTML + "<title>t</title><style>p {}</style><p>a &lt;b&amp;<br>c<!-- d --></p> 1 < 2 <img",
            "a <b& c 1 < 2",
        ),
        (HTML + "<script>never closed", ""),
        ("Content-Type: image/png\n\nx", ""),
        ("Content-Type: text/plain\nContent-Disposition: attachment\n\nx", ""),
        ("Content-Type: message/rfc822\n\nSubject: x\n\nx", ""),
        (
            "Content-Type: multipart/mixed; boundary=a\n\npre\n--a\nContent-Type: image/png\n\nx\n"
            "--a\nContent-Type: text/plain; charset=utf-8\n\nGrüße\n--a--\n",
            "Grüße",
        ),
    ],
)
def test_a_preview_is_the_begin_of_the_text(content: str, shown: str) -> None:
    assert preview(text(content)) == shown


@given(messages)
def test_a_preview_is_one_short_line(message: bytes) -> None:
    shown = preview(b"\r\n" + message * 10)
    assert len(shown) <= MOST_CHARACTERS
    assert shown.isprintable()


def test_only_the_beginning_is_looked_at() -> None:
    message = Message(b"\r\n" + b"word " * 100_000)
    read = 0

    def read_counting(extent):
        nonlocal read
        for piece in message.read(extent):
            read += len(piece)
            yield piece

    assert preview(message.content) == make_preview(message.structure(), read_counting)
    assert 0 < read < 20_000
