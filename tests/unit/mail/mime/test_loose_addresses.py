"""Address fields that nobody could send to are shown all the same (K-14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.mime.loose_addresses import GROUP_END, LooseAddress, read_loose_addresses

PIECES = (
    b"a", b"b@c", b"<", b">", b"@", b",", b":", b";", b'"', b"(", b")", b"\\", b" ", b"[", b"]", b"\xff",
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        (b"", []),
        (b" , ,", []),
        (b"a@b", [(None, None, b"a", b"b")]),
        (b"a @ b . c", [(None, None, b"a", b"b.c")]),
        (b"A B <a@b", [(b"A B", None, b"a", b"b")]),
        (b"A <a@b, C <c@d>", [(b"A", None, b"a", b"b"), (b"C", None, b"c", b"d")]),
        (b"<@x,@y:a@b>", [(None, b"@x,@y", b"a", b"b")]),
        (b'"a@b" <c@[192.0.2.1]>', [(b"a@b", None, b"c", b"[192.0.2.1]")]),
        (b'"a b"@c', [(None, None, b"a b", b"c")]),
        (b'"never closed', [(None, None, b"never closed", b"")]),
        (b"a@b (N (n) \\) m)", [(b"N (n) \\) m", None, b"a", b"b")]),
        (b"a@b (never closed", [(b"never closed", None, b"a", b"b")]),
        (b"<>", [(None, None, b"", b"")]),
        (b"=?utf-8?q?=C3=A9?= <a@b>", [(b"=?utf-8?q?=C3=A9?=", None, b"a", b"b")]),
        (b"g: a@b", [(None, None, b"g", None), (None, None, b"a", b"b"), GROUP_END]),
        (b"g:;h:;", [(None, None, b"g", None), GROUP_END, (None, None, b"h", None), GROUP_END]),
    ],
)
def test_K14_addresses_are_read_as_far_as_they_go(value: bytes, addresses: list[LooseAddress]) -> None:
    assert read_loose_addresses(value) == addresses


@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_K14_every_group_ends_and_every_address_has_a_host(value: bytes) -> None:
    in_group = False
    for address in read_loose_addresses(value):
        if address == GROUP_END:
            assert in_group
            in_group = False
        elif address.host is None:
            assert not in_group
            in_group = True
        else:
            assert address.mailbox is not None
    assert not in_group


@pytest.mark.slow
@pytest.mark.parametrize("piece", [*PIECES, b"(a", b"()", b'""', b"<a", b"<@", b"a:", b"[a"])
def test_S11_no_list_takes_more_than_linear_time_to_show(piece: bytes) -> None:
    """The square of 50,000 steps, for each head, would not be through in the two minutes that a test has."""
    for head in (b"", b'"', b"(", b"<@a"):
        read_loose_addresses(head + piece * 50_000)
