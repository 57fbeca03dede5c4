"""When a recipient is tried again, and when no more: pure.

Called by the ways out when an attempt ends. A recipient is given up only by an attempt that was begun after
its time was over: a host that was off for a week tries everything once before it gives anything up (X-9).
"""

from paperpath.mail.outcome import Deferred, Failed, Outcome
from paperpath.maildrop.values import Claim

_FIRST_S = 10
_MOST_S = 3600
_MOST_DOUBLINGS = 20


def next_due_us(claim: Claim, now_us: int) -> int:
    """Tell when to try again what was attempted: 10 s later, then 20 s and so on, up to an hour."""
    pause_s = min(_FIRST_S << min(claim.attempts, _MOST_DOUBLINGS), _MOST_S)
    return now_us + pause_s * 1_000_000


def judge(claim: Claim, outcome: Outcome, begun_us: int, give_up_after_s: float) -> Outcome:
    """Return an outcome; a deferral as a failure, if the time was over when the attempt began."""
    if isinstance(outcome, Deferred) and begun_us >= find_deadline_us(claim, give_up_after_s):
        return Failed(outcome.reply, outcome.host)
    return outcome


def find_deadline_us(claim: Claim, give_up_after_s: float) -> int:
    """Tell from when on an attempt that fails is the last: the message's own deadline goes first."""
    return claim.deadline_us or claim.message.arrived_us + round(give_up_after_s * 1_000_000)
