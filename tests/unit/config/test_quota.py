"""Quotas as an administrator writes them (F-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.quota import NO_QUOTA, Quota, parse_quota


@pytest.mark.parametrize(
    ("value", "quota"),
    [
        ("1000000S,1000C", Quota(1_000_000, 1000)),
        ("1000C,1000000S", Quota(1_000_000, 1000)),
        ("1 GiB", Quota(2**30)),
        ("1G", Quota(2**30)),
        ("500 MB,10C", Quota(500_000_000, 10)),
        ("2T", Quota(2**41)),
        ("10K", Quota(10_240)),
        ("7C", Quota(0, 7)),
        (4096, Quota(4096)),
        ("none", NO_QUOTA),
    ],
)
def test_F10_a_quota_is_a_size_a_number_of_messages_or_both(value: object, quota: Quota) -> None:
    assert parse_quota(value) == quota


@pytest.mark.parametrize(
    "value",
    [
        *("", "0", "0S", "0C", "-5S", "5", "1G,1G", "1C,1C", "1G,", ",1C", "1 g", "1.5G", "none,1C"),
        *("9" * 19 + "S", "9" * 18 + "T", 0, -1, True, None, 2**63),
    ],
)
def test_F10_what_is_no_quota_is_said_to_be_none(value: object) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_quota(value)


@given(st.integers(0, 2**59), st.integers(0, 2**59))
def test_F10_the_text_of_a_quota_is_that_quota(octets: int, messages: int) -> None:
    assert parse_quota(str(Quota(octets, messages))) == Quota(octets, messages)
