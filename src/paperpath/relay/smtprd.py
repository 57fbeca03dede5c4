"""smtprd, the SMTP relay daemon: takes mail from other systems, for the domains it is configured for.

Started by the supervisor or by hand. Meets the post office only in the maildrop.
"""

from pathlib import Path

import click

from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.intake.guest import Door
from paperpath.intake.service import Service
from paperpath.intake.serving import Means, Services, allow_connections, make_service, open_means, serve
from paperpath.intake.stdio import Visit, run_stdio, serve_visit, stdio_options
from paperpath.relay.doors import list_doors
from paperpath.relay.way_in import RelayWayIn
from paperpath.service.program import Life, config_option, run_program
from paperpath.smtp.settings import Settings

NAME = "smtprd"


def open_ports(life: Life) -> None:
    """Listen and read the keys, with the privileges that are dropped then. Raises: ServiceError."""
    life.listen([place for place, _ in list_doors(life.configuration)])
    life.open_keys()
    allow_connections(life, life.configuration.relay)


async def relay(life: Life) -> None:
    """Serve until the end is asked for."""
    async with open_means(life, NAME) as means:

        def make_services(configuration: Configuration) -> Services:
            return dict.fromkeys(Door, _make_service(configuration, means))

        await serve(life, means, list_doors(life.configuration), make_services)


async def relay_for_one(life: Life, visit: Visit) -> None:
    """Serve one client on standard input and output."""
    async with open_means(life, NAME) as means:
        await serve_visit(life, _make_service(life.configuration, means), visit)


def _make_service(configuration: Configuration, means: Means) -> Service:
    table = configuration.relay
    settings = Settings(
        configuration.hostname,
        table.size,
        table.most_recipients,
        errors=table.limits.errors,
        tls=True,
        dsn=table.dsn_success,
        binary=table.binarymime,
    )
    way_in = RelayWayIn(configuration, means.maildrop, means.budget, means.log)
    return make_service(configuration, table, means, settings, way_in)


@click.command(NAME)
@config_option
@stdio_options
def main(file: Path, stdio: bool, access: ServiceClass | None) -> None:
    """The SMTP relay daemon: takes mail from other systems.

    Example: smtprd --config paperpath.toml
    """
    if stdio:
        raise SystemExit(run_stdio(NAME, file, access, relay_for_one))
    raise SystemExit(run_program(NAME, file, relay, open_ports))


if __name__ == "__main__":
    main()
