"""smtprd, the SMTP relay daemon: takes mail from other systems, for the domains it is configured for.

Started by the supervisor or by hand. Meets the post office only in the maildrop.
"""

import asyncio
from datetime import datetime

from paperpath.accounts.file import AccountsError, AccountsFile
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.intake.session import Service, Session, Sessions
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.opening import open_maildrop
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.routes import Routes
from paperpath.service.errors import ServiceError
from paperpath.service.listener import BACKLOG
from paperpath.service.log import Log
from paperpath.service.program import Life, make_command
from paperpath.smtp.server import Settings

NAME = "smtprd"
_DRAIN_S = 10.0


def open_ports(life: Life) -> None:
    """Listen, with the privileges that are dropped then. Raises: ServiceError."""
    life.listen(life.configuration.relay.listen)


async def relay(life: Life) -> None:
    """Serve until the end is asked for, then let each session finish what it began."""
    configuration = life.configuration
    async with open_maildrop(configuration, NAME) as maildrop:
        service = make_service(configuration, maildrop, life.log)
        sessions = Sessions()

        async def renew(document: Document) -> None:
            nonlocal service  # for new sessions; the others end as they began
            service = make_service(document.configuration, maildrop, life.log)

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


def make_service(configuration: Configuration, maildrop: Maildrop, log: Log) -> Service:
    """Put together what sessions share. Raises: ServiceError, where the accounts cannot be read."""
    table = configuration.relay
    try:
        accounts = AccountsFile(configuration.accounts_file)
    except AccountsError as error:
        raise ServiceError(str(error)) from error
    acceptance = Acceptance(table, Routes(configuration.post_office))

    def judge(recipient: Mailbox) -> Reply:
        current = accounts.read()
        if (trouble := accounts.take_trouble()) is not None:
            log.error("accounts unreadable, the old ones stay in force", reason=trouble)
        return acceptance.judge(recipient, current)

    settings = Settings(configuration.hostname, table.size, table.most_recipients)
    return Service(settings, maildrop, judge, _now, table.idle_timeout_s, log)


def _now() -> datetime:
    return datetime.now().astimezone()


main = make_command(NAME, "The SMTP relay daemon: takes mail from other systems.", relay, open_ports)

if __name__ == "__main__":
    main()
