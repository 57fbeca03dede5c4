"""What the supervisor hands to a program when it starts it: a name, its lifeline, its listening sockets.

One environment variable of our own, and not systemd's LISTEN_FDS: that wants LISTEN_PID, which is known only
after the fork, where Python can do nothing safely. Whoever is started by hand, or by systemd, has none of it.
"""

import json
import os
from dataclasses import asdict, dataclass

VARIABLE = "PAPERPATH_HANDOVER"


@dataclass(frozen=True, slots=True)
class Handover:
    """`name` is that in the log. The rest are descriptors.

    The lifeline is the reading end of a pipe whose other end the supervisor holds: when it closes, the
    supervisor is gone.
    """

    name: str
    lifeline: int
    listeners: tuple[int, ...] = ()


def format_handover(handover: Handover) -> str:
    """Write the value of the environment variable."""
    return json.dumps(asdict(handover))


def take_handover() -> Handover | None:
    """Take what the supervisor left for us out of the environment, so that it goes no further."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return None
    fields = json.loads(text)
    return Handover(fields["name"], fields["lifeline"], tuple(fields["listeners"]))
