"""Exit codes (F-15): the whole of both tables."""

import pytest

from paperpath.local.agents.exit_codes import Codes, judge_exit

LATER = {"sysexits": {71, 74, 75}, "qmail": {*range(256)} - {0, 99, 64, 65, 70, 76, 77, 78, 100, 112}}
DONE = {"sysexits": {0}, "qmail": {0, 99}}


@pytest.mark.parametrize("codes", ["sysexits", "qmail"])
def test_F15_every_code_means_what_its_table_says(codes: Codes) -> None:
    for code in range(256):
        first = "2" if code in DONE[codes] else "4" if code in LATER[codes] else "5"
        reply, status = judge_exit(code, codes)
        assert (str(reply)[0], status[0]) == (first, first), code


@pytest.mark.parametrize("codes", ["sysexits", "qmail"])
@pytest.mark.parametrize("code", [None, -1, -9, -15, -31])
def test_F15_a_signal_and_a_time_out_are_tried_again(codes: Codes, code: int | None) -> None:
    assert judge_exit(code, codes) == (451, "4.3.0")


@pytest.mark.parametrize(("code", "status"), [(67, "5.1.1"), (77, "5.7.1"), (1, "5.3.0"), (127, "5.3.0")])
def test_F15_codes_have_the_status_that_fits(code: int, status: str) -> None:
    assert judge_exit(code, "sysexits")[1] == status
