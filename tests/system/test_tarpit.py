"""Many clients whose replies are held back, live: what they cost, and that nobody else has to do with it."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.installation import wait_until
from tests.support.process import count_descriptors, resident_kib
from tests.support.relay import LOOPS, running_relay, send_one
from tests.support.wire import Wire

pytestmark = pytest.mark.slow
HELD_BACK = 100
MOST_KIB = 51  # each, so that 1,000 need no more than 50 MiB
TARPIT = "tarpit = { after = 1, first_s = 110, most_s = 110 }"


@pytest.mark.parametrize("loop", LOOPS)
def test_S4_C26_a_hundred_are_held_back_and_one_is_served_as_ever(tmp_path: Path, loop: str) -> None:
    with running_relay(tmp_path, loop, more_relay=TARPIT) as relay, ExitStack() as stack:
        before_kib = resident_kib(relay.smtprd)
        wires = [stack.enter_context(Wire(relay.port)) for _ in range(HELD_BACK)]
        for number, wire in enumerate(wires):
            hold_back(wire, more=b"RCPT TO:<u@here.example>\r\n" * (number % 2) * 1000)
        wait_until(lambda: relay.output().count("info held back") == HELD_BACK, "all to be held back")
        for _ in range(20):
            assert send_one(relay, b"Subject: of who is not\r\n")[:3] == b"250"
        assert resident_kib(relay.smtprd) < before_kib + HELD_BACK * MOST_KIB
        assert all(wire.is_quiet(0) for wire in wires)
        hang_up(wires)
        wait_until(lambda: count_descriptors(relay.smtprd) <= relay.descriptors_at_rest, "all to be gone")
        relay.assert_well()


def hold_back(wire: Wire, more: bytes) -> None:
    """Name as many recipients as are answered at once, and one more, and whatever else."""
    assert wire.reply().startswith(b"220 ")
    for line in (b"EHLO c.example", b"MAIL FROM:<a@b.example>", b"RCPT TO:<u@here.example>"):
        assert wire.ask(line).startswith(b"250")
    wire.send(b"RCPT TO:<joe@here.example>\r\n" + more)


def hang_up(wires: list[Wire]) -> None:
    """Leave in all ways there are."""
    for first, leave in enumerate((Wire.close, Wire.reset, Wire.half_close)):
        for wire in wires[first::3]:
            leave(wire)
