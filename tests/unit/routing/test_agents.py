"""Agents by route, by account and by alias, and what accounts forward (E-11, E-12, E-16, F-14, L-4)."""

import pytest

from paperpath.config.tables import PostOfficeTable
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.notification import Fate
from paperpath.maildrop.values import Aside, Expanded, Sorted
from paperpath.routing.aliases import Alias, Aliases
from paperpath.routing.files import fingerprint
from paperpath.routing.forwards import find_ruler, is_silent
from paperpath.routing.router import Router
from paperpath.routing.sorting import judge_recipient, sort_recipient
from tests.unit.routing.rules import ROUTES, make_recipient, make_router, make_table, run, tell

JOE = Mailbox("joe", "here.example")
ANN = "ann@here.example"
AGENTS = {
    "nowhere": {"kind": "discard"},
    "box": {"kind": "mbox", "path": "/var/mail/{account}"},
    "store": {"kind": "lmtp", "to": "lmtp://unix:/run/lmtp"},
}
PROGRAM = "|/bin/x 'a b' {recipient}"


def make_routed(via: str) -> PostOfficeTable:
    return make_table((*ROUTES, ("all.example", via)))


def test_a_route_gives_all_addresses_of_a_domain_to_an_agent() -> None:
    router = make_router("any: joe", table=make_routed("agent:nowhere"), agents=AGENTS)
    assert tell(router, "any@all.example") == ["any@all.example local agent:nowhere"]
    assert judge_recipient(router, Mailbox("whoever", "all.example")).is_positive
    router = make_router(table=make_routed("agent:store"), agents=AGENTS)
    assert tell(router, "any@all.example") == ["any@all.example remote lmtp://unix:/run/lmtp"]


def test_the_operator_names_an_agent_for_one_recipient() -> None:
    router = make_router("joe: x@else.example", agents=AGENTS)
    assert tell(router, "joe@here.example", route_override="agent:nowhere") == [
        "joe@here.example local agent:nowhere"
    ]


@pytest.mark.parametrize(
    ("agent", "end"),
    [("nowhere", "local agent:nowhere"), ("box", f"local agent:box {ANN}"), ("gone", "local agent:gone"),
     ("store", "remote lmtp://unix:/run/lmtp")],
)  # fmt: skip
def test_an_account_has_an_agent(agent: str, end: str) -> None:
    router = make_router(accounts=(f"{ANN}\tdeliver={agent}",), agents=AGENTS)
    for address in (ANN, "Ann+list@here.example"):
        assert tell(router, address) == [f"{address} {end}"]
    _, looks = router.find(Mailbox("ann", "here.example"))
    assert (looks[-1].kind, looks[-1].asked) == ("agent", agent)


@pytest.mark.parametrize("place", [PROGRAM, "/var/mail/list", "/var/mail/list/"])
def test_L4_a_place_is_believed_while_the_alias_named_last_names_it(place: str) -> None:
    router = make_router(f'list: "{place}", joe\nother: joe')
    recipient = make_recipient(Mailbox(place, ""), expanded_via=("list",))
    decision = sort_recipient(router, recipient).decision
    assert isinstance(decision, Sorted)
    assert (decision.transport.value, decision.destination, decision.address) == (
        "local",
        place,
        recipient.address,
    )
    for via in ((), ("other",), ("list", "other"), ("gone",)):
        assert tell(router, recipient.address, expanded_via=via)[0].endswith(" 5.1.1")
    assert tell(make_router("list: joe"), recipient.address, expanded_via=("list",))[0].endswith(" 5.1.1")


def test_E4_what_waits_for_the_postmasters_program_reaches_somebody_without_it() -> None:
    recipient = make_recipient(Mailbox(PROGRAM, ""), expanded_via=("postmaster",))
    for aliases in ("postmaster: joe", ""):
        ends = run(make_router(aliases), recipient)
        assert [str(end.address) for end, _ in ends] == ["admin@here.example"]
    assert tell(make_router(), recipient.address, expanded_via=("[post_office] postmaster",))[0].endswith(
        "held"
    )


def test_P2_what_waits_for_a_place_goes_to_those_that_the_alias_names_now() -> None:
    """Such as the program whose path was mended; by their keys nobody gets a copy twice."""
    router = make_router('list: "|/bin/new", /box, joe')
    for place in ("|/bin/old", "/old"):
        recipient = make_recipient(Mailbox(place, ""), expanded_via=("list",), return_path=None)
        ends = run(router, recipient)
        assert [end.address.local for end, _ in ends] == ["|/bin/new", "/box"]
        assert all(isinstance(decision, Sorted) and end.return_path is None for end, decision in ends)


