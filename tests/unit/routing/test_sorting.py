"""What aliases make of a recipient (E-7, E-9, E-10, E-11, S-5, X-16, P5)."""

from itertools import pairwise

import pytest

from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.notification import Fate
from paperpath.maildrop.values import Expanded, Refused, Target
from paperpath.routing.router import Router
from paperpath.routing.sorting import MOST_FINAL, judge_recipient, sort_recipient
from tests.unit.routing.rules import make_recipient, make_router, run, tell


def expand(router: Router, address: str, **more: object) -> tuple[Target, ...]:
    decision = sort_recipient(router, make_recipient(address, **more)).decision
    assert isinstance(decision, Expanded)
    return decision.targets


def test_E7_each_target_replaces_the_recipient_and_the_sender_stays() -> None:
    router = make_router("sales: joe, x@else.example")
    targets = expand(router, "sales@here.example")
    assert [str(target.address) for target in targets] == ["joe@here.example", "x@else.example"]
    assert {target.return_path for target in targets} == {Mailbox("sender", "else.example")}
    assert {target.expanded_via for target in targets} == {("sales",)}
    assert {target.return_path for target in expand(router, "sales@here.example", return_path=None)} == {None}


def test_E7_the_name_at_one_domain_goes_before_the_name_at_any_before_the_rest() -> None:
    text = "a: x@any.example\na@here.example: x@one.example\n@here.example: x@rest.example\n"
    router = make_router(text)
    ends = {
        "a@here.example": "one.example",
        "a@sub.here.example": "any.example",
        "zz@here.example": "rest.example",
        "joe@here.example": None,
    }
    for address, domain in ends.items():
        expected = "joe@here.example local here.example" if domain is None else f"x@{domain} remote {domain}"
        assert tell(router, address) == [expected]
    assert tell(router, "zz@sub.here.example") == ["zz@sub.here.example 5.1.1"]
    assert tell(router, "a@else.example") == ["a@else.example remote else.example"]


def test_E9_the_originator_is_not_removed() -> None:
    router = make_router("team: joe, admin")
    targets = expand(router, "team@here.example", return_path=parse_mailbox("joe@here.example"))
    assert [str(target.address) for target in targets] == ["joe@here.example", "admin@here.example"]


@pytest.mark.parametrize(
    ("aliases", "ends"),
    [
        ("a: b\nb: a", ["a@here.example 5.4.6"]),
        ("a: a", ["a@here.example 5.4.6"]),
        ("a: A", ["A@here.example 5.4.6"]),
        ("a: b\nb: c\nc: b, joe", ["b@here.example 5.4.6", "joe@here.example local here.example"]),
        ("@here.example: a", ["a@here.example 5.4.6"]),
        ("a: joe, joe", ["joe@here.example local here.example"]),
    ],
)
def test_E10_loops_end_for_that_recipient(aliases: str, ends: list[str]) -> None:
    assert tell(make_router(aliases), "a@here.example") == ends


@pytest.mark.parametrize(("length", "end"), [(20, "local here.example"), (21, "5.4.6")])
def test_E10_no_more_than_20_aliases_in_a_row(length: int, end: str) -> None:
    names = [f"n{number}" for number in range(length)] + ["joe"]
    text = "".join(f"{name}: {following}\n" for name, following in pairwise(names))
    assert [line.split(" ", 1)[1] for line in tell(make_router(text), "n0@here.example")] == [end]


def test_E10_P5_an_alias_with_itself_reaches_the_mailbox_however_often_it_is_sorted() -> None:
    router = make_router("joe: joe, x@else.example")
    joe, other = expand(router, "joe@here.example")
    assert (str(joe.address), joe.expanded_via) == ("joe@here.example", ("joe",))
    for _ in range(5):
        ends = run(router, make_recipient(joe.address, expanded_via=joe.expanded_via))
        assert [decision.key for _, decision in ends] == ["local joe@here.example "]  # type: ignore[union-attr]
    assert str(other.address) == "x@else.example"


@pytest.mark.parametrize(
    "aliases",
    [
        "a: joe, joe",
        "a: joe, Joe, JOE",
        "a: b, c\nb: joe\nc: joe",
        "a: b, b@here.example\nb: joe, joe",
    ],
)
def test_E11_equal_local_recipients_get_one_copy(aliases: str) -> None:
    ends = run(make_router(aliases), make_recipient("a@here.example"))
    assert [str(recipient.address) for recipient, _ in ends] == ["joe@here.example"]


