"""Where smtprd can be reached: by anybody, and by proxies that speak for others."""

from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import Configuration
from paperpath.intake.guest import Door


def list_doors(configuration: Configuration) -> list[tuple[Endpoint, Door]]:
    """List the places of a configuration, in the order of the listeners."""
    table = configuration.relay
    return [
        *((endpoint, Door.CLEAR) for endpoint in table.listen),
        *((endpoint, Door.PROXY) for endpoint in table.listen_proxy),
    ]
