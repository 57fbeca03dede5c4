"""What programs of this host may hand in."""

import pytest

from paperpath.submission.canonical.standard_input import drop_mbox_line, split_message

MBOX = b"From nobody Thu Jan  1 00:00:00 1970\r\n"


@pytest.mark.parametrize(
    ("message", "header", "body"),
    [
        (b"A: b\r\nC: d\r\n\r\nbody\r\n", b"A: b\r\nC: d\r\n", b"body\r\n"),
        (b"A: b\r\nno field\r\n\r\nbody\r\n", b"A: b\r\n", b"no field\r\n\r\nbody\r\n"),
        (
            b"A: b\r\n folded\r\n\t \r\nText: http\r\nDear all,\r\n",
            b"A: b\r\n folded\r\n\t \r\nText: http\r\n",
            b"Dear all,\r\n",
        ),
        (b"body alone\r\n", b"", b"body alone\r\n"),
        (b" folded\r\nA: b\r\n", b"", b" folded\r\nA: b\r\n"),
        (b":\r\n", b"", b":\r\n"),
        (b"Bad name: x\r\n", b"", b"Bad name: x\r\n"),
        (b"A : b\r\n", b"A : b\r\n", b""),
        (b"\r\nA: b\r\n", b"", b"A: b\r\n"),
        (b"\r\n\r\nA: b\r\n", b"", b"\r\nA: b\r\n"),
        (b"", b"", b""),
        (MBOX + b"A: b\r\n", b"", MBOX + b"A: b\r\n"),
    ],
)
def test_B24_the_header_ends_before_the_first_line_that_is_no_field(
    message: bytes, header: bytes, body: bytes
) -> None:
    assert split_message(message) == (header, body)


def test_B24_sendmail_drops_the_line_of_an_mbox() -> None:
    assert drop_mbox_line(MBOX + b"A: b\r\n") == b"A: b\r\n"
    assert drop_mbox_line(b"From: a@b.example\r\n") == b"From: a@b.example\r\n"
    assert drop_mbox_line(b"From ") == b""
