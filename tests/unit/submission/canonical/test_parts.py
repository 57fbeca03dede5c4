"""The parts of a body, told apart however it is cut."""

import pytest

from paperpath.submission.canonical.mime import UNKNOWN, MimeFacts, read_mime_facts
from paperpath.submission.canonical.parts import MOST_PARTS, PartWalker, Role

NESTED = (
    b"preamble\r\n--b\r\nContent-Type: text/html\r\n\r\none\r\n\r\n--b\t \r\n"
    b"Content-Type: multipart/signed;\r\n boundary=s\r\n\r\n--s\r\n\r\ntwo\r\n--b-not\r\n--s--\r\nafter\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: text/x\r\n\r\n--four\r\n"
    b"--b--\r\nend"
)
MIXED = MimeFacts("multipart/mixed", "7bit", b"b")

Seen = list[tuple[int, str, bool, Role, bytes]]


def walk(mime: MimeFacts, chunks: list[bytes]) -> tuple[Seen, bool]:
    walker = PartWalker(mime)
    seen: Seen = []
    for piece in [piece for chunk in chunks for piece in walker.feed(chunk)] + walker.finish():
        part = piece.part
        key = part.number, part.mime.kind, part.is_sealed, piece.role
        if seen and seen[-1][:4] == key:
            seen[-1] = *key, seen[-1][4] + piece.octets
        else:
            seen.append((*key, piece.octets))
    return seen, walker.is_ambiguous


def test_B23_parts_are_told_apart() -> None:
    seen, is_ambiguous = walk(MIXED, [NESTED])
    assert [
        (number, kind, is_sealed, octets)
        for number, kind, is_sealed, role, octets in seen
        if role is Role.BODY
    ] == [
        (1, "text/html", False, b"one\r\n"),
        (3, "text/plain", True, b"two\r\n--b-not"),
        (5, "text/x", False, b"--four"),
    ]
    assert is_ambiguous  # the line "--b-not"
    assert b"".join(octets for *_, octets in seen) == NESTED
    headers = [(number, octets) for number, _, _, role, octets in seen if role is Role.HEADER]
    assert headers == [
        (1, b"Content-Type: text/html\r\n\r\n"),
        (2, b"Content-Type: multipart/signed;\r\n boundary=s\r\n\r\n"),
        (3, b"\r\n"),
        (4, b"Content-Type: message/rfc822\r\n\r\n"),
        (5, b"Subject: x\r\nContent-Type: text/x\r\n\r\n"),
    ]


def test_parts_are_the_same_however_the_body_is_cut() -> None:
    expected = walk(MIXED, [NESTED])
    for cut in range(len(NESTED)):
        assert walk(MIXED, [NESTED[:cut], NESTED[cut:]]) == expected
    assert walk(MIXED, [bytes([octet]) for octet in NESTED]) == expected


@pytest.mark.parametrize(
    ("body", "bodies"),
    [
        (b"--b\r\n\r\n--b--", []),
        (b"--b\r\n--b\r\n\r\nx\r\n--b--", [(2, b"x")]),
        (b"--b\r\n\r\n\r\n--b--", []),
        (b"--b\r\n\r\n\r\n\r\n--b--", [(1, b"\r\n")]),
        (b"--b\r\n\r\nx", [(1, b"x")]),
        (b"--b\r\nA: b", []),
        (b"--b--\r\n--b\r\n\r\nx", []),
        (b"no delimiter\r\n", []),
        (b"--b\r\n\r\nx--b\r\n y\r\n--b--", [(1, b"x--b\r\n y")]),
        (b"--b\r\nContent-Type: message/rfc822\r\n--b\r\n\r\nx\r\n--b--", [(2, b"x")]),
        (b"--b\r\nContent-Type: multipart/x; boundary=b\r\n\r\nx\r\n--b--", [(1, b"x")]),
        (
            b"--b\r\nContent-Type: multipart/x; boundary=c\r\nContent-Transfer-Encoding: base64\r\n"
            b"\r\n--c\r\n--b--",
            [(1, b"--c")],
        ),
    ],
)
def test_odd_bodies_are_told_apart(body: bytes, bodies: list[tuple[int, bytes]]) -> None:
    seen, _ = walk(MIXED, [body])
    assert [(number, octets) for number, _, _, role, octets in seen if role is Role.BODY] == bodies
    assert b"".join(octets for *_, octets in seen) == body