def test_E11_equal_remote_recipients_get_one_copy_if_they_ask_for_equal_reports() -> None:
    router = make_router("a: x@ELSE.example, x@else.example, X@else.example")
    assert tell(router, "a@here.example") == [
        "x@ELSE.example remote else.example",
        "X@else.example remote else.example",
    ]
    keys = [
        decision.key  # type: ignore[union-attr]
        for notify in ("SUCCESS,FAILURE", "FAILURE,SUCCESS", "NEVER")
        for _, decision in run(router, make_recipient("x@else.example", notify=notify))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_E11_two_folders_of_one_mailbox_are_two_recipients() -> None:
    assert len(run(make_router("a: joe+x, joe+y, joe"), make_recipient("a@here.example"))) == 3


@pytest.mark.parametrize(
    ("aliases", "notify", "handed_on"),
    [
        ("a: x@else.example", "SUCCESS,DELAY", "SUCCESS,DELAY"),
        ("a: x@else.example", "", ""),
        ("a: x@else.example, joe", "SUCCESS,DELAY", "DELAY"),
        ("a: x@else.example, joe", "SUCCESS", "NEVER"),
        ("a: x@else.example, joe", "NEVER", "NEVER"),
        ("a: x@else.example, joe", "", ""),
    ],
)
def test_E7_E13_what_was_asked_for_is_handed_on(aliases: str, notify: str, handed_on: str) -> None:
    targets = expand(make_router(aliases), "a@here.example", notify=notify, orcpt="rfc822;o@o.example")
    assert {(target.notify, target.orcpt) for target in targets} == {(handed_on, "rfc822;o@o.example")}
    (first, *_) = expand(make_router(aliases), "a@here.example")
    assert first.orcpt == ""


LISTS = "one: x@else.example\nmany: x@else.example, joe\nl: joe, x@else.example\nowner-l: admin\n"
LISTS += "to-one: one\nto-many: many\nto-l: l\nmixed: l, admin\n"


@pytest.mark.parametrize(
    ("alias", "success", "handed_on"),
    [
        ("one", None, "SUCCESS,FAILURE"),
        ("to-one", None, "SUCCESS,FAILURE"),
        ("many", Fate.EXPANDED, "FAILURE"),
        ("to-many", Fate.EXPANDED, "FAILURE"),
        ("l", Fate.DELIVERED, ""),
        ("to-l", Fate.DELIVERED, ""),
    ],
)
def test_E13_H22_what_an_expansion_is_to_who_wants_to_be_told_of_success(
    alias: str, success: Fate | None, handed_on: str
) -> None:
    router = make_router(LISTS)
    asked = make_recipient(f"{alias}@here.example", notify="SUCCESS,FAILURE")
    verdict = sort_recipient(router, asked)
    assert verdict.success is success
    assert isinstance(verdict.decision, Expanded)
    assert {target.notify for target in verdict.decision.targets} == {handed_on}
    for notify in ("", "FAILURE", "NEVER"):
        unasked = make_recipient(f"{alias}@here.example", notify=notify)
        assert sort_recipient(router, unasked).success is None


def test_E13_a_list_among_several_targets_is_told_of_by_the_expansion_alone() -> None:
    router = make_router(LISTS)
    verdict = sort_recipient(router, make_recipient("mixed@here.example", notify="SUCCESS"))
    assert verdict.success is Fate.EXPANDED
    assert isinstance(verdict.decision, Expanded)
    assert {(str(target.return_path), target.notify) for target in verdict.decision.targets} == {
        ("owner-l@here.example", ""),
        ("sender@else.example", "NEVER"),
    }


def test_E8_E12_a_list_has_its_owner_as_return_path_and_gives_reports_to_nobody_else() -> None:
    router = make_router("l: joe, x@else.example\nowner-l: admin")
    members = expand(router, "l@here.example", notify="SUCCESS", orcpt="rfc822;o@o.example")
    assert {(str(member.return_path), member.notify, member.orcpt) for member in members} == {
        ("owner-l@here.example", "", "")
    }
    assert tell(router, "l@here.example", return_path=None) == ["admin@here.example local here.example"]
    reported = expand(router, "l@here.example", return_path=None)
    assert [member.return_path for member in reported] == [None]
    assert tell(router, "owner-l@here.example") == ["admin@here.example local here.example"]


@pytest.mark.parametrize(("extra", "is_refused"), [(0, False), (1, True)])
def test_S5_one_recipient_becomes_at_most_10000(extra: int, is_refused: bool) -> None:
    groups = [range(start, start + 2000) for start in range(0, 10_000, 2000)]
    text = "all: " + ", ".join(f"g{number}" for number in range(len(groups)))
    text += ", one-more@else.example\n" if extra else "\n"
    for number, group in enumerate(groups):
        text += f"g{number}: " + ", ".join(f"u{member}@else.example" for member in group) + "\n"
    decision = sort_recipient(make_router(text), make_recipient("all@here.example")).decision
    if is_refused:
        assert isinstance(decision, Refused)
        assert decision.reply.status == "5.5.3"
    else:
        assert isinstance(decision, Expanded)
        assert len(decision.targets) == MOST_FINAL


def test_S5_aliases_that_name_each_other_end_soon() -> None:
    names = [f"n{number}" for number in range(150)]
    router = make_router("".join(f"{name}: {', '.join(names)}\n" for name in names))
    decision = sort_recipient(router, make_recipient("n0@here.example")).decision
    assert isinstance(decision, Refused)
    assert not judge_recipient(router, parse_mailbox("n0@here.example")).is_positive


def test_P9_of_aliases_in_a_row_all_are_told_and_the_last_one_decided() -> None:
    verdict = sort_recipient(make_router("a: b\nb: joe"), make_recipient("a@here.example"))
    assert [str(look.found) for look in verdict.looks if look.kind == "alias"] == ["a (line 1)", "b (line 2)"]
    assert verdict.looks[-1].found == "b (line 2)"
