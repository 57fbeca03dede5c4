"""When a recipient is tried again, and when no more (X-9, H-7)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.tables import DeliveryTable, ScheduleTable
from paperpath.delivery.schedule import Patience, judge, make_patience, next_due_us, pause_us
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.mail.outcome import Deferred, Delivered, Failed
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Claim, ClaimedMessage, Content

S = 1_000_000
ARRIVED_US = 100 * S
LATER = Deferred(make_reply(451, "4.2.0", "Not now"), 0)


def claim(attempts: int = 0, deadline_us: int = 0) -> Claim:
    message = ClaimedMessage(1, "Q", None, NO_PARAMETERS, ARRIVED_US, Content(0, b"", b"", None))
    joe = Mailbox("joe", "here.example")
    return Claim(1, message, joe, joe, None, "", False, attempts, "", "", deadline_us)


def test_the_pauses_grow_up_to_an_hour() -> None:
    pauses = [next_due_us(claim(attempts), 0) // S for attempts in range(12)]
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


@given(st.integers(0, 10**9))
def test_the_pauses_have_an_end(attempts: int) -> None:
    assert 10 * S <= next_due_us(claim(attempts), 0) <= 3600 * S


def test_G12_the_pauses_are_configured() -> None:
    schedule = ScheduleTable(first_s=300, factor=2, most_s=14_400)
    assert [pause_us(schedule, earlier) // S for earlier in range(8)] == [
        300, 600, 1200, 2400, 4800, 9600, 14_400, 14_400,
    ]  # fmt: skip


def patience(give_up_after_s: float, most_attempts: int | None = None) -> Patience:
    return make_patience(DeliveryTable(give_up_after_s=float(give_up_after_s), most_attempts=most_attempts))


def test_X9_only_an_attempt_begun_after_the_time_gives_up() -> None:
    end_us = ARRIVED_US + 3600 * S
    assert judge(claim(), LATER, end_us - 1, patience(3600)) == LATER
    given_up = judge(claim(), LATER, end_us, patience(3600))
    assert given_up == Failed(LATER.reply)
    assert given_up.is_given_up


def test_X9_a_host_that_was_off_for_a_week_tries_once_before_it_gives_up() -> None:
    delivered = Delivered(make_reply(250, "", "ok"))
    assert judge(claim(), delivered, ARRIVED_US + 7 * 86_400 * S, patience(432_000)) == delivered


def test_X9_a_limit_of_three_fails_exactly_the_third_attempt() -> None:
    ends = [judge(claim(attempts), LATER, ARRIVED_US, patience(432_000, 3)) for attempts in range(3)]
    assert ends == [LATER, LATER, Failed(LATER.reply)]


def test_a_deadline_of_its_own_goes_before_the_configured_one() -> None:
    over = ARRIVED_US + 5 * S
    assert isinstance(judge(claim(deadline_us=over), LATER, over, patience(10**6)), Failed)
    assert (
        judge(claim(deadline_us=ARRIVED_US + 10**9 * S), LATER, ARRIVED_US + 10**6 * S, patience(1)) == LATER
    )
