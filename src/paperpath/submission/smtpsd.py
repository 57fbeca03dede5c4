"""smtpsd, the submission daemon: takes people's mail, completes it, and puts it into the maildrop.

Started by the supervisor or by hand. People log in, with TLS; users of this host have a socket, on which the
kernel says who they are. Meets the post office only in the maildrop.
"""

import os
from contextlib import closing
from dataclasses import replace

from paperpath.accounts.file import AccountsError, AccountsFile
from paperpath.accounts.secrets import SecretsFile
from paperpath.accounts.usage import Usage
from paperpath.accounts.verifier import Verifier
from paperpath.config.intake_tables import SubmissionTable
from paperpath.config.tables import Configuration
from paperpath.intake.guest import Door
from paperpath.intake.serving import Means, Services, allow_connections, make_service, open_means, serve
from paperpath.routing.files import RoutingFiles
from paperpath.service.errors import ServiceError
from paperpath.service.program import Life, make_command
from paperpath.smtp.sasl import MECHANISMS
from paperpath.smtp.settings import Settings
from paperpath.submission.doors import list_doors
from paperpath.submission.logins import SubmissionLogins
from paperpath.submission.reception import Site
from paperpath.submission.rules import make_rules
from paperpath.submission.way_in import SubmissionWayIn

NAME = "smtpsd"


def open_ports(life: Life) -> None:
    """Listen and read the keys, with the privileges that are dropped then. Raises: ServiceError."""
    table = _find_table(life.configuration)
    life.listen([place for place, _ in list_doors(life.configuration)])
    life.open_keys(asks_clients=True)
    allow_connections(life, table)


async def submit(life: Life) -> None:
    """Serve until the end is asked for."""
    async with open_means(life, NAME, asks_clients=True) as means:
        with closing(_open_verifier(life.configuration)) as verifier:

            def make_services(configuration: Configuration) -> Services:
                return _make_services(configuration, means, verifier)

            await serve(life, means, list_doors(life.configuration), make_services)


def _make_services(configuration: Configuration, means: Means, verifier: Verifier) -> Services:
    """Put together what there is behind each door. Raises: ServiceError."""
    table, files = _find_table(configuration), RoutingFiles(configuration)
    site = Site(
        means.maildrop,
        means.budget,
        Usage(configuration.usage_folder),
        make_rules(configuration, files),
        configuration.maildrop_folder,
        table.hide_client_address,
    )
    verifier.domain = configuration.default_domain
    settings = Settings(
        configuration.hostname,
        table.size,
        table.most_recipients,
        errors=table.limits.errors,
        tls=True,
        dsn=True,
        submission=True,
        mechanisms=MECHANISMS,
        auth_required=True,
    )
    way_in = SubmissionWayIn(table, site, files, verifier, means.log)
    logins = SubmissionLogins(verifier, means.log)
    service = make_service(configuration, table, means, settings, way_in, logins)
    local = replace(service, settings=replace(settings, tls=False, auth_in_clear=True))
    return {door: local if door is Door.LOCAL else service for door in Door}


def _find_table(configuration: Configuration) -> SubmissionTable:
    if configuration.submission is None:
        raise ServiceError(f"{NAME} needs a table [submission] in the configuration", os.EX_CONFIG)
    return configuration.submission


def _open_verifier(configuration: Configuration) -> Verifier:
    """Have who judges names and passwords. Raises: ServiceError."""
    try:
        secrets, accounts = SecretsFile(configuration.secrets_file), AccountsFile(configuration.accounts_file)
    except AccountsError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
    return Verifier(secrets, accounts, configuration.default_domain)


main = make_command(NAME, "The submission daemon: takes mail of people who log in.", submit, open_ports)

if __name__ == "__main__":
    main()