def test_a_body_without_parts_is_one() -> None:
    seen, _ = walk(MimeFacts("text/plain", "7bit"), [b"--b\r", b"\n\r\nx"])
    assert seen == [(0, "text/plain", False, Role.BODY, b"--b\r\n\r\nx")]


def test_a_message_in_a_message_has_a_header() -> None:
    seen, _ = walk(MimeFacts("message/rfc822", "8bit"), [b"A: b\r\n\r\nx"])
    assert [(number, role, octets) for number, _, _, role, octets in seen] == [
        (1, Role.HEADER, b"A: b\r\n\r\n"),
        (1, Role.BODY, b"x"),
    ]


def test_S10_what_is_too_much_is_one_part_unread() -> None:
    for body in (
        b"--b\r\n\r\nx\r\n" * (MOST_PARTS + 100),
        b"--b\r\n" + b"A: b\r\n" * 20_000 + b"\r\nx\r\n--b\r\n",
        b"--b\r\n" + b"A" * 100_000 + b"\r\n\r\nx\r\n--b\r\n",
        b"--b\r\nContent-Type: multipart/x; boundary=b\r\n\r\n" * 100,
    ):
        seen, _ = walk(MIXED, [body])
        assert b"".join(octets for *_, octets in seen) == body
        assert len(seen) <= 3 * MOST_PARTS + 10


def test_S10_multiparts_nest_to_a_depth() -> None:
    body = b"".join(
        b"--%d\r\nContent-Type: multipart/x; boundary=%d\r\n\r\n" % (n, n + 1) for n in range(1000)
    )
    seen, _ = walk(MimeFacts("multipart/mixed", "7bit", b"0"), [body])
    assert b"".join(octets for *_, octets in seen) == body


@pytest.mark.parametrize(
    ("header", "facts"),
    [
        ("", MimeFacts("text/plain", "7bit")),
        ("Content-Type: TEXT/HTML\nContent-Transfer-Encoding: 8BIT ", MimeFacts("text/html", "8bit")),
        (
            'Content-Type: multipart/mixed;\n\tx="y;\\"z"; BOUNDARY="a\\b c"',
            MimeFacts("multipart/mixed", "7bit", b"ab c"),
        ),
        ("Content-Type: multipart/x; boundary=a=b;", MimeFacts("multipart/x", "7bit", b"a=b")),
        ("Content-Type: multipart/x", MimeFacts(UNKNOWN, "7bit")),
        ("Content-Type: multipart/x; boundary=a; boundary=b", MimeFacts(UNKNOWN, "7bit")),
        ("Content-Type: multipart/x; boundary*=utf-8''a", MimeFacts(UNKNOWN, "7bit")),
        ("Content-Type: multipart/x; boundary*0=a; boundary*1=b", MimeFacts(UNKNOWN, "7bit")),
        ("Content-Type: multipart/x; boundary=a (b)", MimeFacts(UNKNOWN, "7bit")),
        ('Content-Type: multipart/x; boundary="a "', MimeFacts(UNKNOWN, "7bit")),
        ("Content-Type: text/plain; charset=a; nonsense (", MimeFacts("text/plain", "7bit")),
        ("Content-Type: text", MimeFacts(UNKNOWN, "7bit")),
        ("Content-Type: a/b\nContent-Type: a/b", MimeFacts(UNKNOWN, "7bit")),
        (
            "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: 8bit",
            MimeFacts("text/plain", UNKNOWN),
        ),
    ],
)
def test_mime_fields_are_read_strictly(header: str, facts: MimeFacts) -> None:
    assert read_mime_facts((header + "\n").replace("\n", "\r\n").encode()) == facts
