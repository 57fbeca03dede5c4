"""When a recipient is tried again, and when no more: pure.

Called by the ways out when an attempt ends. A recipient is given up only by an attempt that was begun after
its time was over: a host that was off for a week tries everything once before it gives anything up (X-9).
"""

from dataclasses import dataclass

from paperpath.config.tables import DeliveryTable, ScheduleTable
from paperpath.mail.outcome import Deferred, Failed, Outcome
from paperpath.maildrop.values import Claim

LOCAL_SCHEDULE = ScheduleTable(first_s=10.0, factor=2.0, most_s=3600.0)
_MOST_EXPONENT = 64  # beyond it, a float would not hold the power


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a recipient is tried that has no deadline, and how often, where that is limited."""

    give_up_after_us: int
    most_attempts: int | None


def make_patience(table: DeliveryTable) -> Patience:
    """Return what a configuration says of giving up."""
    return Patience(round(table.give_up_after_s * 1_000_000), table.most_attempts)


def pause_us(schedule: ScheduleTable, earlier: int) -> int:
    """Tell how long to wait after an attempt, by how many came before it."""
    pause_s = schedule.first_s * schedule.factor ** min(earlier, _MOST_EXPONENT)
    return round(min(pause_s, schedule.most_s) * 1_000_000)


def next_due_us(claim: Claim, now_us: int, schedule: ScheduleTable = LOCAL_SCHEDULE) -> int:
    """Tell when to try again what was attempted now."""
    return now_us + pause_us(schedule, claim.attempts)


def judge(claim: Claim, outcome: Outcome, begun_us: int, patience: Patience) -> Outcome:
    """Return an outcome; a deferral as a failure, if the time was over when the attempt began."""
    if not isinstance(outcome, Deferred):
        return outcome
    was_last = patience.most_attempts is not None and claim.attempts + 1 >= patience.most_attempts
    is_over = begun_us >= find_deadline_us(claim, patience)
    return Failed(outcome.reply, outcome.host) if is_over or was_last else outcome


def find_deadline_us(claim: Claim, patience: Patience) -> int:
    """Tell from when on an attempt that fails is the last: the message's own deadline goes first."""
    return claim.deadline_us or claim.message.arrived_us + patience.give_up_after_us
