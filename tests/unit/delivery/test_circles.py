"""One report of a circle, however many an account forwards to (requirement E-16)."""

from dataclasses import replace

import pytest

from paperpath.delivery.circles import R250_REPORTED, hush
from paperpath.mail.delivered_to import R554_CIRCLE
from paperpath.mail.outcome import Delivered, Discarded, Failed, Outcome
from paperpath.mail.reply import make_reply
from tests.unit.delivery.test_schedule import claim

CIRCLE = Failed(R554_CIRCLE)
SILENT = "also forward joe@here.example"


@pytest.mark.parametrize("via", [(SILENT,), ("list", SILENT), (SILENT, "agent:box")])
def test_E16_who_is_silent_just_ends(via: tuple[str, ...]) -> None:
    assert hush(replace(claim(), expanded_via=via), CIRCLE) == Discarded(R250_REPORTED)


@pytest.mark.parametrize(
    "via",
    [(), ("list",), ("forward joe@here.example", "agent:box"), (SILENT, "list"), (SILENT, "list", "agent:x")],
)
def test_E16_who_speaks_fails(via: tuple[str, ...]) -> None:
    assert hush(replace(claim(), expanded_via=via), CIRCLE) is CIRCLE


@pytest.mark.parametrize(
    "outcome", [Delivered(make_reply(250, "2.1.5", "x")), Failed(make_reply(554, "5.4.6", "said by another"))]
)
def test_P2_whatever_else_became_of_it_is_told(outcome: Outcome) -> None:
    assert hush(replace(claim(), expanded_via=(SILENT,)), outcome) is outcome
