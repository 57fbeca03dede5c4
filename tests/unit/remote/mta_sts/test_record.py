"""TXT records at `_mta-sts.` of a domain, and the id that they tell (G-39)."""

import pytest

from paperpath.remote.mta_sts.record import find_policy_id


@pytest.mark.parametrize(
    "record",
    [
        b"v=STSv1; id=20160831085700Z;",
        b"v=STSv1;id=20160831085700Z",
        b"v=STSv1;\t id=20160831085700Z \t; ",
        b"v=STSv1; x-y_z.1=some/thing:else; id=20160831085700Z",
        b"v=STSv1; id=20160831085700Z; id=later; id=not-even-one;",
    ],
)
def test_G39_the_id_of_the_only_record_counts(record):
    assert find_policy_id([record]) == "20160831085700Z"


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"v=spf1 -all",
        b"V=STSv1; id=1;",
        b" v=STSv1; id=1;",
        b"v=STSv1 ; id=1;",
        b"v=STSv12; id=1;",
        b"v=STSv1;",
        b"v=STSv1; ID=1;",
        b"v=STSv1; id=;",
        b"v=STSv1; id=1 2;",
        b"v=STSv1; id=1-2;",
        b"v=STSv1; id=not-one; id=1;",
        b"v=STSv1; id=\xc3\xa9;",
        b"v=STSv1; id=" + b"1" * 33 + b";",
        b"v=STSv1; id=1;; x=y",
        b"v=STSv1; id=1; nothing",
        b"v=STSv1; id=1; x=y=z",
        b"v=STSv1; id=1;\n",
    ],
)
def test_G39_a_malformed_record_is_none(record):
    assert find_policy_id([record]) is None


def test_G39_other_records_do_not_matter_and_two_are_none():
    one, other = b"v=STSv1; id=1;", b"v=STSv1; id=2;"
    assert find_policy_id([b"v=spf1 -all", one, b"v=STSv2; id=3"]) == "1"
    assert find_policy_id([one, other]) is None
    assert find_policy_id([one, one]) is None
    assert find_policy_id([one, b"v=STSv1; malformed"]) is None
    assert find_policy_id([]) is None
