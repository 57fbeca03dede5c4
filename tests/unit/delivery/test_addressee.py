"""Who is told of what (H-1, H-3, H-4, H-5; RFC 3461 §5.2)."""

from collections.abc import Iterator
from itertools import product

import pytest

from paperpath.delivery.addressee import Case, find_addressee, find_fate, group_cases
from paperpath.mail.address import Mailbox
from paperpath.mail.notification import Action, Fate, find_owed
from paperpath.mail.outcome import Delivered, Failed, SetAside
from paperpath.mail.reply import make_reply
from paperpath.maildrop.values import Origin
from tests.unit.delivery.messages import make_message

R550 = make_reply(550, "5.1.1", "No")
R250 = make_reply(250, "2.1.5", "Yes")
ANN = Mailbox("ann", "else.example")
JOE = Mailbox("joe", "here.example")
ADMIN = Mailbox("admin", "here.example")


def case(
    number: int = 1,
    *,
    queue_id: str = "Q",
    address: Mailbox = JOE,
    final: Mailbox = JOE,
    return_path: Mailbox | None = ANN,
    notify: str = "",
    fate: Fate = Fate.FAILED,
    origin: Origin = Origin.RELAY,
) -> Case:
    message = make_message(origin=origin)
    return Case(number, queue_id, 0, address, final, return_path, notify, "", fate, R550, message=message)


COLUMNS = (Fate.FAILED, Fate.DELIVERED, Fate.RELAYED, Fate.HANDED_OVER, Fate.DELAYED)
TABLE = {
    "": "failed - - - delayed",
    "NEVER": "- - - - -",
    "SUCCESS": "- delivered relayed - -",
    "FAILURE": "failed - - - -",
    "DELAY": "- - - - delayed",
    "SUCCESS,FAILURE": "failed delivered relayed - -",
    "SUCCESS,DELAY": "- delivered relayed - delayed",
    "FAILURE,DELAY": "failed - - - delayed",
    "SUCCESS,FAILURE,DELAY": "failed delivered relayed - delayed",
}


def cells() -> Iterator[tuple[str, Fate, Action | None]]:
    """Give the 45 cells of the table, read from RFC 3461 §5.2 and not from the product."""
    for notify, row in TABLE.items():
        for fate, word in zip(COLUMNS, row.split(), strict=True):
            yield notify, fate, None if word == "-" else Action(word)


@pytest.mark.parametrize(("notify", "fate", "action"), list(cells()))
def test_H1_the_sender_is_told_what_was_asked_for(notify: str, fate: Fate, action: Action | None) -> None:
    assert find_owed(fate, notify, has_sender=True) is action
    told = None if action is None else (ANN, action)
    assert find_addressee(case(notify=notify, fate=fate), ADMIN) == told


@pytest.mark.parametrize(("notify", "fate"), list(product(TABLE, COLUMNS)))
def test_H1_H3_H8_the_null_sender_is_told_nothing(notify: str, fate: Fate) -> None:
    assert find_owed(fate, notify, has_sender=False) is None
    told = find_addressee(case(notify=notify, fate=fate, return_path=None), ADMIN)
    assert told == ((ADMIN, Action.FAILED) if fate is Fate.FAILED else None)  # H-4


@pytest.mark.parametrize("notify", TABLE)
def test_E13_an_expansion_is_reported_to_who_asked_for_success(notify: str) -> None:
    action = find_owed(Fate.EXPANDED, notify, has_sender=True)
    assert action is (Action.EXPANDED if "SUCCESS" in notify else None)


def test_H1_what_another_host_took_is_relayed_unless_it_reports_itself() -> None:
    assert find_fate(Delivered(R250)) is Fate.DELIVERED
    assert find_fate(Delivered(R250, "mx.else.example")) is Fate.RELAYED
    assert find_fate(Delivered(R250, "mx.else.example", takes_over=True)) is Fate.HANDED_OVER
    assert find_fate(Delivered(R250, "unix:/run/lmtp", is_final=True)) is Fate.DELIVERED
    assert find_fate(Delivered(R250, "unix:/run/lmtp", takes_over=True, is_final=True)) is Fate.HANDED_OVER
    assert find_fate(Failed(R550, "mx.else.example")) is Fate.FAILED
    assert find_fate(SetAside(R550)) is Fate.SET_ASIDE


@pytest.mark.parametrize("spelt", [ADMIN, Mailbox("ADMIN", "HERE.example.")])
def test_H3_H4_of_a_report_that_fails_at_the_postmaster_nobody_is_told(spelt: Mailbox) -> None:
    assert find_addressee(case(return_path=None, address=spelt), ADMIN) is None
    assert find_addressee(case(return_path=None, final=spelt), ADMIN) is None


def test_what_was_set_aside_is_for_the_postmaster_unless_it_is_our_own() -> None:
    assert find_addressee(case(fate=Fate.SET_ASIDE, notify="NEVER"), ADMIN) == (ADMIN, None)
    assert find_addressee(case(fate=Fate.SET_ASIDE, origin=Origin.REPORT), ADMIN) is None


def test_H5_recipients_of_one_message_with_one_return_path_and_action_share_a_report() -> None:
    owner = Mailbox("owner-x", "here.example")
    groups = group_cases(
        [
            case(1),
            case(2, notify="NEVER"),
            case(3, notify="FAILURE"),
            case(4, return_path=owner),
            case(5, queue_id="R"),
            case(6, fate=Fate.SET_ASIDE),
            case(7, return_path=None),
            case(8),
            case(9, notify="SUCCESS", fate=Fate.RELAYED),
        ],
        ADMIN,
    )
    assert [(group.to, group.action, [found.recipient_id for found in group.cases]) for group in groups] == [
        (ANN, Action.FAILED, [1, 3, 8]),
        (owner, Action.FAILED, [4]),
        (ANN, Action.FAILED, [5]),
        (ADMIN, None, [6]),
        (ADMIN, Action.FAILED, [7]),
        (ANN, Action.RELAYED, [9]),
    ]
