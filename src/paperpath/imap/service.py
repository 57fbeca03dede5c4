"""What every session of imapd shares, by one configuration."""

from collections.abc import Callable
from dataclasses import dataclass

from paperpath.imap.logins import ImapLogins
from paperpath.imap.metrics import ImapMetrics
from paperpath.imap.settings import Settings
from paperpath.imap.turns import Turns
from paperpath.imap.watch import Watch
from paperpath.intake.connections import Connections
from paperpath.intake.sessions import Sessions
from paperpath.service.log import Log
from paperpath.service.tls.contexts import ServerTls

STRANGER_S = 60.0  # for who has not logged in
HANDSHAKE_S = 30.0
READ_S = 300.0  # how long a client may take to read what it asked for
REST_S = 10.0  # who has been silent for so long holds no file open
CLOSE_S = 30.0  # how long a client may take to read the last words


@dataclass(frozen=True, slots=True)
class Service:
    """Of the process, or of what it does by one configuration. `clock_us`: the time of now."""

    settings: Settings
    tls: ServerTls
    logins: ImapLogins
    sessions: Sessions
    connections: Connections
    turns: Turns
    watch: Watch
    metrics: ImapMetrics
    log: Log
    idle_timeout_s: float
    clock_us: Callable[[], int]
