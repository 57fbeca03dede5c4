"""smtprd, the SMTP relay daemon: takes mail from other systems, for the domains it is configured for.

Started by the supervisor or by hand. Meets the post office only in the maildrop.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.intake.access import AccessRules, ServiceClass
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.connections import Connections
from paperpath.intake.session import Service, Session
from paperpath.intake.sessions import Sessions
from paperpath.intake.space import FreeSpace
from paperpath.journal.writer import Journal, open_journal
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.files import RoutingFiles
from paperpath.service.descriptors import allow_descriptors
from paperpath.service.listener import BACKLOG
from paperpath.service.log import Log
from paperpath.service.metrics import Family, IntakeMetrics
from paperpath.service.program import Life, make_command
from paperpath.service.tls.contexts import ServerTls
from paperpath.service.tls.key_files import Reader
from paperpath.smtp.settings import Settings

NAME = "smtprd"
_DRAIN_S = 10.0
_SPARE_DESCRIPTORS = 100  # for all but connections, each of which may have a message's file too
_OWN_OCTETS = 64 * 1024  # more than we add to a message: one that may be taken has room in an empty spool


@dataclass(frozen=True, slots=True)
class Means:
    """What a process has once, whatever the configuration says from one reload to the next."""

    tls: ServerTls
    maildrop: Maildrop
    connections: Connections
    budget: SpoolBudget
    metrics: IntakeMetrics
    log: Log
    journal: Journal

    def measure(self) -> list[Family]:
        """Return the numbers of this moment."""
        self.metrics.spool_octets = self.budget.taken
        return self.metrics.families()


def open_ports(life: Life) -> None:
    """Listen and read the keys, with the privileges that are dropped then. Raises: ServiceError."""
    life.listen(life.configuration.relay.listen)
    life.open_keys()
    wanted = _SPARE_DESCRIPTORS + 2 * life.configuration.relay.most_connections
    if (allowed := allow_descriptors(wanted)) < wanted:
        life.log.warning(
            "too few open files are allowed for so many connections", wanted=wanted, allowed=allowed
        )


async def relay(life: Life) -> None:
    """Serve until the end is asked for, then let each session finish what it began."""
    configuration = life.configuration
    async with open_maildrop(configuration, NAME) as maildrop, open_journal(life, NAME) as journal:
        tls = ServerTls(configuration, life.contexts)
        if tls.self_signed is not None:
            life.log.warning(
                "no certificate is configured; one signed by itself is in force", file=tls.self_signed
            )
        means = Means(tls, maildrop, Connections(0, 0), SpoolBudget(0), IntakeMetrics(), life.log, journal)
        service = make_service(configuration, means)
        sessions = Sessions()
        life.measure(means.measure)

        async def renew(document: Document, read: Reader) -> None:
            nonlocal service  # for new sessions; the others end as they began
            made = make_service(document.configuration, means)
            tls.reload(document.configuration, read)
            service = made

        def make_session() -> Session:
            return Session(service, sessions)

        life.call_at_reload(renew)
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(make_session, sock=listener, backlog=BACKLOG)
            for listener in life.listeners
        ]
        life.ready("listening on " + " ".join(str(endpoint) for endpoint in configuration.relay.listen))
        await life.wait_for_end()
        for server in servers:
            server.close()
        await sessions.end(_DRAIN_S)


def make_service(configuration: Configuration, means: Means) -> Service:
    """Put together what sessions share. Raises: ServiceError, where accounts or aliases cannot be read."""
    table = configuration.relay
    files = RoutingFiles(configuration)
    acceptance = Acceptance(table)

    def judge(recipient: Mailbox, service: ServiceClass) -> Reply:
        router = files.read()
        for trouble in files.take_troubles():
            means.log.error("file unreadable, what it said before stays in force", reason=trouble)
        return acceptance.judge(recipient, router, service)

    settings = Settings(
        configuration.hostname,
        table.size,
        table.most_recipients,
        tls=True,
        dsn=table.dsn_success,
        binary=table.binarymime,
    )
    means.connections.most = table.most_connections
    means.connections.most_per_client = table.most_connections_per_client
    means.budget.most_octets = max(table.spool, table.size + _OWN_OCTETS)
    return Service(
        settings=settings,
        tls=means.tls,
        maildrop=means.maildrop,
        connections=means.connections,
        budget=means.budget,
        space=FreeSpace(configuration.maildrop_folder, table.least_free),
        classify_client=AccessRules(table.access).classify,
        judge_recipient=judge,
        now=_now,
        idle_timeout_s=table.idle_timeout_s,
        log=means.log,
        metrics=means.metrics,
        tell=means.journal.tell,
    )


def _now() -> datetime:
    return datetime.now().astimezone()


main = make_command(NAME, "The SMTP relay daemon: takes mail from other systems.", relay, open_ports)

if __name__ == "__main__":
    main()
