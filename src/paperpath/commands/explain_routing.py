"""What the post office would decide about an address: each rule looked at, in words and for JSON.

Called by `paperpath explain rcpt`.
"""

from collections.abc import Iterator
from typing import Any

import click

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.maildrop.values import Aside, Decision, Expanded, Refused, Sorted, UnsortedRecipient
from paperpath.routing.router import Router
from paperpath.routing.sorting import sort_recipient
from paperpath.routing.steps import Verdict
from paperpath.service.printable import format_value


def follow(router: Router, address: Mailbox) -> Iterator[dict[str, Any]]:
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


def print_recipient(recipient: dict[str, Any]) -> None:
    """Print what is told of one recipient, whatever an address holds escaped (attack S-6)."""
    came_from = "".join(f" via {format_value(key)}" for key in recipient["expanded_via"])
    click.echo(f"{format_value(recipient['address'])}{came_from}")
    for rule in recipient["rules"]:
        found = format_value(rule["found"]) if rule["found"] else "none"
        click.echo(f"  {rule['rule']:10} {format_value(rule['asked'])}: {found}")
    click.echo("  decision   " + " ".join(map(_write, recipient["decision"].values())))


def _write(value: str | list[str]) -> str:
    return " ".join(map(format_value, value)) if isinstance(value, list) else format_value(value)
