"""Bodies: scanned as they pass, described in the header, encoded where they must be, and else left alone."""

import email
import email.policy
from dataclasses import replace
from typing import cast

import pytest

from paperpath.submission.canonical.body import NO_BODY
from paperpath.submission.canonical.form import canonicalize
from tests.support.canonical import RULES, SUBMITTED, WHOLE, Put, encode, put, refuse, scan, to_wire

SEVEN_BIT = replace(RULES, encode_8bit=True)
LONG = b"long " * 400 + b"\r\n"
MIME = WHOLE + "MIME-Version: 1.0\n"


def typed(kind: str, encoding: str = "") -> str:
    label = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    return f"{MIME}Content-Type: {kind}\n{label}"


def contents(done: Put) -> list[bytes]:
    """Return what others decode of the parts of a message."""
    message = email.message_from_bytes(done.made.header + b"\r\n" + done.body, policy=email.policy.compat32)
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [cast("bytes", part.get_payload(decode=True)) for part in parts]


def assert_can_be_sent(done: Put) -> None:
    assert max(map(len, done.body.split(b"\r\n"))) <= 998
    again = put(done.made.header, done.body)
    assert again.made.header is done.made.header
    assert again.made.encoder is None


# The scan


@pytest.mark.parametrize(
    "body", [b"", b"x", b"lines\r\n" * 500, b"x" * 998 + b"\r\n", b"x" * 998, b"\r\n\r\n"]
)
def test_a_body_in_short_lines_of_ascii_needs_nothing(body: bytes) -> None:
    assert scan(to_wire(WHOLE), [body]) == NO_BODY
    assert put(WHOLE, body).made.encoder is None


@pytest.mark.parametrize(
    "body", [b"x" * 999 + b"\r\n", b"x" * 999, b"a\r\n" + b"x" * 5000 + b"\r\nb", b"\r\n" * 600 + b"x" * 999]
)
def test_B23_long_lines_are_seen_however_they_are_cut(body: bytes) -> None:
    for size in (1, 2, 7, 500, 997, 998, 999, 1000, 1001, 10_000):
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        assert scan(b"", chunks).has_long_lines
        short = [chunk.replace(b"x", b"") for chunk in chunks]
        assert not scan(b"", short).has_long_lines


def test_long_lines_just_short_enough_are_not_seen() -> None:
    body = (b"x" * 998 + b"\r\n") * 5
    for size in (1, 2, 7, 500, 997, 998, 999, 1000, 1001, 10_000):
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        assert scan(b"", chunks) == NO_BODY


def test_B25_utf8_is_seen_however_it_is_cut() -> None:
    text = "aé€😀".encode()
    for cut in range(len(text)):
        facts = scan(b"", [text[:cut], text[cut:]])
        assert (facts.is_eight_bit, facts.is_utf8) == (True, True)
    assert not scan(b"", [text[:-1]]).is_utf8
    assert not scan(b"", [b"\xff"]).is_utf8


# Described


def test_B25_text_in_utf8_without_MIME_fields_gets_them() -> None:
    body = "é\r\n".encode()
    done = put(WHOLE, body)
    assert done.header == (
        f"{MIME}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
    )
    assert (done.body, done.made.is_eight_bit) == (body, True)
    assert_can_be_sent(done)


@pytest.mark.parametrize("header", [MIME, f"{WHOLE}Content-Type: text/x\n", f"{WHOLE}Content-ID: <a@b>\n"])
def test_B25_with_any_MIME_field_nothing_is_added(header: str) -> None:
    assert put(header, "é\r\n".encode()).header == header


def test_B25_what_is_no_utf8_is_not_called_so() -> None:
    done = put(WHOLE, b"\xe9\r\n")
    assert (done.header, done.body, done.made.is_eight_bit) == (WHOLE, b"\xe9\r\n", True)


# Long lines


def test_B23_a_long_line_of_text_becomes_quoted_printable() -> None:
    body = b"x" * 2000 + b"\r\nend \r\n"
    done = put(WHOLE, body)
    assert done.values("Content-Transfer-Encoding") == ["quoted-printable"]
    assert done.values("Content-Type") == ["text/plain; charset=us-ascii"]
    assert contents(done) == [body]
    assert done.changes == [
        "MIME-Version added",
        "Content-Type added",
        "Content-Transfer-Encoding added",
        "body encoded",
    ]
    assert_can_be_sent(done)


def test_B23_a_long_line_that_is_no_text_becomes_base64() -> None:
    done = put(typed("application/pdf", "7BIT"), LONG)
    assert done.values("Content-Transfer-Encoding") == ["base64"]
    assert contents(done) == [LONG]
    assert done.body.endswith(b"\r\n")
    assert_can_be_sent(done)


def test_B23_what_is_encoded_already_only_gets_shorter_lines() -> None:
    done = put(typed("text/plain", "quoted-printable"), b"=41" * 1000 + b"\r\n")
    assert contents(done) == [b"A" * 1000 + b"\r\n"]
    assert done.changes == ["body encoded"]
    assert_can_be_sent(done)
    done = put(typed("image/png", "base64"), b"QUFB" * 1000 + b"\r\n")
    assert contents(done) == [b"AAA" * 1000]
    assert_can_be_sent(done)


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


TEXT = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
PDF = b"Content-Type: application/pdf\r\n\r\n"


def test_B23_only_the_part_that_needs_it_is_encoded() -> None:
    body = multipart(TEXT + "é short".encode(), TEXT + LONG, PDF + b"short", PDF + LONG)
    done = put(typed("multipart/mixed; boundary=b", "8bit"), body)
    assert contents(done) == ["é short".encode(), LONG, b"short", LONG]
    assert done.body.count(b"quoted-printable") == done.body.count(b"base64") == 1
    assert done.body.startswith(multipart(TEXT + "é short".encode())[: -len(b"--b--\r\n")])
    assert done.values("Content-Transfer-Encoding") == ["8bit"]
    assert_can_be_sent(done)