@pytest.mark.parametrize("place", [PROGRAM, "/var/mail/list", "/var/mail/list/"])
@pytest.mark.parametrize("domain", ["", "here.example", "nowhere.here.example"])
def test_L4_nobody_names_a_place_by_an_address(place: str, domain: str) -> None:
    router = make_router(f'list: "{place}"')
    address = Mailbox(place, domain)
    assert judge_recipient(router, address).code == 550
    for override in ("", "local", "mx", "agent:box"):
        if not domain:
            assert tell(router, address, route_override=override)[0].endswith(" 5.1.1")
    assert tell(router, address)[0].endswith(" 5.1.1")


def test_E11_a_program_that_two_aliases_name_runs_once() -> None:
    router = make_router(f'a: b, c\nb: "{PROGRAM}"\nc: "{PROGRAM}"')
    assert [end.address for end, _ in run(router, make_recipient("a@here.example"))] == [Mailbox(PROGRAM, "")]


def test_E11_a_program_runs_for_each_address_that_was_accepted_and_a_file_gets_one_copy() -> None:
    """It is told whom it runs for: a ticket for sales is none for help."""
    router = make_router(f'sales: "{PROGRAM}", /box\nhelp: "{PROGRAM}", /box')

    def keys_of(place: str) -> list[str]:
        accepted = ("sales@here.example", "sales+x@here.example", "help@here.example", "sales@HERE.example")
        recipients = (
            make_recipient(Mailbox(place, ""), accepted_address=parse_mailbox(text), expanded_via=("sales",))
            for text in accepted
        )
        decisions = [sort_recipient(router, recipient).decision for recipient in recipients]
        return [decision.key for decision in decisions if isinstance(decision, Sorted)]

    first, *others, again = keys_of(PROGRAM)
    assert len({first, *others}) == 3
    assert first == again
    assert len(set(keys_of("/box"))) == 1


def test_E11_a_detail_is_another_recipient_for_a_server_that_may_have_a_folder_for_it() -> None:
    router = make_router(accounts=(f"{ANN}\tdeliver=store",), agents=AGENTS)
    keys = set()
    for address in (ANN, "ann+a@here.example", "Ann+a@here.example", "ann+b@here.example"):
        decision = sort_recipient(router, make_recipient(address)).decision
        assert isinstance(decision, Sorted)
        keys.add(decision.key)
    assert len(keys) == 3


@pytest.mark.parametrize("place", [PROGRAM, "/var/mail/list"])
def test_P2_what_waits_for_a_place_does_not_go_back_for_a_list_that_cannot_be_read(place: str) -> None:
    alias = Alias("list", "", (JOE,), trouble="/list: gone")
    router = Router(make_table(), Aliases([alias]), make_router().accounts)
    recipient = make_recipient(Mailbox(place, ""), expanded_via=("list",))
    assert isinstance(sort_recipient(router, recipient).decision, Aside)
    assert judge_recipient(router, recipient.address).code == 550


def test_a_list_that_cannot_be_read_holds_mail_and_defers_at_the_door() -> None:
    alias = Alias("list", "", (JOE,), trouble="/list: gone")
    router = Router(make_table(), Aliases([alias]), make_router().accounts)
    assert isinstance(sort_recipient(router, make_recipient("list@here.example")).decision, Aside)
    assert judge_recipient(router, Mailbox("list", "here.example")).code == 451


FORWARDING = (f"{ANN}\tforward=x@else.example\tforward=joe@here.example", "joe@here.example")
KEEPING = (f"{ANN}\tforward=x@else.example\tkeep",)


def test_E16_what_an_account_forwards_goes_on_from_local_delivery() -> None:
    assert tell(make_router(accounts=FORWARDING), ANN) == [
        f"x@else.example local forward:{ANN}",
        f"joe@here.example local forward:{ANN}",
    ]
    kept = tell(make_router(accounts=KEEPING), "ann+x@here.example")
    assert kept == ["ann+x@here.example local here.example", f"x@else.example local forward:{ANN}"]


