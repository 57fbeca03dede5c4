"""Which hosts take mail for a domain, and in which order (RFC 5321 §5.1, RFC 7505): the decisions.

Called by next_hops.py, which asks the DNS in between. Pure: answers in, next hops or a reply out. Rules:

1. Where there are MX records, the domain's own addresses are never used; where nothing is known of them,
   nothing is decided but to wait.
2. If this host is among them, whoever has its preference or a worse one is left out: no mail goes in circles.
3. Nobody makes us ask or connect without limit: a domain may name any number of hosts, of any other domain.
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice, zip_longest
from random import Random

from paperpath.dns.answer import Answer, Status
from paperpath.dns.records import AAAA, MX, A, Exchange, RecordType
from paperpath.mail.reply import Reply, make_reply

_MOST_REASONS = 4  # as many as one line of a reply has room for
_IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


class Family(Enum):
    """A family of addresses."""

    IPV6 = "ipv6"
    IPV4 = "ipv4"

    @property
    def kind(self) -> RecordType[str]:
        """The records that have such addresses."""
        return AAAA if self is Family.IPV6 else A


@dataclass(frozen=True, slots=True)
class Policy:
    """Who we are, and what we contact."""

    own_names: frozenset[str] = frozenset()
    """Names of this host, as `domain_key` gives them."""
    own_addresses: frozenset[str] = frozenset()
    """Addresses of this host, also those that others see behind a NAT, as `ipaddress` writes them."""
    families: tuple[Family, ...] = (Family.IPV6, Family.IPV4)
    """Which addresses are contacted, in this order for each host."""
    allow_loopback: bool = False
    """Whether addresses of the loopback network may be meant."""
    most_hosts: int = 10
    most_addresses: int = 4
    """Of each host."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A host of which DNSSEC vouches that it takes a domain's mail (RFC 7672 §2.2.1), and what else it says.

    `canonical`: the name at the end of the host's aliases. `is_secure`: DNSSEC vouches for these and for the
    address as well. `domains`: the domain's names, the one that was asked for and where its aliases end.
    """

    canonical: str
    is_secure: bool
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NextHop:
    """A host and one of its addresses. `identity`: `None` where anybody may have said that it is the host."""

    host: str
    address: str
    preference: int
    identity: Identity | None = None


NextHops = tuple[NextHop, ...]
"""Where to try, in this order; at least one."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The hosts whose addresses are wanted, best first.

    `names`: those of the domain for which DNSSEC vouches that these are its hosts; none where it does not.
    `meets_us`: others were left out by rule 2.
    """

    domain: str
    exchanges: tuple[Exchange, ...]
    names: tuple[str, ...] = ()
    meets_us: bool = False


def choose_candidates(
    domain: str, answer: Answer[Exchange], policy: Policy, random: Random
) -> Candidates | Reply:
    """Decide by the answer about a domain's MX records. Hosts of equal preference get a random order."""
    if answer.is_temporary:
        return _make_unknown(domain, [_explain(MX, domain, answer)])
    if answer.status is Status.NXDOMAIN:
        return make_reply(550, "5.1.2", f"There is no domain {domain}: {_explain(MX, domain, answer)}")
    named = [exchange for exchange in answer.records if exchange.host]
    if answer.records and not named:  # RFC 7505 §3
        return make_reply(556, "5.1.10", f"The domain {domain} takes no mail: its MX record is null")
    # RFC 5321 §5.1: without MX records the name itself is the host.
    ordered = _put_in_order(named or [Exchange(0, domain)], random)
    better = _leave_out(ordered, _find_own_preference(ordered, policy))
    if not better:
        return _make_circle(domain)
    kept = tuple(better[: policy.most_hosts])
    names = _find_secure_names(domain, answer, has_exchangers=bool(named))
    return Candidates(domain, kept, names, meets_us=len(better) < len(ordered))


def choose_hops(
    candidates: Candidates, addresses: Mapping[str, Sequence[Answer[str]]], policy: Policy
) -> NextHops | Reply:
    """Decide by the addresses of the candidates: an answer for each family of the policy, in its order."""
    ours = [
        exchange.preference for exchange in candidates.exchanges if _is_us(addresses[exchange.host], policy)
    ]
    better = _leave_out(candidates.exchanges, min(ours, default=None))
    hops: dict[str, NextHop] = {}
    for exchange in better:
        for hop in _list_hops(exchange, addresses[exchange.host], candidates.names, policy):
            hops.setdefault(hop.address, hop)
    if hops:
        return tuple(hops.values())
    answers = [(exchange.host, addresses[exchange.host]) for exchange in better]
    reasons = list(islice(_find_reasons(answers, policy, temporary=True), _MOST_REASONS))
    if reasons:
        return _make_unknown(candidates.domain, reasons)
    if ours or candidates.meets_us:
        return _make_circle(candidates.domain)
    reasons = list(islice(_find_reasons(answers, policy, temporary=False), _MOST_REASONS))
    text = f"No host that takes mail for {candidates.domain} has an address to connect to"
    return make_reply(550, "5.4.4", f"{text}: {'; '.join(reasons)}")


