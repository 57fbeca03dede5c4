"""smtprd, the SMTP relay daemon: takes mail from other systems, for the domains it is configured for.

Started by the supervisor or by hand. Meets the post office only in the maildrop.
"""

from paperpath.config.tables import Configuration
from paperpath.intake.guest import Door
from paperpath.intake.serving import Services, allow_connections, make_service, open_means, serve
from paperpath.relay.doors import list_doors
from paperpath.relay.way_in import RelayWayIn
from paperpath.service.program import Life, make_command
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
            table = configuration.relay
            way_in = RelayWayIn(configuration, means.maildrop, means.budget, means.log)
            settings = Settings(
                configuration.hostname,
                table.size,
                table.most_recipients,
                errors=table.limits.errors,
                tls=True,
                dsn=table.dsn_success,
                binary=table.binarymime,
            )
            service = make_service(configuration, table, means, settings, way_in)
            return {Door.CLEAR: service, Door.PROXY: service}

        await serve(life, means, list_doors(life.configuration), make_services)


main = make_command(NAME, "The SMTP relay daemon: takes mail from other systems.", relay, open_ports)

if __name__ == "__main__":
    main()
