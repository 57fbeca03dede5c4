"""Where dnslistd can be reached: each address and port by TCP, and by UDP."""

from paperpath.config.endpoint import DatagramPort, Port
from paperpath.config.tables import Configuration


def list_ports(configuration: Configuration) -> list[Port]:
    """List the ports of a configuration, in the order of the sockets; none without a table [dnslistd]."""
    table = configuration.dnslistd
    return [port for each in (() if table is None else table.listen) for port in (each, DatagramPort(each))]
