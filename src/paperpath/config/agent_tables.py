"""The tables [agents.NAME]: ways of local delivery that accounts and routes may name, each of one kind.

Like tables.py, whose `Configuration` holds them. Another kind is another model, in the list at the end.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from paperpath.config.agent_name import parse_agent_name
from paperpath.config.fields import AbsoluteField, Table
from paperpath.config.places import ABSOLUTE_EXPECTED

KIND_EXPECTED = "the kind of the agent"


class DiscardTable(Table):
    """kind = "discard": the message ends there, and the journal says so."""

    kind: Literal["discard"] = Field(description=KIND_EXPECTED)


class MaildirTable(Table):
    """kind = "maildir": one Maildir for all mail."""

    kind: Literal["maildir"] = Field(description=KIND_EXPECTED)
    path: AbsoluteField = Field(description=ABSOLUTE_EXPECTED)


AgentTable = Annotated[DiscardTable | MaildirTable, Field(discriminator="kind")]
AgentNameField = Annotated[str, AfterValidator(parse_agent_name)]

AGENT_KINDS: dict[str, type[Table]] = {"discard": DiscardTable, "maildir": MaildirTable}
AGENTS_EXPECTED = f"tables [agents.NAME], each with a kind, one of {', '.join(AGENT_KINDS)}"
