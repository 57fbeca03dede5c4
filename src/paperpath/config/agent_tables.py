"""The tables [agents.NAME]: ways of local delivery that accounts and routes may name, each of one kind.

Like tables.py, whose `Configuration` holds them. Another kind is another model, in the list at the end.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from paperpath.config.agent_name import parse_agent_name
from paperpath.config.command_line import COMMAND_EXPECTED, parse_command
from paperpath.config.fields import AbsoluteField, LmtpField, MboxField, Table
from paperpath.config.places import ABSOLUTE_EXPECTED, MBOX_EXPECTED
from paperpath.config.via import LMTP_EXPECTED

KIND_EXPECTED = "the kind of the agent"
MOST_TIMEOUT_S = 24 * 3600
MOST_OUTPUT_OCTETS = 4096

CommandField = Annotated[tuple[str, ...], Strict(False), AfterValidator(parse_command)]


class DiscardTable(Table):
    """kind = "discard": the message ends there, and the journal says so."""

    kind: Literal["discard"] = Field(description=KIND_EXPECTED)


class MaildirTable(Table):
    """kind = "maildir": one Maildir for all mail."""

    kind: Literal["maildir"] = Field(description=KIND_EXPECTED)
    path: AbsoluteField = Field(description=ABSOLUTE_EXPECTED)


class MboxTable(Table):
    """kind = "mbox": one file for all mail, or one for each account."""

    kind: Literal["mbox"] = Field(description=KIND_EXPECTED)
    path: MboxField = Field(description=MBOX_EXPECTED)


class ProgramTable(Table):
    """kind = "program": a program that runs for each message."""

    kind: Literal["program"] = Field(description=KIND_EXPECTED)
    command: CommandField = Field(description=COMMAND_EXPECTED)
    codes: Literal["sysexits", "qmail"] = Field(default="sysexits", description='"sysexits" or "qmail"')
    timeout_s: float = Field(
        default=300.0, gt=0, le=MOST_TIMEOUT_S, description=f"seconds, at most {MOST_TIMEOUT_S}"
    )
    most_output: int = Field(
        default=1000,
        ge=0,
        le=MOST_OUTPUT_OCTETS,
        description=f"a whole number of octets, at most {MOST_OUTPUT_OCTETS}",
    )
    """How much of what the program writes goes into replies, and into reports of failures."""
    cwd: AbsoluteField = Field(default=Path("/"), description=ABSOLUTE_EXPECTED)


class LmtpTable(Table):
    """kind = "lmtp": another server. smtprcd takes mail there, as it does for a route to that."""

    kind: Literal["lmtp"] = Field(description=KIND_EXPECTED)
    to: LmtpField = Field(description=LMTP_EXPECTED)


AgentTable = Annotated[
    DiscardTable | MaildirTable | MboxTable | ProgramTable | LmtpTable, Field(discriminator="kind")
]
AgentNameField = Annotated[str, AfterValidator(parse_agent_name)]

AGENT_KINDS: dict[str, type[Table]] = {
    "discard": DiscardTable,
    "maildir": MaildirTable,
    "mbox": MboxTable,
    "program": ProgramTable,
    "lmtp": LmtpTable,
}
AGENTS_EXPECTED = f"tables [agents.NAME], each with a kind, one of {', '.join(AGENT_KINDS)}"
