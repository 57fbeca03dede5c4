"""Jobs on their way, of which some recipients have their answer before the others (F-14)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import NO_PARAMETERS
from paperpath.maildrop.values import Claim, ClaimedMessage, Content
from paperpath.remote.flights import Flight, begin_flight

JOE = Mailbox("joe", "here.example")
MESSAGE = ClaimedMessage(1, "Q", None, NO_PARAMETERS, 0, Content(0, b"", b"", None))


@given(st.integers(1, 8), st.data())
def test_F14_every_claim_lands_once_with_its_own_answer(count, data):
    claims = [Claim(n, MESSAGE, JOE, JOE, None, "lmtp://a:24", False, 0, "", "") for n in range(count)]
    answers = [f"answer {number}" for number in range(count)]
    order = data.draw(st.permutations(range(count)))
    cuts = data.draw(st.sets(st.integers(0, count - 1), max_size=3))
    flight = begin_flight(claims, 1, 2.0)
    landed: dict[int, str] = {}
    for begin, end in zip([0, *sorted(cuts)], sorted(cuts), strict=False):
        part, flight = flight.split(order[begin:end])
        landed |= _pair(part, answers)
        assert part.begun_us == flight.begun_us == 1
    landed |= _pair(flight, answers)
    assert landed == {claim.recipient_id: answer for claim, answer in zip(claims, answers, strict=True)}


def _pair(flight: Flight, answers: list[str]) -> dict[int, str]:
    ids = [claim.recipient_id for claim in flight.claims]
    return dict(zip(ids, flight.pick(answers), strict=True))
