"""A sample of the IMAP soak, and that its judges see what is wrong; two minutes of it by `make imap-soak`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.imap_soak.ledger import Found, Ledger
from tests.imap_soak.view import Shown, View
from tests.imap_soak.wire import parse

ONE, OTHER = b"M1", b"M2"
SEEN = frozenset({b"\\Seen"})


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_K4_K6_K10_K23_K24_K29_random_clients_end_with_one_truth_though_imapd_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.imap_soak", "--seconds=4", "--clients=8", "--kills=1", "--seed=4"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.endswith("there is one truth\n"), done.stdout + done.stderr
    assert "1 kill -9 of imapd" in done.stdout
    assert done.returncode == 0


def test_responses_are_read_with_lists_and_literals() -> None:
    line = b'1 FETCH (UID 3 FLAGS (\\Seen $x) BODY[] {4}\r\na)"( MODSEQ (9))\r\n'
    assert parse(line) == [
        b"1",
        b"FETCH",
        [b"UID", b"3", b"FLAGS", [b"\\Seen", b"$x"], b"BODY[]", b'a)"(', b"MODSEQ", [b"9"]],
    ]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([b"* 1 EXPUNGE\r\n"], "K-6: EXPUNGE 1 behind"),
        ([b"* VANISHED 5\r\n"], "K-6: VANISHED behind"),
        ([b"* 1 EXISTS\r\n"], "K-6: 1 EXISTS, where 2 were known"),
        ([b"* 1 FETCH (UID 6)\r\n"], "K-29: number 1 is UID 6, and was 5"),
        ([b"* 3 EXISTS\r\n", b"* 3 FETCH (UID 6)\r\n"], "K-4: UID 6 does not ascend"),
        ([b"* 1 FETCH (EMAILID (M2))\r\n"], "K-5: number 1, UID 5"),
    ],
)
def test_a_view_complains_of_what_cannot_be(lines: list[bytes], complaint: str) -> None:
    view = View([Shown(5, SEEN, 1, ONE), Shown(7, SEEN, 1, OTHER)])
    for line in lines:
        view.take(line, may_expunge=False)
    assert view.complaints[0].startswith(complaint)


def test_the_ledger_tells_what_is_lost_doubled_or_another() -> None:
    ledger = Ledger()
    ledger.begin([ONE, OTHER])
    ledger.came("INBOX", [1, 2], [ONE, OTHER])
    ledger.note("INBOX", [Shown(1, SEEN, 5, ONE), Shown(2, SEEN, 5, OTHER)])
    whole = {("INBOX", 1): Found(SEEN, 5, ONE), ("INBOX", 2): Found(SEEN, 5, OTHER)}
    assert ledger.judge(whole) == []
    for changed, complaint in (
        ({("INBOX", 1): Found(SEEN, 5, ONE)}, "K-10"),
        (whole | {("Aside", 1): Found(SEEN, 5, ONE)}, "K-10"),
        (whole | {("INBOX", 1): Found(SEEN, 5, OTHER)}, "K-4"),
        (whole | {("INBOX", 1): Found(frozenset(), 5, ONE)}, "K-23"),
        (whole | {("INBOX", 1): Found(frozenset(), 4, ONE)}, "F-8"),
    ):
        assert ledger.judge(changed)[0].startswith(complaint)
    ledger.left("INBOX", [2])
    assert ledger.judge(whole)[0].startswith("K-4")
