"""What the attempts of all agents have in common: the circle that is found first, and what errors mean."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeVar

from paperpath.delivery.schedule import next_due_us
from paperpath.local.agents.interface import Desk
from paperpath.local.content import goes_in_circle
from paperpath.local.troubles import describe_trouble
from paperpath.mail.delivered_to import R554_CIRCLE
from paperpath.mail.outcome import Deferred, Delivered, Failed, Outcome, SetAside
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.checked import DamagedError
from paperpath.maildrop.values import Claim

R250_DELIVERED = make_reply(250, "2.1.5", "Delivered")
R250_ALREADY_THERE = make_reply(250, "2.1.5", "Delivered by an earlier attempt")


class Box(Protocol):
    """What is open for a batch of deliveries; after `flush` they stay."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def flush(self) -> None:
        """Make durable what was delivered. Raises: OSError; then it may not stay there."""


BoxT = TypeVar("BoxT", bound=Box)


def deliver_flushed(
    claims: Sequence[Claim],
    desk: Desk,
    open_box: Callable[[], BoxT],
    deliver: Callable[[Claim, BoxT], Outcome],
) -> list[Outcome]:
    """Deliver claims one by one into a box that is opened for them; one flush serves them all.

    `open_box` may raise OSError, which puts all of them off.
    """
    try:
        with open_box() as box:
            outcomes = [deliver(claim, box) for claim in claims]
            try:
                box.flush()
            except OSError as error:  # what was delivered is there, and may or may not stay there
                return [
                    doubt(claim, outcome, desk, error)
                    for claim, outcome in zip(claims, outcomes, strict=True)
                ]
            return outcomes
    except OSError as error:
        return [defer(claim, desk, describe_trouble(error)) for claim in claims]


def attempt(claim: Claim, desk: Desk, deliver: Callable[[Claim], Outcome]) -> Outcome:
    """Deliver one claim, unless its message was delivered to the address before (requirement E-16).

    `deliver` may raise OSError, which puts off, and DamagedError, which sets aside.
    """
    try:
        if goes_in_circle(claim):
            return Failed(R554_CIRCLE)
        return deliver(claim)
    except DamagedError as error:
        return SetAside(make_reply(451, "4.3.0", f"Damaged: {error}"))
    except OSError as error:
        return defer(claim, desk, describe_trouble(error))


def defer(claim: Claim, desk: Desk, reply: Reply, *, uncertain: bool = False) -> Deferred:
    """Put a claim off until it is due again; `uncertain`: the copy may be there all the same."""
    return Deferred(reply, next_due_us(claim, desk.now_us), uncertain)


def doubt(claim: Claim, outcome: Outcome, desk: Desk, error: OSError) -> Outcome:
    """Take back that something was delivered, since that may not last."""
    if isinstance(outcome, Delivered):
        return defer(claim, desk, describe_trouble(error), uncertain=True)
    return outcome