def _find_secure_names(domain: str, answer: Answer[Exchange], *, has_exchangers: bool) -> tuple[str, ...]:
    if answer.is_secure:
        return tuple(dict.fromkeys((domain, answer.canonical or domain)))
    # Without MX records the host is the domain itself: that is its name, whoever says so (RFC 7672 §2.2.2).
    return () if has_exchangers else (domain,)


def _put_in_order(exchanges: Sequence[Exchange], random: Random) -> list[Exchange]:
    best: dict[str, Exchange] = {}
    for exchange in sorted(exchanges, key=lambda exchange: (exchange.preference, random.random())):
        best.setdefault(exchange.host, exchange)
    return list(best.values())


def _find_own_preference(exchanges: Sequence[Exchange], policy: Policy) -> int | None:
    return min((each.preference for each in exchanges if each.host in policy.own_names), default=None)


def _leave_out(exchanges: Sequence[Exchange], own_preference: int | None) -> Sequence[Exchange]:
    """Return those that are better than ourselves (RFC 5321 §5.1)."""
    if own_preference is None:
        return exchanges
    return [exchange for exchange in exchanges if exchange.preference < own_preference]


def _is_us(answers: Sequence[Answer[str]], policy: Policy) -> bool:
    return any(
        answer.canonical in policy.own_names
        or any(
            not _refuse(each, policy) and str(_read(each)) in policy.own_addresses for each in answer.records
        )
        for answer in answers
    )


def _list_hops(
    exchange: Exchange, answers: Sequence[Answer[str]], names: tuple[str, ...], policy: Policy
) -> Iterator[NextHop]:
    """Yield the first addresses, by family; no family keeps another out by having many."""
    families = [[each for each in answer.records if not _refuse(each, policy)] for answer in answers]
    in_turn = (each for each in chain(*zip_longest(*families)) if each is not None)
    kept = set(islice(in_turn, policy.most_addresses))
    for answer, usable in zip(answers, families, strict=True):
        canonical = answer.canonical or exchange.host
        identity = Identity(canonical, answer.is_secure, names) if names else None
        for address in usable:
            if address in kept:
                yield NextHop(exchange.host, address, exchange.preference, identity)


def _refuse(address: str, policy: Policy) -> str:
    """Return why an address is contacted by nobody, or nothing."""
    found = _read(address)
    if found.is_unspecified or found.is_multicast or found == _BROADCAST or found in _THIS_NETWORK:
        return "is the address of no host"
    if found.is_loopback and not policy.allow_loopback:
        return "means every host itself"
    return ""


def _read(address: str) -> _IpAddress:
    """Read an address; one of IPv4 in the clothes of IPv6 is what it is (RFC 4291 §2.5.5.2)."""
    found = ipaddress.ip_address(address)
    return (isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped) or found


def _find_reasons(
    answers: Sequence[tuple[str, Sequence[Answer[str]]]], policy: Policy, *, temporary: bool
) -> Iterator[str]:
    for host, asked in answers:
        for family, answer in zip(policy.families, asked, strict=False):
            if answer.is_temporary is temporary:
                yield _explain_addresses(family, host, answer, policy)


def _explain_addresses(family: Family, host: str, answer: Answer[str], policy: Policy) -> str:
    if not answer.records:
        return _explain(family.kind, host, answer)
    return f"{host}: {answer.records[0]} {_refuse(answer.records[0], policy)}"


def _explain(kind: RecordType[object], name: str, answer: Answer[object]) -> str:
    return f"{kind} of {name}: {answer.detail or answer.status.value}"


def _make_unknown(domain: str, reasons: Sequence[str]) -> Reply:
    text = f"The DNS does not tell now who takes mail for {domain}"
    return make_reply(451, "4.4.3", f"{text}: {'; '.join(reasons)}")


def _make_circle(domain: str) -> Reply:
    return make_reply(
        554, "5.4.6", f"By its MX records mail for {domain} belongs on this host, which has no place for it"
    )
