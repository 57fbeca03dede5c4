"""Modified UTF-7: each name has one way to be written, and comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail import utf7

NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("Entwürfe", b"Entw&APw-rfe"),
        ("&", b"&-"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501 §5.1.3
        ("😀", b"&2D3eAA-"),
        ("", b""),
    ],
)
def test_K16_names_are_written_and_read(name, octets):
    assert utf7.encode(name) == octets
    assert utf7.decode(octets) == name


@pytest.mark.parametrize(
    "octets",
    [
        b"R&D", b"&", b"&AGE-", b"&2D0-", b"&APw", b"&APw-&APw-", b"&APx-", b"&AP/-", b"&A-", b"\xc3\xbc",
        b"\x00",
    ],
)  # fmt: skip
def test_K16_what_is_written_otherwise_is_no_name(octets):
    with pytest.raises(ValueError, match=r"UTF-7|ascii"):
        utf7.decode(octets)


@given(NAMES)
def test_K16_every_name_comes_back(name):
    assert utf7.decode(utf7.encode(name)) == name


@given(
    st.binary(max_size=20) | st.lists(st.sampled_from([b"&", b"-", b"AP", b"w", b",", b"a"])).map(b"".join)
)
def test_K16_no_name_can_be_written_in_two_ways(octets):
    try:
        name = utf7.decode(octets)
    except ValueError:
        return
    assert utf7.encode(name) == octets
