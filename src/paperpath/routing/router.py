"""Where an address goes, by all rules: pure. The post office, the ways in and `explain` ask the same router.

A place of this host, as an alias may name one, is believed only if the alias named last names it now; nobody
else can name one (attack L-4). What waits for one that this alias names no more goes to those that it names
instead. So it is with an agent that an alias or an account names (own_targets.py).

For all others the route of the domain comes first (requirement E-1). A local address is, in this order: an
alias; a mailbox; a user of this host, where those have mailboxes; with its detail left out, one of these
three; the postmaster; whatever stands for all other names of the domain. An alias that a recipient went
through once is not applied to it again, so that `joe: joe, x@else.example` reaches joe's mailbox, and x once,
however often joe is sorted (P5, X-16). Those to whom an account forwards are like the targets of an alias
(forwards.py).

The postmaster of every local domain resolves to somebody (RFC 5321 §4.5.1, requirement E-4): to the one whom
the configuration names, if no alias or account says otherwise, and also if those lead to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paperpath.accounts.file import Accounts
from paperpath.accounts.users import UserLookUpError, Users, make_user_way
from paperpath.config.agent_name import find_agent_name, is_agent_way, make_agent_way
from paperpath.config.agent_tables import AgentTable, LmtpTable, MboxTable, ProgramTable
from paperpath.config.tables import PostOfficeTable, RouteEntry
from paperpath.config.via import LOCAL, MX, REFUSE
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.place import is_place
from paperpath.mail.reply import Reply
from paperpath.maildrop.values import Transport
from paperpath.routing.aliases import Alias, Aliases
from paperpath.routing.forwards import (
    apply_rule,
    find_forwarding,
    find_ruler,
    make_forward_key,
    make_forward_way,
    was_ruled,
)
from paperpath.routing.mailboxes import LocalMailbox, find_mailbox, split_detail
from paperpath.routing.own_targets import find_agent_way, is_own_target
from paperpath.routing.steps import (
    R451_BROKEN_LIST,
    R451_USERS_UNKNOWN,
    R550_LOOP,
    Delivery,
    Expansion,
    Look,
    Obstacle,
    Refusal,
    Step,
    Successor,
    Vacancy,
)
from paperpath.smtp import replies

MOST_DEPTH = 20

_NO_AGENTS: Mapping[str, AgentTable] = {}
POSTMASTER_KEY = "[post_office] postmaster"


@dataclass(slots=True)
class _Question:
    """What is asked, and what was looked at so far."""

    address: Mailbox
    expanded_via: tuple[str, ...]
    looks: list[Look] = field(default_factory=list)
    passed_over: bool = False  # an alias that was applied before

    def look(self, kind: str, asked: object, found: object = "") -> None:
        self.looks.append(Look(kind, asked, found))


class Router:
    """The rules of one moment."""

    def __init__(
        self,
        table: PostOfficeTable,
        aliases: Aliases,
        accounts: Accounts,
        agents: Mapping[str, AgentTable] = _NO_AGENTS,
        users: Users | None = None,
    ) -> None:
        """Take the rules; without `users`, those of this host have no mailboxes."""
        self.table = table
        self.aliases = aliases
        self.accounts = accounts
        self.agents = agents
        self.users = users
        self._postmaster = parse_mailbox(table.postmaster)

    def find_refusal(self, address: Mailbox) -> Reply | None:
        """Return what the route of an address refuses it with, if it does."""
        route = self.table.find_route(address.domain) if address.domain else None
        return None if route is None or route.via != REFUSE else _refusal_of(route)

    def find(
        self, address: Mailbox, expanded_via: tuple[str, ...] = (), override: str = ""
    ) -> tuple[Step, list[Look]]:
        """Take one step with an address; give it, and what was looked at.

        `expanded_via` are the keys of the aliases that the address came from, `override` a way that goes
        before all rules but that on places.
        """
        question = _Question(address, expanded_via)
        if override and not is_place(address):
            question.look("override", address, override)
            return self._go(question, override), question.looks
        if is_place(address):
            step = self._find_place(question)
        elif expanded_via and is_agent_way(expanded_via[-1]):
            step = self._find_named_agent(question, find_agent_name(expanded_via[-1]))
        else:
            step = self._find_forward(question) or self._follow_route(question)
        if isinstance(step, Refusal) and any(map(_is_postmaster_key, expanded_via)):
            step = self._save_for_postmaster(question)
        return step, question.looks

    def _find_place(self, question: _Question) -> Step:
        """Deal with a program, a file or a folder of this host, whoever named it."""
        address, via = question.address, question.expanded_via
        alias = self.aliases.find_with_own_targets(via[-1]) if via else None
        if alias is not None and address in alias.targets:
            question.look("place", address.local, f"{alias.key} names it")
            return Delivery(Transport.LOCAL, address.local, address)
        return self._ask_alias_anew(question, alias)

    def _find_named_agent(self, question: _Question, name: str) -> Step:
        """Deal with mail that an alias or an account gives to an agent, if it does so still."""
        *via, way = question.expanded_via
        if find_ruler(via) is not None:
            return self._find_agent_of_account(question, name)
        alias = self.aliases.find_with_own_targets(via[-1]) if via else None
        if alias is not None and any(find_agent_way(target) == way for target in alias.targets):
            question.look("alias", question.address, f"{alias.key} names {way}")
            return self._hand_to_agent(question, name, question.address, by=way)
        return self._ask_alias_anew(question, alias)

    def _find_agent_of_account(self, question: _Question, name: str) -> Step:
        """Deal with what an account gives to an agent; if it does so no more, with its mail."""
        *via, way = question.expanded_via
        ruler = find_ruler(via)
        account = None if ruler is None else self.accounts.find_exact(ruler)
        if account is None or not account.settings.agents:
            return self._follow_route(question)
        if name not in account.settings.agents:
            question.look("forward", account.address, "to other agents now")
            others = apply_rule(account, question.address, self.agents)
            return Expansion(make_forward_key(account), tuple(one for one in others if len(one.keys) > 1))
        question.look("forward", account.address, way)
        _, detail = split_detail(question.address, self.table.separator)
        return self._hand_to_agent(question, name, account.address, detail, by=way)

    def _ask_alias_anew(self, question: _Question, alias: Alias | None) -> Step:
        """Have mail that an alias gave to a place or an agent go to those that it names instead."""
        if alias is None:
            question.look("alias", question.expanded_via[-1] if question.expanded_via else "")
            return Refusal(replies.R550_NO_SUCH_MAILBOX)
        if alias.trouble:
            return self._stop_at_list(question, alias)
        question.look("alias", alias.key, "names others now")
        named = question.address if question.address.domain else self._find_name(alias)
        own = filter(is_own_target, alias.targets)
        return Expansion(alias.key, tuple(_succeed(alias, target, named) for target in own))

    def _find_name(self, alias: Alias) -> Mailbox:
        """Return an address of an alias, where it is not known by which one it was come to."""
        if not alias.local:
            return self._postmaster
        return Mailbox(alias.local, alias.domain or self._postmaster.domain)

    def _stop_at_list(self, question: _Question, alias: Alias) -> Obstacle:
        question.look("list", alias.key, alias.trouble)
        return Obstacle(R451_BROKEN_LIST)

    def _find_forward(self, question: _Question) -> Step | None:
        """Deal with somebody to whom an account forwards, whatever the routes say: that is asked anew."""
        account = find_forwarding(question.address, question.expanded_via, self.accounts)
        if account is None:
            return None
        question.look("forward", question.address, f"by {account.address}")
        return Delivery(Transport.LOCAL, make_forward_way(account), question.address, by=str(account.address))

    def _follow_route(self, question: _Question) -> Step:
        domain = question.address.domain
        if not domain:
            question.look("route", "", LOCAL)
            return self._look_here(question)
        route = self.table.find_route(domain)
        if route is None:
            question.look("route", domain, f"none, so {MX}")
            return self._go(question, MX)
        question.look("route", domain, f"{route.domain}: {route.via}")
        if route.via == REFUSE:
            return Refusal(_refusal_of(route))
        return self._look_here(question) if route.via == LOCAL else self._go(question, route.via)

    def _go(self, question: _Question, via: str) -> Step:
        """Have an address go some way, past all aliases."""
        if via == LOCAL:
            return (
                self._look_in_mailboxes(question)
                or self._look_in_users(question, question.address)
                or self._look_in_users(question, *split_detail(question.address, self.table.separator))
                or Refusal(replies.R550_NO_SUCH_MAILBOX)
            )
        if via == REFUSE:
            return Refusal(replies.R550_NOT_RELAYED)
        address = question.address
        if is_agent_way(via):
            return self._hand_to_agent(question, find_agent_name(via), address)
        return Delivery(Transport.REMOTE, domain_key(address.domain) if via == MX else via, address)

    def _hand_to_agent(
        self, question: _Question, name: str, address: Mailbox, detail: str = "", by: str = ""
    ) -> Delivery:
        table = self.agents.get(name)
        question.look("agent", name, "not there" if table is None else table.kind)
        if isinstance(table, LmtpTable):  # which may have a folder for the detail
            placed = Mailbox(f"{address.local}{self.table.separator}{detail}", address.domain)
            return Delivery(Transport.REMOTE, table.to, placed if detail else address, by=by)
        # What may make us wait may do so for one recipient and not for another: each is a destination.
        recipient = str(address) if isinstance(table, MboxTable | ProgramTable) else ""
        return Delivery(Transport.LOCAL, make_agent_way(name, recipient), address, detail, by)

    def _look_here(self, question: _Question) -> Step:
        return (
            self._look_in_aliases(question, question.address)
            or self._look_in_accounts(question)
            or self._look_in_users(question, question.address)
            or self._look_without_detail(question)
            or self._look_for_postmaster(question)
            or self._look_for_rest(question)
            or self._give_up(question)
        )

    def _look_in_aliases(
        self, question: _Question, address: Mailbox, detail: str | None = None
    ) -> Step | None:
        return self._apply(question, self.aliases.find(address), address, detail)

    def _look_in_accounts(self, question: _Question) -> Step | None:
        account = self.accounts.find(question.address)
        question.look("account", question.address, "" if account is None else account.address)
        return None if account is None else self._give_to(question, LocalMailbox(account, ""))

    def _look_in_mailboxes(self, question: _Question) -> Step | None:
        mailbox = find_mailbox(question.address, self.accounts, self.table.separator)
        question.look("account", question.address, "" if mailbox is None else mailbox.account.address)
        return None if mailbox is None else self._give_to(question, mailbox)

    def _give_to(self, question: _Question, mailbox: LocalMailbox) -> Step:
        """Deliver to an account, or forward what comes for it, unless that is its own copy of it."""
        account, settings = mailbox.account, mailbox.account.settings
        if (ways := settings.forward_ways) and not was_ruled(account, question.expanded_via):
            question.look("forward", account.address, ", ".join(ways))
            successors = apply_rule(account, question.address, self.agents)
            return Expansion(make_forward_key(account), successors)
        if settings.deliver:
            return self._hand_to_agent(question, settings.deliver, account.address, mailbox.detail)
        return _put_into(mailbox)

    def _look_without_detail(self, question: _Question) -> Step | None:
        base, detail = split_detail(question.address, self.table.separator)
        if base is None:
            return None
        return (
            self._look_in_aliases(question, base, detail)
            or self._look_in_mailboxes(question)
            or self._look_in_users(question, base, detail)
        )

    def _look_in_users(self, question: _Question, address: Mailbox | None, detail: str = "") -> Step | None:
        """Look for a user of this host of the address's name, at whichever local domain that is."""
        if self.users is None or address is None:
            return None
        try:
            user = self.users.find(address.local)
        except UserLookUpError as error:
            question.look("user", address, error)
            return Obstacle(R451_USERS_UNKNOWN, _put_into_home(address.local, address, detail))
        question.look("user", address, "" if user is None else f"{user.name}, uid {user.uid}")
        return None if user is None else _put_into_home(user.name, address, detail)

    def _look_for_postmaster(self, question: _Question) -> Step | None:
        if not question.address.is_postmaster or POSTMASTER_KEY in question.expanded_via:
            return None
        return self._replace_postmaster(question)

    def _look_for_rest(self, question: _Question) -> Step | None:
        address = question.address
        return self._apply(
            question, self.aliases.find_rest(address.domain), Mailbox("", address.domain), None
        )

    def _give_up(self, question: _Question) -> Step:
        return Refusal(R550_LOOP if question.passed_over else replies.R550_NO_SUCH_MAILBOX)

    def _save_for_postmaster(self, question: _Question) -> Step:
        """Deal with what a postmaster's mail was refused for: it must reach somebody."""
        if POSTMASTER_KEY in question.expanded_via:
            question.look("postmaster", question.address)
            return Vacancy()
        return self._replace_postmaster(question)

    def _replace_postmaster(self, question: _Question) -> Expansion:
        question.look("postmaster", question.address, self._postmaster)
        return Expansion(POSTMASTER_KEY, (Successor(self._postmaster, (POSTMASTER_KEY,)),))

    def _apply(
        self, question: _Question, alias: Alias | None, address: Mailbox, detail: str | None
    ) -> Step | None:
        """Replace the recipient by an alias's targets, unless it went through this alias before."""
        asked = address if address.local else f"@{address.domain}"
        if alias is None:
            question.look("alias", asked)
            return None
        if alias.key in question.expanded_via:
            question.look("alias", asked, f"{alias.key} (line {alias.line}), applied before")
            question.passed_over = True
            return None
        question.look("alias", asked, f"{alias.key} (line {alias.line})")
        if len(question.expanded_via) >= MOST_DEPTH:
            question.look("depth", f"{MOST_DEPTH} aliases", "no more are applied")
            return Refusal(R550_LOOP)
        if alias.trouble:
            return self._stop_at_list(question, alias)
        domain = address.domain or self._postmaster.domain
        placed = (self._place(target, domain, alias, detail) for target in alias.targets)
        successors = tuple(_succeed(alias, target, question.address) for target in dict.fromkeys(placed))
        return Expansion(alias.key, successors, self.aliases.find_owner(alias, domain))

    def _place(self, target: Mailbox, domain: str, alias: Alias, detail: str | None) -> Mailbox:
        """Give a target its domain; an alias that names itself keeps the detail for its own mailbox."""
        placed = target if target.domain or is_own_target(target) else Mailbox(target.local, domain)
        is_at_home = domain_key(placed.domain) == domain_key(domain)
        if detail is not None and is_at_home and self.aliases.find(placed) is alias:
            return Mailbox(f"{placed.local}{self.table.separator}{detail}", placed.domain)
        return placed


def _succeed(alias: Alias, target: Mailbox, named: Mailbox) -> Successor:
    """Return whom a target of an alias is: an agent gets the mail of the address that was named."""
    way = find_agent_way(target)
    return Successor(named, (alias.key, way)) if way else Successor(target, (alias.key,))


def _refusal_of(route: RouteEntry) -> Reply:
    return route.reply or replies.R550_NOT_RELAYED


def _put_into_home(name: str, address: Mailbox, detail: str) -> Delivery:
    return Delivery(Transport.LOCAL, make_user_way(name), Mailbox(name, address.domain), detail)


def _put_into(mailbox: LocalMailbox) -> Delivery:
    address = mailbox.account.address
    return Delivery(Transport.LOCAL, domain_key(address.domain), address, mailbox.detail)


def _is_postmaster_key(key: str) -> bool:
    return key == POSTMASTER_KEY or key.partition("@")[0].lower() == "postmaster"
