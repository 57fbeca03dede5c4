"""Users of this host as mailboxes at the local domains: after aliases and accounts (E-5, E-6, E-17, F-4)."""

import pytest

from paperpath.accounts.users import SystemUser, UserLookUpError, Users
from paperpath.mail.address import parse_mailbox
from paperpath.routing.files import fingerprint
from paperpath.routing.sorting import judge_recipient
from tests.unit.routing.rules import make_router, make_users, tell

USERS = make_users("ann", "joe", "admin", "plus", "first.last")
ROUTER = make_router(users=USERS)


@pytest.mark.parametrize(
    ("address", "end"),
    [
        ("ann@here.example", "local user:ann"),
        ("ann@sub.here.example", "local user:ann"),
        ("ANN@here.example", "local user:ann"),
        ("ann+List@here.example", "local user:ann"),
        ("first.last@here.example", "local user:first.last"),
        ("joe@here.example", "local here.example"),  # has an account there
        ("joe@sub.here.example", "local user:joe"),
        ("plus+name@here.example", "local here.example"),
        ("plus+other@here.example", "local user:plus"),
        ("ann@else.example", "remote else.example"),
        ("nobody@here.example", "5.1.1"),
    ],
)
def test_E5_E6_a_user_has_a_mailbox_where_no_account_has_it(address: str, end: str) -> None:
    assert tell(ROUTER, address) == [f"{address} {end}"]


def test_an_alias_goes_before_a_user_and_may_lead_to_one() -> None:
    router = make_router(
        "ann: joe@sub.here.example, x@else.example\nadmin: admin\n", users=USERS, accounts=()
    )
    assert tell(router, "ann@here.example") == [
        "joe@sub.here.example local user:joe",
        "x@else.example remote else.example",
    ]
    assert tell(router, "admin@here.example") == ["admin@here.example local user:admin"]


def test_E4_a_user_is_found_for_the_postmaster() -> None:
    assert tell(make_router(users=USERS, accounts=()), "Postmaster@here.example") == [
        "admin@here.example local user:admin"
    ]


def test_an_operators_way_to_here_finds_users_too() -> None:
    for address in ("ann@else.example", "ann+x@else.example"):
        step, _ = ROUTER.find(parse_mailbox(address), override="local")
        assert getattr(step, "destination", "") == "user:ann"


def test_without_users_nobody_is_looked_for() -> None:
    assert tell(make_router(), "ann@here.example") == ["ann@here.example 5.1.1"]
    _, looks = make_router().find(parse_mailbox("ann@here.example"))
    assert "user" not in {look.kind for look in looks}


def test_what_was_looked_at_is_told() -> None:
    _, looks = ROUTER.find(parse_mailbox("ann+x@here.example"))
    assert [(look.kind, look.asked, look.found) for look in looks][-3:] == [
        ("alias", "ann@here.example", ""),
        ("account", "ann+x@here.example", ""),
        ("user", "ann@here.example", "ann, uid 1000"),
    ]


def test_what_waits_is_sorted_again_when_users_get_mailboxes_or_lose_them() -> None:
    assert fingerprint(ROUTER) == fingerprint(make_router(users=make_users("ann")))
    assert fingerprint(ROUTER) != fingerprint(make_router())


def test_F4_P2_while_users_cannot_be_looked_up_nobody_is_refused_for_good() -> None:
    """Who asks is told to come again; what was taken before waits where the user's mail is delivered."""

    def fail(name: str) -> SystemUser | None:
        raise UserLookUpError(f"{name} cannot be looked up: Connection refused")

    router = make_router("list: ann\n", users=Users(fail, 1000, 60_000))
    for address in ("ann@here.example", "ann+List@here.example", "nobody@here.example"):
        assert judge_recipient(router, parse_mailbox(address)).code == 451
    assert judge_recipient(router, parse_mailbox("joe@here.example")).is_positive  # who has an account
    assert tell(router, "ann+List@here.example") == ["ann+List@here.example local user:ann"]
    assert tell(router, "list@here.example") == ["ann@here.example local user:ann"]
    _, looks = router.find(parse_mailbox("ann@here.example"))
    assert looks[-1].found == "ann cannot be looked up: Connection refused"
