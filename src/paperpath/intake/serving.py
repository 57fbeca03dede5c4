"""How a way in lives: its means, its doors, a session for each client, new rules at a reload, an orderly end.

The same for smtprd and smtpsd, which say what service there is behind each door.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paperpath.config.endpoint import Place
from paperpath.config.intake_tables import IntakeTable
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.client_names import ClientNames
from paperpath.intake.connections import Connections
from paperpath.intake.guard import Guard, GuardMeans
from paperpath.intake.guest import Door
from paperpath.intake.list_desk import ListMeans, open_desk, open_list_means
from paperpath.intake.login import LoginDesk
from paperpath.intake.opening import Opening
from paperpath.intake.service import Service
from paperpath.intake.sessions import Sessions
from paperpath.intake.space import FreeSpace
from paperpath.intake.way_in import WayIn
from paperpath.journal.writer import Journal, open_journal
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop
from paperpath.service.descriptors import allow_descriptors
from paperpath.service.listener import BACKLOG
from paperpath.service.log import Log
from paperpath.service.metrics import Family, IntakeMetrics
from paperpath.service.program import Life
from paperpath.service.tls.contexts import ServerTls
from paperpath.service.tls.key_files import Reader
from paperpath.smtp.settings import Settings

_DRAIN_S = 10.0
_SPARE_DESCRIPTORS = 100  # for all but connections, each of which may have a message's file too
# The socket's name outlives a process that serves it, and others that do.
_LOCAL_OPTIONS: dict[str, Any] = {"backlog": BACKLOG}
if sys.version_info >= (3, 13):
    _LOCAL_OPTIONS["cleanup_socket"] = False
_OWN_OCTETS = 64 * 1024  # more than we add to a message: one that may be taken has room in an empty spool


@dataclass(frozen=True, slots=True)
class Means:
    """What a process has once, whatever the configuration says from one reload to the next."""

    tls: ServerTls
    maildrop: Maildrop
    guard: GuardMeans
    budget: SpoolBudget
    lists: ListMeans
    metrics: IntakeMetrics
    log: Log
    journal: Journal

    def measure(self) -> list[Family]:
        """Return the numbers of this moment."""
        self.metrics.spool_octets = self.budget.taken
        self.metrics.tarpitted = self.guard.tarpit.held
        return self.metrics.families() + self.lists.metrics.families()


Services = Mapping[Door, Service]
MakeServices = Callable[[Configuration], Services]


def allow_connections(life: Life, table: IntakeTable) -> None:
    """Have as many descriptors as it takes for all connections, or say that there are too few."""
    wanted = _SPARE_DESCRIPTORS + 2 * table.most_connections
    if (allowed := allow_descriptors(wanted)) < wanted:
        life.log.warning(
            "too few open files are allowed for so many connections", wanted=wanted, allowed=allowed
        )


@asynccontextmanager
async def open_means(life: Life, name: str, *, asks_clients: bool = False) -> AsyncIterator[Means]:
    """Have what the program `name` needs for the length of the block. Raises: ServiceError."""
    configuration = life.configuration
    async with (
        open_maildrop(configuration, name) as maildrop,
        open_journal(life, name) as journal,
        open_list_means(configuration.dns, life.log) as lists,
    ):
        tls = ServerTls(configuration, life.contexts, asks_clients=asks_clients)
        if tls.self_signed is not None:
            life.log.warning(
                "no certificate is configured; one signed by itself is in force", file=tls.self_signed
            )
        metrics = IntakeMetrics()
        guard, budget = GuardMeans(Connections(0, 0), metrics), SpoolBudget(0)
        means = Means(tls, maildrop, guard, budget, lists, metrics, life.log, journal)
        life.measure(means.measure)
        yield means


async def serve(
    life: Life, means: Means, doors: Sequence[tuple[Place, Door]], make_services: MakeServices
) -> None:
    """Serve until the end is asked for, then let each session finish what it began.

    `doors`: what the listeners are, in their order. What `make_services` raises keeps the old ones in force.
    """
    services = make_services(life.configuration)
    sessions = Sessions()

    async def renew(document: Document, read: Reader) -> None:
        nonlocal services  # for new sessions; the others end as they began
        made = make_services(document.configuration)
        means.tls.reload(document.configuration, read)
        services = made

    life.call_at_reload(renew)
    loop = asyncio.get_running_loop()
    servers = []
    for (_, door), listener in zip(doors, life.listeners, strict=True):

        def make_opening(door: Door = door) -> Opening:
            return Opening(services[door], sessions, door)

        if door is Door.LOCAL:
            servers.append(await loop.create_unix_server(make_opening, sock=listener, **_LOCAL_OPTIONS))
        else:
            servers.append(await loop.create_server(make_opening, sock=listener, backlog=BACKLOG))
    life.ready("listening on " + " ".join(str(place) for place, _ in doors))
    await life.wait_for_end()
    for server in servers:
        server.close()
    await sessions.end(_DRAIN_S)


def make_service(
    configuration: Configuration,
    table: IntakeTable,
    means: Means,
    settings: Settings,
    way_in: WayIn,
    logins: LoginDesk | None = None,
) -> Service:
    """Put together what sessions share; the bounds of the table are in force from now on."""
    means.budget.most_octets = max(table.spool, table.size + _OWN_OCTETS)
    return Service(
        settings=settings,
        tls=means.tls,
        maildrop=means.maildrop,
        connections=means.guard.connections,
        guard=Guard(table, means.guard),
        budget=means.budget,
        space=FreeSpace(configuration.maildrop_folder, table.least_free),
        way_in=way_in,
        now=_now,
        idle_timeout_s=table.idle_timeout_s,
        log=means.log,
        metrics=means.metrics,
        tell=means.journal.tell,
        logins=logins,
        lists=open_desk(table.lists, table.lists_timeout_s, means.lists),
        proxies=table.proxies,
        greeting_wait_s=table.greeting_wait_s,
        names=ClientNames(way_in.access, means.lists.resolver),
    )


def _now() -> datetime:
    return datetime.now().astimezone()
