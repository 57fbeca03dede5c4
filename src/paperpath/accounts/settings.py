"""What becomes of an account's mail beside lying in its mailbox, and how much may lie there: pure.

The accounts file has it as fields of their own in the account's line:

    deliver=archive            # an agent of the configuration has it instead of the mailbox
    forward=joe@else.example   # it goes there instead, or as well; one field for each address
    keep                       # beside what is forwarded the account has its copy
    quota=1000000S,1000C       # what the mailbox may hold; "none": however much, whatever others may
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.config.agent_name import parse_agent_name
from paperpath.config.quota import Quota, parse_quota
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox

MOST_FORWARDS = 100

_DELIVER = "deliver="
_FORWARD = "forward="
_KEEP = "keep"
_QUOTA = "quota="


@dataclass(frozen=True, slots=True)
class Settings:
    """Which agent delivers, where not the mailbox; to whom mail is forwarded, and whether it is kept then.

    `quota`: what the mailbox may hold; `None` is what the configuration says for all.
    """

    deliver: str = ""
    forwards: tuple[Mailbox, ...] = ()
    keeps: bool = False
    quota: Quota | None = None


NO_SETTINGS = Settings()


def parse_settings(fields: Sequence[str]) -> Settings:
    """Read the fields, each with its own meaning. Raises: ValueError."""
    if not fields:
        return NO_SETTINGS
    deliver = ""
    forwards: dict[Mailbox, None] = {}
    keeps = False
    quota: Quota | None = None
    for text in fields:
        if text.startswith(_DELIVER) and not deliver:
            deliver = parse_agent_name(text.removeprefix(_DELIVER))
        elif text.startswith(_FORWARD):
            forwards[_parse_forward(text.removeprefix(_FORWARD))] = None
        elif text == _KEEP and not keeps:
            keeps = True
        elif text.startswith(_QUOTA) and quota is None:
            quota = parse_quota(text.removeprefix(_QUOTA))
        else:
            raise ValueError(
                f"{text!r}: expected deliver=AGENT, keep or quota=QUOTA, once, or forward=ADDRESS"
            )
    return make_settings(deliver, tuple(forwards), keeps=keeps, quota=quota)


def make_settings(
    deliver: str, forwards: tuple[Mailbox, ...], *, keeps: bool, quota: Quota | None = None
) -> Settings:
    """Put settings together. Raises: ValueError, where they do not go together."""
    if keeps and not forwards:
        raise ValueError("expected an address to forward to: without one everything is kept")
    if len(forwards) > MOST_FORWARDS:
        raise ValueError(f"expected at most {MOST_FORWARDS} addresses to forward to, got {len(forwards)}")
    return Settings(deliver, forwards, keeps, quota)


def format_settings(settings: Settings) -> list[str]:
    """Write the fields, the inverse of `parse_settings`."""
    return [
        *([f"{_DELIVER}{settings.deliver}"] if settings.deliver else []),
        *(f"{_FORWARD}{address}" for address in settings.forwards),
        *([_KEEP] if settings.keeps else []),
        *([] if settings.quota is None else [f"{_QUOTA}{settings.quota}"]),
    ]


def _parse_forward(text: str) -> Mailbox:
    try:
        address = parse_mailbox(text)
    except AddressError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if not address.domain:
        raise ValueError(f"{text!r}: the address has no domain")
    return address
