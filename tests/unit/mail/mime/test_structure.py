"""The structure of messages of any shape, in one pass (K-14, S-11)."""

import tracemalloc

import pytest
from hypothesis import given

from paperpath.mail.mime.part import Extent, Part, pack_part, unpack_part
from paperpath.mail.mime.structure import MOST_DEPTH, MOST_PARTS, read_structure
from tests.fuzz.fuzz_mime import check_structure, each_part
from tests.support.mime import messages, structure_of, text

ALL_SHAPES = text("""\
From: a@b.example
Content-Type: multipart/mixed; boundary="a"

preamble
--a

one
--a
Content-Type: message/rfc822

Subject: x
Content-Type: multipart/digest; boundary=ab

--ab

Subject: inner

body
--ab--
epilogue
--a
Content-Type: text/html; charset=utf-8
Content-ID: <c@x>
Content-Language: de, en
Content-Disposition: attachment; filename="a \\" b"

<p>
--a--
behind
""")


def names(part: Part) -> object:
    return (
        (part.media.name.decode(), [names(child) for child in part.children])
        if part.children
        else (part.media.name.decode())
    )


def body(message: bytes, part: Part) -> bytes:
    return message[slice(*part.body)]


def test_K14_a_message_of_many_kinds() -> None:
    whole = structure_of(ALL_SHAPES)
    inner = ("message/rfc822", ["text/plain"])
    digest = ("message/rfc822", [("multipart/digest", [inner])])
    assert names(whole) == ("multipart/mixed", ["text/plain", digest, "text/html"])
    one, message, page = whole.children
    assert body(ALL_SHAPES, one) == b"one"
    assert one.lines == 0
    assert body(ALL_SHAPES, message).endswith(b"--ab--\r\nepilogue")
    assert message.lines == 9
    assert message.inner is not None
    assert message.inner.envelope == b"Subject: x\r\n"
    assert body(ALL_SHAPES, page) == b"<p>"
    assert page.about.languages == (b"de", b"en")
    assert page.about.disposition is not None
    assert page.about.disposition.parameters == ((b"filename", b'a " b'),)
    assert whole.envelope == b"From: a@b.example\r\n"


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        (b"", "text/plain"),
        (b"no header at all", "text/plain"),
        (b"Content-Type: nonsense\r\n\r\n", "text/plain"),
        (b"Content-Type: multipart/mixed\r\n\r\n--\r\n", "text/plain"),
        (b"Content-Type: multipart/mixed; boundary=a\r\n\r\n", ("multipart/mixed", ["text/plain"])),
        (b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a--", ("multipart/mixed", ["text/plain"])),
        (b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a", ("multipart/mixed", ["text/plain"])),
        (b"Content-Type: message/rfc822", ("message/rfc822", ["text/plain"])),
    ],
)  # fmt: skip
def test_K14_whatever_comes_has_a_structure(message: bytes, shape: object) -> None:
    assert names(structure_of(message)) == shape


def test_K14_a_boundary_that_begins_like_another_one_is_another_one() -> None:
    message = text(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n"
        "--ab\n\n1\n--ab  \n\n2\n--ab--\n--a\n\n3\n--abc\n--a--\n--a\n"
    )
    whole = structure_of(message)
    assert names(whole) == ("multipart/mixed", [("multipart/mixed", ["text/plain"] * 2), "text/plain"])
    assert [body(message, part) for part in each_part(whole) if not part.children] == [
        b"1",
        b"2",
        b"3\r\n--abc",
    ]


def test_K14_of_equal_boundaries_the_innermost_is_meant() -> None:
    kind = "Content-Type: multipart/mixed; boundary=a\n\n"
    message = text(f"{kind}--a\n{kind}--a\n\n1\n--a\n\n2\n--a--\n--a\n\n3\n--a--\n")
    inner = ("multipart/mixed", ["text/plain"] * 2)
    assert names(structure_of(message)) == ("multipart/mixed", [inner, "text/plain"])


def test_K14_the_delimiter_of_an_outer_multipart_ends_those_within() -> None:
    message = text(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nX: header that is cut\n--a\n\nlast\n--b\n--a--\n"
    )
    whole = structure_of(message)
    assert names(whole) == ("multipart/mixed", [("multipart/mixed", ["text/plain"]), "text/plain"])
    assert body(message, whole.children[1]) == b"last\r\n--b"


def test_a_boundary_may_be_written_in_pieces() -> None:
    message = text("Content-Type: multipart/mixed; boundary*0*=''a%20; boundary*1=b\n\n--a b\n\n1\n--a b--\n")
    assert body(message, structure_of(message).children[0]) == b"1"


@given(messages)
def test_K14_parts_lie_within_each_other_however_the_octets_come(message: bytes) -> None:
    check_structure(message)


@pytest.mark.parametrize("octets", [b"", b"\xff", b"\x92\x00\xc0", b"\x01"])
def test_what_is_no_structure_is_known_as_that(octets: bytes) -> None:
    assert unpack_part(octets) is None


def nested(count: int) -> bytes:
    kind = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return b"".join(kind % (number, number) for number in range(count))


def many(count: int) -> bytes:
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * count


def alike(count: int) -> bytes:
    kind = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n"
    head = b"".join(kind % (b"b" * number, b"b" * number) for number in range(1, 90))
    return head + b"".join(b"--%s\r\n" % (b"b" * (number % 300)) for number in range(count))


def messages_within(count: int) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * count


def long_header(count: int) -> bytes:
    return b"Content-Type: text/html;" + b" a=b;\r\n" * count + b"\r\n" + b"X: y\r\n" * count


def dashes(count: int) -> bytes:
    return many(1) + b"--\r\n" * count + b"--" + b"b " * count


@pytest.mark.slow
@pytest.mark.parametrize("make", [nested, many, alike, messages_within, long_header, dashes])
def test_S11_no_message_takes_more_than_linear_time_or_much_memory(make) -> None:
    """A hundred thousand parts, or as deep: what took the square of it would not end before the timeout."""
    message = make(100_000)
    tracemalloc.start()
    try:
        part = read_structure(message[place : place + 65536] for place in range(0, len(message), 65536))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 2**20
    found = list(each_part(part))
    assert len(found) <= 2 * MOST_PARTS
    assert part.extent == Extent(0, len(message))
    assert unpack_part(pack_part(part)) == part


def test_what_is_too_deep_is_opaque() -> None:
    deepest = list(each_part(structure_of(nested(10_000))))
    assert len(deepest) == MOST_DEPTH
    assert deepest[-1].media.name == b"application/octet-stream"


def test_what_is_one_part_too_many_belongs_to_the_last() -> None:
    message = many(MOST_PARTS + 5) + b"--b--\r\n"
    *_, last = structure_of(message).children
    assert body(message, last) == b"x\r\n" + b"\r\n".join([b"--b\r\n\r\nx"] * 6)
