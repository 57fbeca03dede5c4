"""`paperpath explain`: what the programs would decide, and by which rule; it runs their own code."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from paperpath.commands.options import fail, load_as_owner
from paperpath.mail.address import AddressError, Mailbox, format_mailbox, parse_mailbox
from paperpath.maildrop.values import Aside, Decision, Expanded, Refused, Sorted, UnsortedRecipient
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.files import RoutingFiles
from paperpath.routing.router import Router
from paperpath.routing.sorting import sort_recipient
from paperpath.routing.steps import Verdict
from paperpath.service.errors import ServiceError
from paperpath.service.printable import format_value
from paperpath.service.program import config_option
from paperpath.submission.acceptance import judge_submitted
from paperpath.submission.rules import make_rules


@click.group()
def explain() -> None:
    """Say what would be decided, and why.

    Example: paperpath explain rcpt joe@example.org
    """


@explain.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.argument("address")
def rcpt(file: Path, address: str, as_json: bool) -> None:
    """Say what happens to mail for ADDRESS: each rule looked at, the last of which decided.

    Example: paperpath explain rcpt joe@example.org
    """
    configuration = load_as_owner(file)
    try:
        mailbox = parse_mailbox(address)
        files = RoutingFiles(configuration)
        router, rules = files.read(), make_rules(configuration, files)
    except AddressError as error:
        fail(f"{format_value(address)}: {error}", os.EX_USAGE)
    except ServiceError as error:
        fail(error, error.exit_code)
    verdicts = {"relay": str(Acceptance(configuration.relay).judge(mailbox, router))}
    if configuration.submission is not None:
        verdicts["submission"] = str(judge_submitted(mailbox, rules, router)[0])
    recipients = list(_follow(router, mailbox))
    if as_json:
        click.echo(json.dumps({**verdicts, "recipients": recipients}, indent=2))
        return
    for way_in, reply in verdicts.items():
        click.echo(f"{way_in} says {format_value(reply)}")
    for recipient in recipients:
        _print(recipient)


def _follow(router: Router, address: Mailbox) -> Iterator[dict[str, Any]]:
    """Decide on an address, and on those that an alias turns it into, as the post office would."""
    first = UnsortedRecipient(0, "", 0, address, address, None, "", "")
    verdict = sort_recipient(router, first)
    yield _describe(first, verdict)
    if isinstance(verdict.decision, Expanded):
        for target in verdict.decision.targets:
            recipient = UnsortedRecipient(
                0, "", 0, target.address, address, None, "", "", target.expanded_via
            )
            verdict = sort_recipient(router, recipient)
            yield _describe(recipient, verdict)


def _describe(recipient: UnsortedRecipient, verdict: Verdict) -> dict[str, Any]:
    return {
        "address": format_mailbox(recipient.address),
        "expanded_via": recipient.expanded_via,
        "rules": [{"rule": look.kind, "asked": look.asked, "found": look.found} for look in verdict.looks],
        "decision": _tell(verdict.decision),
    }


def _tell(decision: Decision) -> dict[str, Any]:
    match decision:
        case Sorted(_, _, transport, destination):
            return {"to": transport.value, "destination": destination}
        case Expanded(_, targets):
            return {"to": "expanded", "into": [format_mailbox(target.address) for target in targets]}
        case Refused(_, reply):
            return {"to": "refused", "reply": str(reply)}
        case Aside(_, reply):
            return {"to": "held", "reply": str(reply)}


def _print(recipient: dict[str, Any]) -> None:
    """Print what is told of one recipient, whatever an address holds escaped (attack S-6)."""
    came_from = "".join(f" via {format_value(key)}" for key in recipient["expanded_via"])
    click.echo(f"{format_value(recipient['address'])}{came_from}")
    for rule in recipient["rules"]:
        found = format_value(rule["found"]) if rule["found"] else "none"
        click.echo(f"  {rule['rule']:10} {format_value(rule['asked'])}: {found}")
    click.echo("  decision   " + " ".join(map(_write, recipient["decision"].values())))


def _write(value: str | list[str]) -> str:
    return " ".join(map(format_value, value)) if isinstance(value, list) else format_value(value)
