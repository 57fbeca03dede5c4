"""Who is told of what (H-1, H-3, H-4, H-5; RFC 3461 §5.2)."""

import pytest

from paperpath.delivery.addressee import Case, find_addressee, group_cases
from paperpath.mail.address import Mailbox
from paperpath.mail.outcome import Failed, SetAside
from paperpath.mail.reply import make_reply

FAILED = Failed(make_reply(550, "5.1.1", "No"))
ASIDE = SetAside(make_reply(451, "4.3.0", "Damaged"))
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
    outcome: Failed | SetAside = FAILED,
    is_ours: bool = False,
) -> Case:
    return Case(number, queue_id, 0, address, final, return_path, notify, "", outcome, is_ours=is_ours)


@pytest.mark.parametrize(
    ("notify", "is_told"),
    [
        ("", True),
        ("NEVER", False),
        ("SUCCESS", False),
        ("FAILURE", True),
        ("DELAY", False),
        ("SUCCESS,FAILURE", True),
        ("SUCCESS,DELAY", False),
        ("FAILURE,DELAY", True),
        ("SUCCESS,FAILURE,DELAY", True),
    ],
)
def test_H1_who_wanted_no_report_of_a_failure_gets_none(notify: str, is_told: bool) -> None:
    assert find_addressee(case(notify=notify), ADMIN) == (ANN if is_told else None)
    assert find_addressee(case(notify=notify, return_path=None), ADMIN) == ADMIN  # H-4


@pytest.mark.parametrize("spelt", [ADMIN, Mailbox("ADMIN", "HERE.example.")])
def test_H3_H4_of_a_report_that_fails_at_the_postmaster_nobody_is_told(spelt: Mailbox) -> None:
    assert find_addressee(case(return_path=None, address=spelt), ADMIN) is None
    assert find_addressee(case(return_path=None, final=spelt), ADMIN) is None


def test_what_was_set_aside_is_for_the_postmaster_unless_it_is_our_own() -> None:
    assert find_addressee(case(outcome=ASIDE, notify="NEVER"), ADMIN) == ADMIN
    assert find_addressee(case(outcome=ASIDE, is_ours=True), ADMIN) is None


def test_H5_recipients_of_one_message_with_one_return_path_share_a_report() -> None:
    owner = Mailbox("owner-x", "here.example")
    groups = group_cases(
        [
            case(1),
            case(2, notify="NEVER"),
            case(3, notify="FAILURE"),
            case(4, return_path=owner),
            case(5, queue_id="R"),
            case(6, outcome=ASIDE),
            case(7, return_path=None),
            case(8),
        ],
        ADMIN,
    )
    assert [(group.to, [found.recipient_id for found in group.cases]) for group in groups] == [
        (ANN, [1, 3, 8]),
        (owner, [4]),
        (ANN, [5]),
        (ADMIN, [6]),
        (ADMIN, [7]),
    ]