def test_E16_a_rule_that_is_no_more_forwards_nothing() -> None:
    via = (f"forward {ANN}",)
    for accounts, ends in (
        (FORWARDING, f"x@else.example local forward:{ANN}"),
        ((ANN,), "x@else.example remote else.example"),
        ((), "x@else.example remote else.example"),
        ((f"{ANN}\tforward=y@else.example",), "x@else.example remote else.example"),
    ):
        router = make_router(accounts=accounts)
        assert tell(router, "x@else.example", expanded_via=via) == [ends]
    assert tell(make_router(accounts=(ANN,)), ANN, expanded_via=via) == [f"{ANN} local here.example"]


def test_E12_E13_the_null_sender_stays_null_and_one_target_takes_all_wishes() -> None:
    wishes = {"notify": "SUCCESS,FAILURE", "orcpt": "rfc822;ann", "return_path": None}
    one = make_router(accounts=(f"{ANN}\tforward=x@else.example",))
    verdict = sort_recipient(one, make_recipient(ANN, **wishes))
    assert isinstance(verdict.decision, Expanded)
    (target,) = verdict.decision.targets
    assert (target.return_path, target.notify, target.orcpt) == (None, "SUCCESS,FAILURE", "rfc822;ann")
    assert verdict.success is None
    verdict = sort_recipient(make_router(accounts=FORWARDING), make_recipient(ANN, **wishes))
    assert isinstance(verdict.decision, Expanded)
    assert [target.notify for target in verdict.decision.targets] == ["FAILURE", "FAILURE"]
    assert verdict.success is Fate.EXPANDED


def test_the_one_whom_two_accounts_forward_to_gets_both_and_one_is_not_the_other() -> None:
    accounts = (f"{ANN}\tforward=x@else.example", "bob@here.example\tforward=x@else.example")
    ends = tell(make_router("both: ann, bob, x@else.example", accounts), "both@here.example")
    assert ends == [
        f"x@else.example local forward:{ANN}",
        "x@else.example local forward:bob@here.example",
        "x@else.example remote else.example",
    ]


HANDING = (f"{ANN}\tforward=agent:box\tforward=agent:store\tforward=agent:nowhere\tkeep",)
OTHER_AGENTS = {**AGENTS, "run": {"kind": "program", "command": ["/bin/x"]}}


def test_an_account_forwards_to_agents_of_every_kind_and_keeps_its_copy() -> None:
    router = make_router(accounts=HANDING, agents=AGENTS)
    for address in (ANN, "Ann+x@here.example"):
        assert tell(router, address) == [
            f"{address} local here.example",
            f"{address} local agent:box {ANN}",
            f"{address} remote lmtp://unix:/run/lmtp",
            f"{address} local agent:nowhere",
        ]
    keys = [decision.key for _, decision in run(router, make_recipient(ANN)) if isinstance(decision, Sorted)]
    assert len(set(keys)) == 4
    by_agent = make_router(accounts=(f"{ANN}\tdeliver=box\tforward=agent:run\tkeep",), agents=OTHER_AGENTS)
    assert tell(by_agent, ANN) == [f"{ANN} local agent:box {ANN}", f"{ANN} local agent:run {ANN}"]


def test_an_alias_names_an_agent_which_gets_the_address_that_was_asked_for() -> None:
    router = make_router('info: agent:store, "agent:nowhere", joe', agents=AGENTS)
    assert tell(router, "info+x@here.example") == [
        "info+x@here.example remote lmtp://unix:/run/lmtp",
        "info+x@here.example local agent:nowhere",
        "joe@here.example local here.example",
    ]
    assert judge_recipient(router, Mailbox("info", "here.example")).is_positive
    through = make_router("both: info, ann\ninfo: agent:box", accounts=HANDING, agents=AGENTS)
    assert tell(through, "both@here.example")[:2] == [
        "info@here.example local agent:box info@here.example",
        f"{ANN} local here.example",
    ]


@pytest.mark.parametrize("rules", [("info: agent:box", ()), ("", HANDING)])
def test_L4_an_agent_is_believed_while_the_alias_or_account_named_last_names_it(
    rules: tuple[str, tuple[str, ...]],
) -> None:
    aliases, accounts = rules
    router = make_router(aliases, (*accounts, "joe@here.example"), agents=AGENTS)
    for via in ((), ("other",), ("joe",), ("forward joe@here.example",), ("forward x",), ("agent:box",)):
        ends = tell(router, "x@here.example", expanded_via=(*via, "agent:box"))
        assert ends == ["x@here.example 5.1.1"]