@pytest.mark.parametrize("kind", ["signed", "encrypted"])
def test_B23_signed_and_encrypted_parts_are_never_encoded(kind: str) -> None:
    sealed = f"Content-Type: multipart/{kind}; boundary=s\r\n\r\n--s\r\n\r\n".encode() + LONG + b"--s--"
    reply = refuse(typed("multipart/mixed; boundary=b"), multipart(sealed))
    assert reply.startswith(
        "554 5.6.0 A line of the body has more than 998 octets in a part that is signed or"
    )
    assert refuse(typed(f"multipart/{kind}; boundary=b"), multipart(TEXT + LONG)).startswith(
        "554 5.6.0 A line"
    )
    eight_bit = multipart(sealed.replace(LONG, "é\r\n".encode()), TEXT + "é".encode())
    done = put(typed("multipart/mixed; boundary=b", "8bit"), eight_bit, rules=SEVEN_BIT)
    assert (done.changes, done.body, done.made.is_eight_bit) == ([], eight_bit, True)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (typed("message/delivery-status"), LONG),
        (typed("multipart/mixed"), LONG),
        (typed("text/plain", "x-uuencode"), LONG),
        (typed("text/plain", "base64"), b"\xff" + LONG),
        (typed("text/plain") + "Content-Type: text/html\n", LONG),
        (typed("multipart/mixed; boundary=b"), LONG + multipart(TEXT)),
        (typed("multipart/mixed; boundary=b"), multipart(b"X: " + LONG + b"\r\nx")),
        (typed("multipart/mixed; boundary=b"), multipart(TEXT + LONG + b"--bb\r\n")),
        (typed("multipart/mixed; boundary=b", "base64"), multipart(TEXT + LONG)),
    ],
)
def test_B23_where_nothing_may_be_encoded_long_lines_are_refused(header: str, body: bytes) -> None:
    assert refuse(header, body).startswith("554 5.6.0 A line of the body has more than 998 octets")


def test_B23_messages_are_gone_into() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n" + LONG
    done = put(typed("multipart/mixed; boundary=b"), multipart(inner))
    assert contents(done) == [LONG]
    assert (
        b"Subject: inner\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        in done.body
    )
    assert_can_be_sent(done)


# 7-bit


def test_X5_submission_may_encode_what_is_eight_bit() -> None:
    parts = TEXT + "é\r\n".encode() * 5, PDF + bytes(range(128, 256)), TEXT + b"plain"
    body = multipart(*parts)
    header = typed("multipart/mixed; boundary=b", "8bit")
    assert put(header, body).body == body
    done = put(header, body, rules=SEVEN_BIT)
    assert done.body.isascii()
    assert not done.made.is_eight_bit
    assert contents(done) == [part.partition(b"\r\n\r\n")[2] for part in parts]
    assert done.values("Content-Transfer-Encoding") == ["7bit"]
    assert done.changes == [
        "Content-Transfer-Encoding made to say how the body is encoded now",
        "body encoded",
    ]
    assert_can_be_sent(done)


def test_X5_text_without_MIME_fields_is_encoded() -> None:
    done = put(WHOLE, "é\r\n".encode(), rules=SEVEN_BIT)
    assert done.body == b"=C3=A9\r\n"
    assert done.values("Content-Transfer-Encoding") == ["quoted-printable"]
    assert done.values("Content-Type") == ["text/plain; charset=utf-8"]


@pytest.mark.parametrize("preamble", ["é\r\n".encode(), b"--b\r\nX: \xc3\xa9\r\n\r\n\r\n"])
def test_X5_what_cannot_become_seven_bit_is_not_encoded_in_part(preamble: bytes) -> None:
    body = preamble + multipart(TEXT + "é".encode())
    done = put(typed("multipart/mixed; boundary=b", "8bit"), body, rules=SEVEN_BIT)
    assert (done.body, done.changes) == (body, [])


def test_X5_with_SMTPUTF8_nothing_is_encoded() -> None:
    done = put(
        typed("text/plain; charset=utf-8", "8bit"), "é\r\n".encode(), rules=SEVEN_BIT, international=True
    )
    assert (done.changes, done.made.is_eight_bit) == ([], True)


def test_B27_a_signed_body_is_encoded_only_if_its_lines_are_too_long() -> None:
    header = "DKIM-Signature: v=1; h=from\n" + typed("text/plain; charset=utf-8", "8bit")
    done = put(header, "é\r\n".encode(), rules=SEVEN_BIT)
    assert (done.header, done.changes) == (header, ["body left as it is, for it is signed"])
    done = put(header, LONG)
    assert done.changes[-2:] == ["body encoded", "body changed although it is signed"]


# However it is cut


def test_an_encoder_writes_the_same_however_the_body_is_cut() -> None:
    header = to_wire(typed("multipart/mixed; boundary=b", "8bit"))
    parts = TEXT + "é ".encode() * 40, PDF + bytes(range(128, 256)) + b"\r\n\r\n", TEXT + b"-" * 1100
    body = multipart(*parts)
    expected = put(header, body, rules=SEVEN_BIT).body
    facts = scan(header, [body])
    cuts = [[body[:cut], body[cut:]] for cut in range(0, len(body), 3)]
    for chunks in (*cuts, [bytes([octet]) for octet in body]):
        assert scan(header, chunks) == facts
        encoder = canonicalize(header, facts, SUBMITTED, SEVEN_BIT).encoder
        assert encoder is not None
        assert encode(encoder, chunks) == expected
