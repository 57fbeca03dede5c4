"""Where smtprd can be reached: port 25, by proxies too, and where nobody gets service."""

from paperpath.config.endpoint import Place
from paperpath.config.tables import Configuration
from paperpath.intake.guest import Door


def list_doors(configuration: Configuration) -> list[tuple[Place, Door]]:
    """List the places of a configuration, in the order of the listeners."""
    table = configuration.relay
    return [
        *((endpoint, Door.CLEAR) for endpoint in table.listen),
        *((endpoint, Door.PROXY) for endpoint in table.listen_proxy),
        *((endpoint, Door.NULL) for endpoint in table.listen_null),
    ]
