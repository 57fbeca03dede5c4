"""One report of a circle, however many an account's rule sends a message to: pure (requirement E-16).

Called by the ways out for each attempt that ended. What comes back to an account fails for its own copy and
for each of those to whom it is forwarded. The failure of the one who speaks for the account is reported
(routing/forwards.py), and the others just end.
"""

from paperpath.mail.delivered_to import R554_CIRCLE
from paperpath.mail.outcome import Discarded, Failed, Outcome
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Claim
from paperpath.routing.forwards import is_silent

R250_REPORTED = make_reply(
    250, "2.0.0", "The message goes in a circle, which is reported for another address"
)


def hush(claim: Claim, outcome: Outcome) -> Outcome:
    """Return an outcome; of a circle that is reported for another recipient, that this one just ends."""
    if isinstance(outcome, Failed) and outcome.reply == R554_CIRCLE and is_silent(claim.expanded_via):
        return Discarded(R250_REPORTED)
    return outcome
