"""imapd, the IMAP daemon: serves people's mailboxes to their mail programs.

Started by the supervisor or by hand. It works on the Maildirs that smtpld delivers into, and meets it nowhere
else: a wake-up says that somewhere something may be new.
"""

import asyncio
import os
import time
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass

from paperpath.accounts.file import AccountsFile
from paperpath.accounts.opening import open_accounts, open_verifier
from paperpath.accounts.verifier import Verifier
from paperpath.config.imap_table import ImapTable
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.imap.doors import list_doors
from paperpath.imap.extensions import Extension
from paperpath.imap.logins import ImapLogins
from paperpath.imap.metrics import ImapMetrics
from paperpath.imap.service import Service
from paperpath.imap.session import Session
from paperpath.imap.settings import Settings
from paperpath.imap.turns import Turns
from paperpath.imap.watch import Watch
from paperpath.intake.connections import Connections
from paperpath.intake.guest import Door
from paperpath.intake.judge import Judge
from paperpath.intake.sessions import Sessions
from paperpath.maildrop.opening import wakeup_folder
from paperpath.service.descriptors import allow_descriptors
from paperpath.service.errors import ServiceError
from paperpath.service.listener import BACKLOG
from paperpath.service.log import Log
from paperpath.service.program import Life, make_command
from paperpath.service.tls.contexts import ServerTls, open_contexts
from paperpath.service.tls.key_files import Reader
from paperpath.service.wakeup import Wakeups
from paperpath.smtp.sasl import EXTERNAL, MECHANISMS

NAME = "imapd"
LOOK_S = 2.0  # how often those who idle are told what other programs did, which wake nobody
_DRAIN_S = 10.0
_SPARE_DESCRIPTORS = 100
_DESCRIPTORS_EACH = 12  # of a session: its connection, a folder that is open, another to copy to

CARRIED_OUT = frozenset(Extension) - {Extension.LITERAL_MINUS}
"""What is announced."""


@dataclass(frozen=True, slots=True)
class _Means:
    """What the process has once, whatever the configuration says from one reload to the next."""

    tls: ServerTls
    verifier: Verifier
    accounts: AccountsFile
    sessions: Sessions
    connections: Connections
    turns: Turns
    watch: Watch
    metrics: ImapMetrics
    log: Log


def open_ports(life: Life) -> None:
    """Listen and read the keys, with the privileges that are dropped then. Raises: ServiceError."""
    table = _find_table(life.configuration)
    life.listen([place for place, _ in list_doors(life.configuration)])
    life.contexts = open_contexts(life.configuration)
    wanted = _SPARE_DESCRIPTORS + _DESCRIPTORS_EACH * table.most_connections
    if (allowed := allow_descriptors(wanted)) < wanted:
        life.log.warning(
            "too few open files are allowed for so many connections", wanted=wanted, allowed=allowed
        )


async def serve(life: Life) -> None:
    """Serve until the end is asked for, then let each session finish what it does."""
    configuration = life.configuration
    async with AsyncExitStack() as opened:
        wakeups = await opened.enter_async_context(Wakeups(wakeup_folder(configuration), NAME))
        means = _Means(
            ServerTls(configuration, life.contexts),
            opened.enter_context(closing(open_verifier(configuration))),
            open_accounts(configuration),
            Sessions(),
            Connections(0, 0),
            opened.enter_context(closing(Turns(_find_table(configuration).threads))),
            Watch(wakeups.wake),
            ImapMetrics(),
            life.log,
        )
        life.measure(means.metrics.families)
        await _serve(life, means, wakeups)


async def _serve(life: Life, means: _Means, wakeups: Wakeups) -> None:
    service = _make_service(life.configuration, means)

    async def renew(document: Document, read: Reader) -> None:
        nonlocal service  # for new sessions; the others end as they began
        made = _make_service(document.configuration, means)
        means.tls.reload(document.configuration, read)
        service = made

    life.call_at_reload(renew)
    life.call_at_end(wakeups.wake)
    loop = asyncio.get_running_loop()
    doors = list_doors(life.configuration)
    servers = []
    for (_, door), listener in zip(doors, life.listeners, strict=True):

        def make_session(door: Door = door) -> Session:
            return Session(service, door)

        servers.append(await loop.create_server(make_session, sock=listener, backlog=BACKLOG))
    life.ready("listening on " + " ".join(str(place) for place, _ in doors))
    while not life.ending:
        await wakeups.wait(LOOK_S)
        means.watch.tell(await means.turns.run(means.watch.look))
    for server in servers:
        server.close()
    await means.sessions.end(_DRAIN_S)


def _make_service(configuration: Configuration, means: _Means) -> Service:
    """Put together what sessions share; the bounds of the table are in force from now on."""
    table = _find_table(configuration)
    means.connections.most = table.most_connections
    means.connections.most_per_client = table.most_connections_per_client
    means.verifier.domain = configuration.default_domain
    judge = Judge(means.verifier, means.log)
    return Service(
        settings=Settings(
            configuration.hostname,
            table.size,
            extensions=CARRIED_OUT,
            tls=True,
            mechanisms=tuple(name for name in MECHANISMS if name != EXTERNAL),
        ),
        tls=means.tls,
        logins=ImapLogins(judge, means.accounts, configuration),
        sessions=means.sessions,
        connections=means.connections,
        turns=means.turns,
        watch=means.watch,
        metrics=means.metrics,
        log=means.log,
        idle_timeout_s=table.idle_timeout_s,
        clock_us=lambda: time.time_ns() // 1000,
    )


def _find_table(configuration: Configuration) -> ImapTable:
    if configuration.imap is None:
        raise ServiceError("imapd needs a table [imap] in the configuration", os.EX_CONFIG)
    return configuration.imap


main = make_command(NAME, "The IMAP daemon: serves mailboxes to mail programs.", serve, open_ports)

if __name__ == "__main__":
    main()
