"""Lists of tag=value read and written (I-3, I-7, I-9)."""

import pytest

from paperpath.dkim.tags import TagError, fold_tags, parse_tags, remove_blanks, write_tags


@pytest.mark.parametrize(
    ("octets", "tags"),
    [
        (b"v=1; a=rsa-sha256", {b"v": b"1", b"a": b"rsa-sha256"}),
        (b" v = 1 ;\r\n\ta\r\n =\r\n x;\r\n", {b"v": b"1", b"a": b"x"}),
        (b"p=;", {b"p": b""}),
        (b"h=a : b\r\n :c; X=Y=Z", {b"h": b"a : b\r\n :c", b"X": b"Y=Z"}),
        (b"v=1; V=2", {b"v": b"1", b"V": b"2"}),
        (b"i=j\xc3\xbc@x", {b"i": b"j\xc3\xbc@x"}),
    ],
)
def test_tags_are_read(octets: bytes, tags: dict[bytes, bytes]) -> None:
    assert parse_tags(octets) == tags


@pytest.mark.parametrize(
    "octets", [b"", b";", b"v", b"=1", b"v=1;;a=2", b"v=1; v=1", b"1v=1", b"v-x=1", b"v=\0", b"v w=1"]
)
def test_I7_what_is_no_list_of_tags_is_refused(octets: bytes) -> None:
    with pytest.raises(TagError):
        parse_tags(octets)


def test_I9_blanks_in_base64_are_removed() -> None:
    assert remove_blanks(b"ab\r\n\t c= \r\n") == b"abc="


def test_tags_are_written() -> None:
    assert write_tags({"v": "DKIM1", "k": "rsa", "p": "x"}) == "v=DKIM1; k=rsa; p=x"
    assert parse_tags(write_tags({"v": "DKIM1", "p": ""}).encode()) == {b"v": b"DKIM1", b"p": b""}


def test_I3_folded_tags_have_short_lines_and_the_same_values() -> None:
    pieces = {
        "v": ["1"],
        "h": [f"{name}:" for name in "abcdefghij" * 12] + ["k"],
        "b": ["x" * 70] * 4,
        "e": [],
    }
    folded = fold_tags("DKIM-Signature:", pieces)
    assert max(map(len, folded.split("\r\n"))) < 78
    tags = parse_tags(folded.encode().partition(b":")[2])
    assert {name: remove_blanks(value) for name, value in tags.items()} == {
        name.encode(): "".join(value).encode() for name, value in pieces.items()
    }


def test_I3_what_cannot_be_folded_is_whole() -> None:
    domain = ".".join(["a" * 60] * 4)
    folded = fold_tags("DKIM-Signature:", {"v": ["1"], "d": [domain], "s": ["x"]})
    assert folded == f"DKIM-Signature: v=1;\r\n d={domain};\r\n s=x"
