"""J-12: what a reply comes to, as callers of sendmail know it from sysexits.h."""

import pytest

from paperpath.commands.exits import Exit, choose_exit, choose_worst
from paperpath.mail.reply import parse_shown_reply


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("250 2.0.0 OK", 0),
        ("550 5.1.1 No such mailbox", 67),
        ("550 5.1.2 No such host", 68),
        ("556 5.1.10 That domain takes no mail", 68),
        ("501 5.1.3 That is no address", 65),
        ("553 That is no address", 65),
        ("554 5.6.0 Two From fields", 65),
        ("550 5.6.7 Not ASCII", 65),
        ("550 No", 69),
        ("554 5.0.0 No", 69),
        ("552 5.3.4 Too big", 69),
        ("530 5.7.0 Log in first", 77),
        ("530 Log in first", 77),
        ("550 5.7.1 You may not", 77),
        ("554 5.7.13 Suspended", 77),
        ("450 4.2.0 Later", 75),
        ("452 4.3.1 The disk is full", 75),
        ("421 4.3.2 Ending", 75),
        ("451 4.5.0 The peer said what is no reply", 76),
        ("500 5.5.2 What?", 76),
        ("503 Bad sequence", 76),
        ("555 5.5.4 Unknown parameter", 76),
    ],
)
def test_J12_each_reply_has_its_code(reply: str, code: int) -> None:
    parsed = parse_shown_reply(reply)
    assert parsed is not None
    assert choose_exit(parsed) == code


def test_J12_of_several_failures_one_that_lasts_is_told() -> None:
    assert choose_worst([Exit.TAKEN, Exit.LATER, Exit.UNKNOWN_USER, Exit.REFUSED]) is Exit.UNKNOWN_USER
    assert choose_worst([Exit.TAKEN, Exit.LATER]) is Exit.LATER
    assert choose_worst([Exit.TAKEN]) is Exit.TAKEN
