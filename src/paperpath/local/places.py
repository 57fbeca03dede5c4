"""To which agent a recipient's mail goes: pure.

The path of a mailbox is the account's, fixed when that was made. The detail of an address selects one of the
folders that the account lists, and nothing else: no address is made into a path (attack L-1, promise P7). An
agent of the configuration, and a user of this host, is the one that the router named in the claim's
destination.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from paperpath.accounts.file import Account, Accounts
from paperpath.accounts.users import find_user_name
from paperpath.config.agent_name import find_agent_name
from paperpath.config.agent_tables import (
    AgentTable,
    DiscardTable,
    LmtpTable,
    MaildirTable,
    MboxTable,
    ProgramTable,
)
from paperpath.config.places import ACCOUNT_MARK
from paperpath.config.tables import Configuration
from paperpath.folders.maildir import Place
from paperpath.folders.upkeep import Upkeep
from paperpath.local.agents.discard import DiscardAgent
from paperpath.local.agents.interface import Agent
from paperpath.local.agents.maildir import UNLIMITED, Allotment, MaildirAgent
from paperpath.local.agents.mbox import MboxAgent
from paperpath.local.agents.program import ProgramAgent
from paperpath.local.agents.user import UserAgent
from paperpath.local.findings import FindingsByRecipient
from paperpath.local.users.place import users_folder
from paperpath.mail.address import Mailbox
from paperpath.mail.place import PROGRAM_MARK, is_place, split_command
from paperpath.mail.reply import Reply, make_reply
from paperpath.maildrop.values import Claim
from paperpath.routing.mailboxes import find_mailbox

R450_NO_MAILBOX = make_reply(450, "4.2.1", "The mailbox is gone, which must be a mistake")
R550_NO_MAILBOX = make_reply(550, "5.1.1", "The mailbox is gone since the message was taken")
R451_OTHER_KIND = make_reply(451, "4.3.5", "The agent of this name is of another kind now")
R451_NO_AGENT = make_reply(451, "4.3.5", "The configuration has no agent of this name")
R451_NO_USERS = make_reply(451, "4.3.5", "Users of this host have no mailboxes any more")


@dataclass(frozen=True, slots=True)
class Helper:
    """Who delivers to users of this host: the folder of its socket, and how long a delivery may take."""

    folder: Path
    limit_s: float


@dataclass(frozen=True, slots=True)
class Depot:
    """Where deliveries go: the root of the mailboxes, who has one; by which host, at what time.

    `create`: a mailbox whose folder is missing gets one. `postmaster` is the address that must never fail.
    `allotment`: what a mailbox may hold whose account says nothing of it.
    `end`, `findings`: see `Desk`. `helper`: `None` where users of this host have no mailboxes.
    """

    root: Path
    accounts: Accounts
    separator: str
    postmaster: Mailbox
    create: bool
    host: str
    now_us: int
    upkeep: Upkeep
    agents: Mapping[str, AgentTable] = field(default_factory=dict)
    allotment: Allotment = UNLIMITED
    helper: Helper | None = None
    end: int | None = None
    findings: FindingsByRecipient = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Miss:
    """There is no agent for a claim, and this is why; a temporary reply where that may be a mistake."""

    reply: Reply


def find_agent(claim: Claim, depot: Depot) -> Agent | Miss:
    """Return the agent of the place that a claim is for."""
    if user := find_user_name(claim.destination):
        return _find_user(user, depot.helper)
    if is_place(claim.address):
        return _find_place(claim, depot)
    name = find_agent_name(claim.destination)
    if not name:
        return _find_mailbox(claim.address, depot)
    table = depot.agents.get(name)
    return Miss(R451_NO_AGENT) if table is None else _make_agent(name, table, claim, depot)


def find_helper(configuration: Configuration) -> Helper | None:
    """Return who delivers to users of this host, where they have mailboxes."""
    local = configuration.local
    return Helper(users_folder(configuration), local.system_limit_s) if local.system_users else None


def _find_user(name: str, helper: Helper | None) -> Agent | Miss:
    return Miss(R451_NO_USERS) if helper is None else UserAgent(name, helper.folder, helper.limit_s)


def _make_agent(name: str, table: AgentTable, claim: Claim, depot: Depot) -> Agent | Miss:
    match table:
        case DiscardTable():
            return DiscardAgent(f"discard {name}")
        case MaildirTable(path=path):
            return _make_maildir(path, depot)
        case MboxTable(path=path):
            return _make_mbox(path, claim.address, depot)
        case ProgramTable():
            return ProgramAgent(
                f"program {name}",
                table.command,
                table.codes,
                table.timeout_s,
                table.most_output,
                table.cwd,
                depot.separator,
            )
        case LmtpTable():  # it was of another kind when this was sorted, and soon is sorted anew
            return Miss(R451_OTHER_KIND)


def _find_place(claim: Claim, depot: Depot) -> Agent | Miss:
    """Return the agent of a place that an alias named, which the router has seen to (attack L-4)."""
    text = claim.address.local
    if text.startswith(PROGRAM_MARK):
        command = tuple(split_command(text))
        return _make_agent(command[0], ProgramTable(kind="program", command=command), claim, depot)
    if text == os.devnull:
        return DiscardAgent(f"discard {text}")
    return _make_maildir(Path(text), depot) if text.endswith("/") else MboxAgent(f"mbox {text}", Path(text))


def _make_maildir(path: Path, depot: Depot) -> MaildirAgent:
    folder = Place(PurePosixPath(path.name))
    return MaildirAgent(f"maildir {path}", path.parent, folder, depot.create, depot.upkeep)


def _make_mbox(path: Path, address: Mailbox, depot: Depot) -> Agent | Miss:
    """Return the agent of an mbox; what its name has of an account is that of its folder, and no address."""
    if ACCOUNT_MARK not in path.name:
        return MboxAgent(f"mbox {path}", path)
    found = find_mailbox(address, depot.accounts, depot.separator)
    if found is None:
        return _miss_mailbox(address, depot)
    file = path.with_name(path.name.replace(ACCOUNT_MARK, found.account.folder.name))
    return MboxAgent(f"mbox {file}", file)


def _find_mailbox(address: Mailbox, depot: Depot) -> Agent | Miss:
    found = find_mailbox(address, depot.accounts, depot.separator)
    if found is None:
        return _miss_mailbox(address, depot)
    subfolder = found.account.find_subfolder(found.detail) if found.detail else ""
    folder = found.account.folder
    place = Place(folder, subfolder)
    allotment = _find_allotment(found.account, depot)
    return MaildirAgent(str(folder), depot.root, place, depot.create, depot.upkeep, allotment)


def _find_allotment(account: Account, depot: Depot) -> Allotment:
    quota = account.settings.quota
    return depot.allotment if quota is None else replace(depot.allotment, quota=quota)


def _miss_mailbox(address: Mailbox, depot: Depot) -> Miss:
    return Miss(R450_NO_MAILBOX if _may_come_back(address, depot) else R550_NO_MAILBOX)


def _may_come_back(address: Mailbox, depot: Depot) -> bool:
    """Tell whether a mailbox that is not there is missed by mistake: the postmaster's, or everybody's."""
    return address == depot.postmaster or not any(depot.accounts)
