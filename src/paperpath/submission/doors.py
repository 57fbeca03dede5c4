"""Where smtpsd can be reached: 587, 465 with TLS from the start, both by proxies too; the users' socket.

And where nobody gets service.
"""

from paperpath.config.endpoint import LocalSocket, Place
from paperpath.config.tables import Configuration
from paperpath.intake.guest import Door


def list_doors(configuration: Configuration) -> list[tuple[Place, Door]]:
    """List the places of a configuration that has a table [submission], in the order of the listeners."""
    table = configuration.submission
    if table is None:
        return []
    return [
        *((endpoint, Door.CLEAR) for endpoint in table.listen),
        *((endpoint, Door.TLS) for endpoint in table.listen_tls),
        *((endpoint, Door.PROXY) for endpoint in table.listen_proxy),
        *((endpoint, Door.PROXY_TLS) for endpoint in table.listen_tls_proxy),
        *((endpoint, Door.NULL) for endpoint in table.listen_null),
        *([(LocalSocket(configuration.submission_socket), Door.LOCAL)] if table.listen_local else []),
    ]