def test_P2_what_waits_for_an_agent_goes_to_those_that_are_named_now() -> None:
    via = ("info", "agent:gone")
    for aliases, end in (
        ("info: agent:box, joe", "info@here.example local agent:box info@here.example"),
        ("info: /box, joe", "/box local /box"),
        ("info: joe", "info@here.example 5.1.1"),
    ):
        assert tell(make_router(aliases, agents=AGENTS), "info@here.example", expanded_via=via) == [end]
    place = make_recipient(Mailbox(PROGRAM, ""), expanded_via=("info",))
    (only,) = run(make_router("info: agent:box", agents=AGENTS), place)
    assert (str(only[0].address), only[1].destination) == (  # type: ignore[union-attr]
        "info@here.example",
        "agent:box info@here.example",
    )


@pytest.mark.parametrize("key", ["forward", "also forward"])
def test_P2_what_waits_for_an_accounts_agent_goes_where_the_account_says_now(key: str) -> None:
    via = (f"{key} {ANN}", "agent:gone")
    for rule, end in (
        ("\tforward=agent:nowhere\tforward=x@else.example", f"{ANN} local agent:nowhere"),
        ("\tforward=x@else.example", f"{ANN} local here.example"),
        ("", f"{ANN} local here.example"),
        ("\tdeliver=box", f"{ANN} local agent:box {ANN}"),
    ):
        router = make_router(accounts=(f"{ANN}{rule}",), agents=AGENTS)
        assert tell(router, ANN, expanded_via=via) == [end]
    assert tell(make_router(), ANN, expanded_via=via) == [f"{ANN} 5.1.1"]


def test_an_agents_mail_goes_by_another_way_if_the_operator_says_so() -> None:
    router = make_router(accounts=HANDING, agents=AGENTS)
    via = (f"forward {ANN}", "agent:box")
    assert tell(router, ANN, expanded_via=via, route_override="agent:nowhere") == [
        f"{ANN} local agent:nowhere"
    ]


@pytest.mark.parametrize(
    ("rule", "speaker"),
    [
        ("forward=agent:box\tforward=x@else.example\tforward=joe@here.example\tkeep", "x@else.example"),
        ("forward=agent:run\tforward=agent:nowhere\tkeep", "here.example"),
        ("deliver=nowhere\tforward=agent:run\tforward=agent:box\tkeep", f"agent:run {ANN}"),
        ("forward=agent:nowhere\tforward=agent:store", "lmtp://unix:/run/lmtp"),
        ("deliver=box\tforward=agent:nowhere\tkeep", f"agent:box {ANN}"),
    ],
)
def test_E16_one_speaks_for_an_account_where_a_message_comes_back(rule: str, speaker: str) -> None:
    """And it is one who looks for that: who discards does not."""
    router = make_router(accounts=(f"{ANN}\t{rule}", "joe@here.example"), agents=OTHER_AGENTS)
    ends = run(router, make_recipient("ann+x@here.example"))
    speaking = [
        str(recipient.address) if "forward:" in decision.destination else decision.destination
        for recipient, decision in ends
        if isinstance(decision, Sorted) and not is_silent(recipient.expanded_via)
    ]
    assert speaking == [speaker]
    assert all(find_ruler(recipient.expanded_via) == Mailbox("ann", "here.example") for recipient, _ in ends)


def test_E16_where_all_is_discarded_nobody_is_silent() -> None:
    router = make_router(accounts=(f"{ANN}\tforward=agent:nowhere",), agents=AGENTS)
    ((recipient, _),) = run(router, make_recipient(ANN))
    assert not is_silent(recipient.expanded_via)


def test_P5_what_waits_is_sorted_again_when_an_account_or_an_agent_changes() -> None:
    rules = [
        make_router(accounts=accounts, agents=agents)
        for accounts in ((ANN,), (f"{ANN}\tdeliver=store",), FORWARDING[:1], KEEPING, HANDING)
        for agents in ({}, AGENTS, {**AGENTS, "store": {"kind": "lmtp", "to": "lmtp://localhost:24"}})
    ]
    assert len(set(map(fingerprint, rules))) == len(rules)
    assert fingerprint(make_router(accounts=(ANN,))) == fingerprint(make_router())
