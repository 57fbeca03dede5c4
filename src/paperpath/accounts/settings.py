"""What becomes of an account's mail beside lying in its mailbox, and how much may lie there: pure.

The accounts file has it as fields of their own in the account's line:

    deliver=archive            # an agent of the configuration has it instead of the mailbox
    forward=joe@else.example   # it goes there instead, or as well; one field for each address
    forward=agent:archive      # likewise, to an agent of the configuration
    keep                       # beside what is forwarded the account has its copy
    quota=1000000S,1000C       # what the mailbox may hold; "none": however much, whatever others may
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.accounts.lines import parse_entry_address
from paperpath.config.agent_name import is_agent_way, make_agent_way, parse_agent_name, parse_agent_way
from paperpath.config.quota import Quota, parse_quota
from paperpath.mail.address import Mailbox

MOST_FORWARDS = 100

_DELIVER = "deliver="
_FORWARD = "forward="
_KEEP = "keep"
_QUOTA = "quota="


@dataclass(frozen=True, slots=True)
class Settings:
    """Which agent delivers, where not the mailbox; to whom mail is forwarded, and whether it is kept then.

    `quota`: what the mailbox may hold; `None` is what the configuration says for all. `agents`: the names of
    those to which mail is forwarded.
    """

    deliver: str = ""
    forwards: tuple[Mailbox, ...] = ()
    keeps: bool = False
    quota: Quota | None = None
    agents: tuple[str, ...] = ()

    @property
    def forward_ways(self) -> tuple[str, ...]:
        """Where mail is forwarded to, as it is written."""
        return (*map(str, self.forwards), *map(make_agent_way, self.agents))


NO_SETTINGS = Settings()


def parse_settings(fields: Sequence[str]) -> Settings:
    """Read the fields, each with its own meaning. Raises: ValueError."""
    if not fields:
        return NO_SETTINGS
    deliver = ""
    forwards: dict[Mailbox, None] = {}
    agents: dict[str, None] = {}
    keeps = False
    quota: Quota | None = None
    for text in fields:
        if text.startswith(_DELIVER) and not deliver:
            deliver = parse_agent_name(text.removeprefix(_DELIVER))
        elif text.startswith(_FORWARD) and is_agent_way(way := text.removeprefix(_FORWARD)):
            agents[parse_agent_way(way)] = None
        elif text.startswith(_FORWARD):
            forwards[parse_entry_address(text.removeprefix(_FORWARD))] = None
        elif text == _KEEP and not keeps:
            keeps = True
        elif text.startswith(_QUOTA) and quota is None:
            quota = parse_quota(text.removeprefix(_QUOTA))
        else:
            raise ValueError(
                f"{text!r}: expected deliver=AGENT, keep or quota=QUOTA, once, or forward=ADDRESS"
                " or forward=agent:NAME"
            )
    return make_settings(deliver, tuple(forwards), tuple(agents), keeps=keeps, quota=quota)


def make_settings(
    deliver: str,
    forwards: tuple[Mailbox, ...],
    agents: tuple[str, ...],
    *,
    keeps: bool,
    quota: Quota | None = None,
) -> Settings:
    """Put settings together. Raises: ValueError, where they do not go together."""
    count = len(forwards) + len(agents)
    if keeps and not count:
        raise ValueError("expected an address to forward to: without one everything is kept")
    if count > MOST_FORWARDS:
        raise ValueError(f"expected at most {MOST_FORWARDS} addresses to forward to, got {count}")
    if keeps and deliver in agents:
        raise ValueError(f"expected others to forward to than {deliver}, which has the copy that is kept")
    return Settings(deliver, forwards, keeps, quota, agents)


def format_settings(settings: Settings) -> list[str]:
    """Write the fields, the inverse of `parse_settings`."""
    return [
        *([f"{_DELIVER}{settings.deliver}"] if settings.deliver else []),
        *(f"{_FORWARD}{way}" for way in settings.forward_ways),
        *([_KEEP] if settings.keeps else []),
        *([] if settings.quota is None else [f"{_QUOTA}{settings.quota}"]),
    ]
