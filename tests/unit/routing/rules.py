"""Small sets of routing rules for tests."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from paperpath.accounts.file import parse_accounts
from paperpath.accounts.users import SystemUser, Users
from paperpath.config.agent_tables import AgentTable
from paperpath.config.tables import PostOfficeTable
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.maildrop.values import (
    Aside,
    Expanded,
    Refused,
    Sorted,
    UnsortedRecipient,
)
from paperpath.routing.aliases_text import parse_aliases
from paperpath.routing.router import Router
from paperpath.routing.sorting import sort_recipient

ROUTES = (
    ("here.example", "local"),
    (".here.example", "local"),
    ("mx.here.example", "mx"),
    ("closed.example", "refuse"),
    ("hub.example", "smtp://Hub.example:2525"),
    ("[127.0.0.1]", "local"),
    ("[IPv6:0:0:0:0:0:0:0:1]", "local"),
)
ACCOUNTS = ("joe@here.example", "admin@here.example", "plus+name@here.example")


def make_table(routes: tuple[tuple[str, str], ...] = ROUTES, **more: object) -> PostOfficeTable:
    entries = [{"domain": domain, "via": via} for domain, via in routes]
    return PostOfficeTable.model_validate({"postmaster": "admin@here.example", "route": entries, **more})


def make_users(*names: str) -> Users:
    """Make users of this host, the first with the number 1000."""
    found = {name: SystemUser(name, uid, uid, Path("/home") / name) for uid, name in enumerate(names, 1000)}
    return Users(found.get, 1000, 60_000)


def make_router(
    aliases: str = "",
    accounts: tuple[str, ...] = ACCOUNTS,
    table: PostOfficeTable | None = None,
    users: Users | None = None,
    agents: Mapping[str, object] | None = None,
) -> Router:
    """Make a router; an account may have settings behind its address, each behind a tab."""
    lines = [account.partition("\t") for account in accounts]
    text = "".join(
        f"{address}\tx/{number}{settings and f'{tab}{tab}{settings}'}\n"
        for number, (address, tab, settings) in enumerate(lines)
    )
    tables = TypeAdapter(dict[str, AgentTable]).validate_python(agents or {})
    return Router(table or make_table(), parse_aliases(aliases), parse_accounts(text), tables, users)


def make_recipient(address: str | Mailbox, **more: object) -> UnsortedRecipient:
    mailbox = parse_mailbox(address) if isinstance(address, str) else address
    values: dict[str, object] = {
        "id": 7,
        "queue_id": "Q",
        "arrived_us": 0,
        "address": mailbox,
        "accepted_address": mailbox,
        "return_path": Mailbox("sender", "else.example"),
        "notify": "",
        "orcpt": "",
    }
    return UnsortedRecipient(**{**values, **more})  # type: ignore[arg-type]


def run(
    router: Router, recipient: UnsortedRecipient
) -> list[tuple[UnsortedRecipient, Sorted | Refused | Aside]]:
    """Sort a recipient and all that come of it, as the post office does, and give the ends."""
    decision = sort_recipient(router, recipient).decision
    if not isinstance(decision, Expanded):
        return [(recipient, decision)]
    return [
        end
        for target in decision.targets
        for end in run(
            router,
            make_recipient(
                target.address,
                accepted_address=recipient.accepted_address,
                return_path=target.return_path,
                notify=target.notify,
                orcpt=target.orcpt,
                expanded_via=target.expanded_via,
            ),
        )
    ]


def tell(router: Router, address: str | Mailbox, **more: object) -> list[str]:
    """Say where an address ends, one line for each end."""
    lines = []
    for recipient, decision in run(router, make_recipient(address, **more)):
        if isinstance(decision, Sorted):
            lines.append(f"{recipient.address} {decision.transport.value} {decision.destination}")
        elif isinstance(decision, Refused):
            lines.append(f"{recipient.address} {decision.reply.status}")
        else:
            lines.append(f"{recipient.address} held")
    return lines
