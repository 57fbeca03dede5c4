"""`paperpath selftest`: whether what runs does what it should not.

`relay` plays a stranger: it tries the known tricks on the relay's own addresses, and names recipients only,
so no message ever begins. Which of these may be taken is decided apart from the relay's own rule: those at a
domain of relay.domains, whatever their local part is made to look like, and the bare postmaster.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from paperpath.commands.options import fail, load_as_owner
from paperpath.commands.selftest_dialogue import (
    Answer,
    CoreDialogue,
    Dialogue,
    LiveDialogue,
    UnreachableError,
)
from paperpath.commands.selftest_tricks import Target, Trick, list_tricks
from paperpath.config.domain_table import DomainTable
from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import open_access
from paperpath.intake.access_rules import AccessRules
from paperpath.mail.address import AddressError, parse_path
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.files import RoutingFiles
from paperpath.service.errors import ServiceError
from paperpath.service.interfaces import read_own_addresses
from paperpath.service.printable import format_value
from paperpath.service.program import config_option
from paperpath.smtp.settings import Settings

EX_OPEN = 1
"""The exit code of a relay that takes what it should not."""

_LOOPBACK = ("127.0.0.1", "127.0.0.9", "127.9.9.9")  # 127.0.0.2 is on every list, to be tested by

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


@click.group()
def selftest() -> None:
    """Try whether what runs does what it should not.

    Example: paperpath selftest relay
    """


@selftest.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def relay(file: Path, as_json: bool) -> None:
    """Try the known tricks of open relays on the running relay; exit 1 if it takes one that it should not.

    No message is sent: behind each recipient comes RSET. The relay sees a client on this host. Where its
    rules give no address of this host the normal service, its code is asked here instead.

    Example: paperpath selftest relay --json
    """
    configuration = load_as_owner(file)
    try:
        visits = list(_visit_all(configuration))
    except ServiceError as error:
        fail(error, error.exit_code)
    except UnreachableError as error:
        fail(format_value(error), os.EX_UNAVAILABLE)
    if as_json:
        click.echo(json.dumps([_describe(visit) for visit in visits], indent=2))
    else:
        for visit in visits:
            _print(visit)
    is_open = any(tried.is_open for visit in visits for tried in visit.tried)
    raise SystemExit(EX_OPEN if is_open else os.EX_OK)


def _visit_all(configuration: Configuration) -> Iterator[Visit]:
    """Try every trick on each listener. Raises: ServiceError, UnreachableError."""
    rules, own = open_access(configuration.relay, "relay").read(), read_own_addresses()
    for listener in configuration.relay.listen:
        server, source = _choose_ends(listener, own, rules)
        if source:
            with LiveDialogue(server, source) as dialogue:
                yield Visit(server, source, _try_all(configuration, server, dialogue))
        else:
            yield Visit(server, "", _try_all(configuration, server, _ask_here(configuration)))


def _ask_here(configuration: Configuration) -> CoreDialogue:
    """Have the relay's own code asked. Raises: ServiceError."""
    acceptance, router = Acceptance(configuration.relay), RoutingFiles(configuration).read()
    settings = Settings(configuration.hostname, configuration.relay.size, recipients=1)
    return CoreDialogue(settings, lambda mailbox: acceptance.judge(mailbox, router))


def _choose_ends(listener: Endpoint, own: frozenset[str], rules: AccessRules) -> tuple[Endpoint, str]:
    """Return where to connect to, and from which address of normal service; empty if there is none."""
    hosts = [listener.host]
    if listener.is_unspecified:
        is_six = ":" in listener.host
        hosts = ["::1" if is_six else "127.0.0.1", *(one for one in sorted(own) if (":" in one) is is_six)]
    for host in hosts:
        server = Endpoint(host, listener.port)
        for source in _LOOPBACK if server.is_loopback and ":" not in host else (host,):
            if rules.classify(source) is ServiceClass.NORMAL:
                return server, source
    return Endpoint(hosts[0], listener.port), ""


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


def _describe(visit: Visit) -> dict[str, Any]:
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


def _print(visit: Visit) -> None:
    """Print what came of a visit, whatever the relay said escaped (attack S-6)."""
    told = _describe(visit)
    click.echo(f"{told['server']}, {f'from {visit.source}' if visit.source else _NOT_ASKED}")
    for trick in told["tricks"]:
        keys = ("hello", "sender", "recipient", "parameters")
        said = " ".join(format_value(trick[key]) for key in keys if trick[key])
        click.echo(f"  {trick['verdict']:14} {trick['trick']}: {said}: {format_value(trick['reply'])}")
    click.echo(f"  {sum(tried.is_open for tried in visit.tried)} of {len(visit.tried)} tricks make it relay")
