"""What is known of an account's folders beside their files: pure text, in one file of the mailbox.

The last UIDVALIDITY that was given, so that none is given twice; what is subscribed to; which folders were
made for a special use; and a renaming that is to be completed. Text that cannot be read is as none: then
UIDVALIDITY goes by the clock, and people subscribe again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HomeState:
    """The state. `special_uses`: by folder. `renaming`: from and to, empty for none."""

    uid_validity: int = 0
    subscribed: tuple[str, ...] = ()
    special_uses: Mapping[str, str] = field(default_factory=dict)
    renaming: tuple[str, ...] = ()


def parse_state(text: str) -> HomeState:
    """Read the text."""
    try:
        found: dict[str, Any] = json.loads(text)
        return HomeState(
            int(found["uid_validity"]),
            tuple(map(str, found["subscribed"])),
            {str(name): str(use) for name, use in found["special_uses"].items()},
            tuple(map(str, found["renaming"])),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return HomeState()


def format_state(state: HomeState) -> str:
    """Return the text."""
    return json.dumps(asdict(state), ensure_ascii=False, indent=1) + "\n"
