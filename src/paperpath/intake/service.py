"""What every session of a program shares, by one configuration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from paperpath.config.network import Network
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.client_names import ClientNames
from paperpath.intake.connections import Connections
from paperpath.intake.guard import Guard
from paperpath.intake.list_desk import ListDesk
from paperpath.intake.login import LoginDesk
from paperpath.intake.space import FreeSpace
from paperpath.intake.way_in import WayIn
from paperpath.journal.events import Tell
from paperpath.maildrop.interface import Maildrop
from paperpath.service.log import Log
from paperpath.service.metrics import IntakeMetrics
from paperpath.service.tls.contexts import ServerTls
from paperpath.smtp.settings import Settings

TRANSACTION_S = 3600.0  # for all but the content, which has a second for each KiB it may have (attack S-2)
HANDSHAKE_S = 30.0
HEADER_S = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    """Of a program, or of what it does by one configuration. `now` gives the time with its offset from UTC.

    `tls` is there if the settings announce it, or a door has it from the start; `logins` if they announce
    AUTH; `lists` if lists of clients are configured; `names` where rules may be for hosts. `proxies`: who is
    believed at doors for proxies.
    """

    settings: Settings
    tls: ServerTls | None
    maildrop: Maildrop
    connections: Connections
    guard: Guard
    budget: SpoolBudget
    space: FreeSpace
    way_in: WayIn
    now: Callable[[], datetime]
    idle_timeout_s: float
    log: Log
    metrics: IntakeMetrics
    tell: Tell
    logins: LoginDesk | None = None
    lists: ListDesk | None = None
    proxies: Sequence[Network] = ()
    greeting_wait_s: float = 0.0
    names: ClientNames | None = None

    @property
    def transaction_s(self) -> float:
        """How long a transaction may take."""
        return TRANSACTION_S + self.settings.size / 1024

    @property
    def handshake_s(self) -> float:
        """How long TLS may take to begin."""
        return min(HANDSHAKE_S, self.idle_timeout_s)

    @property
    def header_s(self) -> float:
        """How long a proxy may take to say for whom it speaks."""
        return min(HEADER_S, self.idle_timeout_s)
