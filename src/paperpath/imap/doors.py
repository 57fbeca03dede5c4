"""Where imapd can be reached: 143, and 993 with TLS from the start."""

from paperpath.config.endpoint import Place
from paperpath.config.tables import Configuration
from paperpath.intake.guest import Door


def list_doors(configuration: Configuration) -> list[tuple[Place, Door]]:
    """List the places of a configuration that has a table [imap], in the order of the listeners."""
    table = configuration.imap
    if table is None:
        return []
    return [
        *((endpoint, Door.CLEAR) for endpoint in table.listen),
        *((endpoint, Door.TLS) for endpoint in table.listen_tls),
    ]
