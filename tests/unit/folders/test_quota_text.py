"""The text of maildirsize, ours and what others leave there (F-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.quota import Quota
from paperpath.folders.names import add_size, find_size
from paperpath.folders.quota_text import Sums, Usage, format_line, format_sums, read_sums

QUOTA = Quota(1_000_000, 1000)


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        (b"1000000S,1000C\n500 2\n", Sums(QUOTA, Usage(500, 2), 1)),
        (b"1000000S,1000C\n500 2\n-100 -1\n7 1\n", Sums(QUOTA, Usage(407, 2), 3)),
        (
            b"1000C,1000000S\n       500            2\n",
            Sums(QUOTA, Usage(500, 2), 1),
        ),  # as Courier aligns them
        (b"1000000S,1000C\r\n500 2\r\n\r\n", Sums(QUOTA, Usage(500, 2), 1)),  # an editor of another system
        (b"1000000S\n500\t+2 \n", Sums(Quota(1_000_000), Usage(500, 2), 1)),
        (b"0S,1000C\n0 0\n", Sums(Quota(0, 1000), Usage(), 1)),
    ],
)
def test_F10_the_lines_are_added_up(text: bytes, sums: Sums) -> None:
    assert read_sums(text) == sums


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"1000000S,1000C",
        b"1000000S,1000C\n",  # nobody counted yet
        b"1000000S,1000C\n500 2",  # somebody died while he wrote, or writes
        b"1000000S,1000C\n500 2\n3",
        b"1000000S,1000C\n500\n",
        b"1000000S,1000C\n500 2 3\n",
        b"1000000S,1000C\n5e2 2\n",
        b"1000000S,1000C\n" + b"9" * 30 + b" 1\n",
        b"1000000S,1000C\n500 2\n-501 -1\n",
        b"1000000S,1000C\n500 2\n-500 -3\n",
        b"1000000X\n500 2\n",
        b"one megabyte\n500 2\n",
        b"500 2\n",
        b"\0" * 40,
    ],
)
def test_F10_what_is_not_understood_is_not_believed(text: bytes) -> None:
    assert read_sums(text) is None


@given(st.binary(max_size=60) | st.text("0123456789 -\nSC,", max_size=60).map(str.encode))
def test_F10_any_octets_are_sums_or_worthless(text: bytes) -> None:
    found = read_sums(text)
    assert found is None or min(found.usage.octets, found.usage.messages) >= 0


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), max_size=8))
def test_F10_what_is_appended_is_added(lines: list[tuple[int, int]]) -> None:
    usages = [Usage(*line) for line in lines]
    text = format_sums(QUOTA, Usage(5, 1)) + b"".join(map(format_line, usages))
    assert read_sums(text) == Sums(QUOTA, sum(usages, Usage(5, 1)), len(lines) + 1)


@pytest.mark.parametrize(
    ("used", "quota", "is_within"),
    [
        (Usage(10, 1), Quota(10, 1), True),
        (Usage(11, 1), Quota(10, 1), False),
        (Usage(10, 2), Quota(10, 1), False),
        (Usage(10**12, 1), Quota(0, 1), True),
        (Usage(10, 10**6), Quota(10), True),
    ],
)
def test_F10_a_mailbox_may_be_as_full_as_its_quota(used: Usage, quota: Quota, is_within: bool) -> None:
    assert used.is_within(quota) is is_within


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("1.M2R3.host,S=512", 512),
        ("1.M2R3.host,S=512:2,FS", 512),
        ("1.M2.host,W=530,S=512:2,", 512),
        ("1.M2.host,S=512,W=530", 512),
        ("1.M2.host", None),
        ("1.M2.host,S=", None),
        ("1.M2.host,S=" + "1" * 30, None),
    ],
)
def test_F10_a_name_tells_the_size(name: str, octets: int | None) -> None:
    assert find_size(name) == octets
    assert find_size(add_size("n", 7)) == 7
