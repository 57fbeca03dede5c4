"""Whether the relay can be made to relay for strangers: `paperpath selftest relay`.

Called by `paperpath selftest`. It plays a stranger: it tries the known tricks on the relay's own
addresses, and names recipients only, so no message ever begins. Which of these may be taken is decided apart
from the relay's own rule: those at a domain of relay.domains, whatever their local part is made to look like,
and the bare postmaster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from paperpath.commands.selftest_dialogue import (
    Answer,
    CoreDialogue,
    Dialogue,
    LiveDialogue,
)
from paperpath.commands.selftest_ends import choose_ends
from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.commands.selftest_tricks import Target, Trick, list_tricks
from paperpath.config.domain_table import DomainTable
from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import open_access
from paperpath.mail.address import AddressError, parse_path
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.files import RoutingFiles
from paperpath.service.interfaces import read_own_addresses
from paperpath.service.printable import format_value
from paperpath.smtp.settings import Settings

_STRANGER = frozenset({ServiceClass.NORMAL})

_NOT_ASKED = (
    "not connected to: by the rules no address of this host gets the normal service there, "
    "so the relay's code was asked here, as a stranger would meet it"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """One trick and what came of it; `is_open`: it should not have been taken."""

    trick: Trick
    answer: Answer
    is_open: bool

    @property
    def verdict(self) -> str:
        """What it means."""
        if self.answer.is_taken:
            return "RELAYS" if self.is_open else "taken for here"
        return "refused" if self.answer.code >= 500 else "put off"


@dataclass(frozen=True, slots=True)
class Visit:
    """All tricks on one address of the relay; `source` is empty where the relay's code was asked here."""

    server: Endpoint
    source: str
    tried: list[Tried]

    @property
    def place(self) -> str:
        """Where the questions came from."""
        return f"from {self.source}" if self.source else _NOT_ASKED

    @property
    def is_open(self) -> bool:
        """Whether any trick was taken that should not have been."""
        return any(tried.is_open for tried in self.tried)


def visit_all(configuration: Configuration) -> Iterator[Visit]:
    """Try every trick on each listener. Raises: ServiceError, UnreachableError."""
    rules, own = open_access(configuration.relay, "relay").read(), read_own_addresses()
    for listener in configuration.relay.listen:
        server, source = choose_ends(listener, own, rules, _STRANGER)
        if source:
            with LiveDialogue(server, source) as dialogue:
                yield Visit(server, source, _try_all(configuration, server, dialogue))
        else:
            yield Visit(server, "", _try_all(configuration, server, ask_here(configuration)))


def ask_here(configuration: Configuration) -> CoreDialogue:
    """Have the relay's own code asked. Raises: ServiceError."""
    acceptance, router = Acceptance(configuration.relay), RoutingFiles(configuration).read()
    settings = Settings(configuration.hostname, configuration.relay.size, recipients=1)
    return CoreDialogue(settings, lambda mailbox: acceptance.judge(mailbox, router))


def _try_all(configuration: Configuration, server: Endpoint, dialogue: Dialogue) -> list[Tried]:
    domains = configuration.relay.domains
    plain = next((domain.text for domain in domains if not domain.text.startswith((".", "["))), "")
    literal = f"[IPv6:{server.host}]" if ":" in server.host else f"[{server.host}]"
    target = Target(plain or configuration.hostname, configuration.hostname, literal)
    accepted = DomainTable((domain, domain) for domain in domains)
    tried = []
    for trick in list_tricks(target):
        answer = dialogue.attempt(trick)
        tried.append(Tried(trick, answer, answer.is_taken and not _is_for_here(trick, accepted)))
    return tried


def _is_for_here(trick: Trick, accepted: DomainTable[Any]) -> bool:
    """Tell whether a recipient is one that anybody may name; its local part is nobody's but that domain's."""
    try:
        mailbox, _ = parse_path(trick.recipient.encode(), international=True)
    except AddressError:
        return False
    if mailbox is None:
        return False
    return accepted.find(mailbox.domain) is not None if mailbox.domain else mailbox.is_postmaster


def summarize(visit: Visit) -> Iterator[Finding]:
    """Give the tricks that make it relay, and how many there were."""
    for one in visit.tried:
        if one.is_open:
            tried = f"{visit.server}: {one.trick.kind}: {one.trick.sender} {one.trick.recipient}"
            yield Finding(Verdict.FAULT, tried, f"{one.answer.code} {one.answer.text}")
    count, wrong = len(visit.tried), sum(one.is_open for one in visit.tried)
    seen = f"{wrong} make it relay; {visit.place}"
    verdict = Verdict.DOUBTFUL if wrong else Verdict.GOOD
    yield Finding(verdict, f"{visit.server}: {count} tricks of open relays", seen)


def describe_visit(visit: Visit) -> dict[str, Any]:
    """Return a visit as an object for scripts."""
    return {
        "server": str(visit.server),
        "client": visit.source or None,
        "tricks": [
            {
                "trick": tried.trick.kind,
                "hello": tried.trick.hello,
                "sender": tried.trick.sender,
                "recipient": tried.trick.recipient,
                "parameters": f"{tried.trick.sender_parameters} {tried.trick.parameters}".strip(),
                "reply": f"{tried.answer.code} {tried.answer.text}",
                "verdict": tried.verdict,
            }
            for tried in visit.tried
        ],
    }


def show_visit(visit: Visit) -> None:
    """Print what came of a visit, whatever the relay said escaped (attack S-6)."""
    told = describe_visit(visit)
    click.echo(f"{told['server']}, {visit.place}")
    for trick in told["tricks"]:
        keys = ("hello", "sender", "recipient", "parameters")
        said = " ".join(format_value(trick[key]) for key in keys if trick[key])
        click.echo(f"  {trick['verdict']:14} {trick['trick']}: {said}: {format_value(trick['reply'])}")
    click.echo(f"  {sum(tried.is_open for tried in visit.tried)} of {len(visit.tried)} tricks make it relay")
