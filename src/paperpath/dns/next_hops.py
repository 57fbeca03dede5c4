"""Where mail for a domain, or for the host of a route, goes next: asks, and lets exchangers.py decide.

Called for each attempt anew (RFC 974), so that mail follows when a domain moves; the resolver's cache says
how new that is. It asks for MX, A and AAAA, for nothing else.
"""

import asyncio
import ipaddress
from dataclasses import replace
from random import Random, SystemRandom
from typing import Protocol, TypeVar

from paperpath.dns.answer import Answer, Status
from paperpath.dns.exchangers import Candidates, Family, NextHops, Policy, choose_candidates, choose_hops
from paperpath.dns.records import MX, Exchange, RecordType
from paperpath.mail.domain import domain_key, is_address_literal
from paperpath.mail.reply import Reply

_Value = TypeVar("_Value")


class Asks(Protocol):
    """What is wanted of the resolver."""

    async def resolve(self, name: str, kind: RecordType[_Value]) -> Answer[_Value]:
        """Return the answer."""


async def find_next_hops(
    domain: str, resolver: Asks, policy: Policy, random: Random | None = None
) -> NextHops | Reply:
    """Return where mail for a domain, or an address literal with its brackets, goes; or why nowhere."""
    if is_address_literal(domain):
        return _choose_literal(domain_key(domain), policy)
    name = domain_key(domain)
    answer = await resolver.resolve(name, MX)
    candidates = choose_candidates(name, answer, policy, random or SystemRandom())
    return candidates if isinstance(candidates, Reply) else await _ask_addresses(candidates, resolver, policy)


async def find_host_hops(host: str, resolver: Asks, policy: Policy) -> NextHops | Reply:
    """Return the addresses of a route's host, a name or an address without brackets; or why there are none.

    Whoever wrote the route knows the host, which may be this one on another port.
    """
    trusting = replace(policy, allow_loopback=True)
    if _is_address(host):
        return _choose_address(host, host, _without_us(trusting))
    return await find_named_hops(host, resolver, trusting)


async def find_named_hops(host: str, resolver: Asks, policy: Policy) -> NextHops | Reply:
    """Return the addresses of a host that a stranger named, which may be this one; or why there are none."""
    name = domain_key(host)
    return await _ask_addresses(Candidates(name, (Exchange(0, name),)), resolver, _without_us(policy))


async def _ask_addresses(candidates: Candidates, resolver: Asks, policy: Policy) -> NextHops | Reply:
    """Ask for all addresses at once: `Policy.most_hosts` bounds how many that are."""
    questions = [(exchange.host, family) for exchange in candidates.exchanges for family in policy.families]
    answers = await asyncio.gather(*(resolver.resolve(host, family.kind) for host, family in questions))
    addresses: dict[str, list[Answer[str]]] = {}
    for (host, _), answer in zip(questions, answers, strict=True):
        addresses.setdefault(host, []).append(answer)
    return choose_hops(candidates, addresses, policy)


def _without_us(policy: Policy) -> Policy:
    return replace(policy, own_names=frozenset(), own_addresses=frozenset())


def _choose_literal(literal: str, policy: Policy) -> NextHops | Reply:
    return _choose_address(literal, literal.strip("[]").removeprefix("IPv6:"), policy)


def _choose_address(host: str, address: str, policy: Policy) -> NextHops | Reply:
    """Decide as if the DNS had said so: families do not matter, for nobody can ask for another one."""
    found = Answer(Status.FOUND, (address,), host)
    candidates = Candidates(host, (Exchange(0, host),))
    family = Family.IPV6 if ":" in address else Family.IPV4
    return choose_hops(candidates, {host: [found]}, replace(policy, families=(family,)))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
