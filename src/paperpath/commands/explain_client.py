"""What a way in decides about a client that has said nothing: its service, and what the lists say of it.

Called by `paperpath explain`. The decisions are the programs' own; the DNS is asked as they would ask it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from paperpath.config.intake_tables import IntakeTable
from paperpath.config.tables import Configuration
from paperpath.dns.lists import IpAddress
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import open_access
from paperpath.intake.access_rules import AccessRule
from paperpath.intake.client_lists import ListRuling, Look, find_deciding, rule_on
from paperpath.intake.client_names import ClientNames
from paperpath.intake.list_desk import open_desk, open_list_means
from paperpath.mail.reply import Reply
from paperpath.service.log import Log
from paperpath.service.printable import format_value
from paperpath.smtp import replies


@dataclass(frozen=True, slots=True)
class ClientView:
    """How one way in sees a client.

    `names` are those that were confirmed, `None` where no rule turns on them. `rules`: those that name the
    client, the one that decides first. `looks`: the lists that were asked, up to the one that decides.
    """

    names: Sequence[str] | None
    rules: Sequence[AccessRule]
    looks: Sequence[Look]
    ruling: ListRuling
    greeting: Reply | None

    @property
    def service(self) -> ServiceClass:
        """Which service it gets."""
        return self.rules[0].service if self.rules else ServiceClass.NORMAL

    def describe(self) -> dict[str, Any]:
        """Return it for JSON."""
        deciding, refusal = find_deciding(self.looks), self.ruling.refusal
        return {
            "names": None if self.names is None else list(self.names),
            "rules": [
                {"clients": str(rule.clients), "service": rule.service.value, "place": rule.place}
                for rule in self.rules
            ],
            "service": self.service.value,
            "lists": [
                {
                    "list": str(look.client_list),
                    "said": look.finding.standing.value,
                    "detail": look.finding.detail,
                }
                for look in self.looks
            ],
            "decided_by": None if deciding is None else str(deciding.client_list),
            "greeting": None if self.greeting is None else str(self.greeting),
            "refusal": None if refusal is None else str(refusal),
        }


async def view_client(
    configuration: Configuration, way_in: str, table: IntakeTable, client: IpAddress, log: Log
) -> ClientView:
    """Look at a client as a way in does, by its table. Raises: ServiceError."""
    access, address = open_access(table, way_in), str(client)
    async with open_list_means(configuration.dns) as means:
        desk = ClientNames(access, means.resolver)
        names = await desk.find(address, log) if desk.are_wanted(address) else None
        rules = list(access.read().find_all(address, names or ()))
        service = rules[0].service if rules else ServiceClass.NORMAL
        lists = open_desk(table.lists, table.lists_timeout_s, means)
        looks: list[Look] = []
        reason = ""
        if lists is not None and service not in (ServiceClass.DENY, ServiceClass.NULL):
            looks, reason = await lists.look_in_turn(client)
    ruling = rule_on(address, find_deciding(looks), reason)
    return ClientView(names, rules, looks, ruling, _find_greeting(service, configuration.hostname))


def print_client(way_in: str, view: ClientView) -> None:
    """Print how a way in sees a client, whatever names and lists say escaped (attack S-6)."""
    told = view.describe()
    click.echo(way_in)
    if told["names"] is not None:
        click.echo(f"  names      {' '.join(map(format_value, told['names'])) or 'none that lead back'}")
    for rule in told["rules"]:
        click.echo(f"  rule       {rule['clients']}: {rule['service']}, by {format_value(rule['place'])}")
    click.echo(f"  service    {told['service']}{'' if told['rules'] else ', since no rule is for it'}")
    for look in told["lists"]:
        detail = f" {format_value(look['detail'])}" if look["detail"] else ""
        click.echo(f"  list       {look['list']}: {look['said']}{detail}")
    if told["lists"]:
        click.echo(f"  decided by {told['decided_by'] or 'no list'}")
    click.echo(f"  greeting   {format_value(told['greeting'] or 'nothing: the connection is closed')}")
    if told["refusal"] is not None:
        click.echo(f"  recipients all but postmasters: {format_value(told['refusal'])}")


def _find_greeting(service: ServiceClass, hostname: str) -> Reply | None:
    """Return what a client hears first; `None` for nothing."""
    if service is ServiceClass.DENY:
        return None
    return replies.null_greeting(hostname) if service is ServiceClass.NULL else replies.greeting(hostname)
