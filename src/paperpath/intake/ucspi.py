"""How a program that is started for one client is told who that is, and what it may: pure (C-9, L-14, L-17).

tcpserver and its like describe a connection in the environment of the program that they start for it (UCSPI),
and so does systemd. What stands there may come from anywhere: of it only an address and a port get in, and
nothing that is not one of these (attack S-6). Nobody vouches for the client's name, and it is not looked at.
`tcpsrun` writes what `smtprd --stdio` and `smtpsd --stdio` read here.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from paperpath.intake.access import ServiceClass, parse_service_class

ACCESS_VARIABLE = "ACCESSLEVEL"  # a level, or the name of a class
PRIVILEGED_VARIABLE = "RELAYCLIENT"  # privileged where it is set at all (requirement L-18)

_PROTOCOL = "PROTO"
_LOCAL = ("TCPLOCALIP", "TCPLOCALPORT")
_REMOTE = ("TCPREMOTEIP", "TCPREMOTEPORT")
_SYSTEMD = ("REMOTE_ADDR", "REMOTE_PORT")  # for which there is no protocol
_UNKNOWN = ("TCPLOCALHOST", "TCPREMOTEHOST", "TCPREMOTEINFO")
_OURS = (_PROTOCOL, *_LOCAL, *_REMOTE, *_SYSTEMD, *_UNKNOWN, ACCESS_VARIABLE, PRIVILEGED_VARIABLE)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one client of a program. Where it is not known, as on a pipe, the address is empty and the port 0.

    `service`: what whoever started us decided; `None`: nothing, so that the configured rules do. `uid`: the
    user of this host whose mail it is, if so.
    """

    address: str
    port: int
    service: ServiceClass | None = None
    uid: int | None = None


def find_client(environment: Mapping[str, str]) -> Address:
    """Return the client's address; an empty one where none is given, or none that can be read."""
    names = _REMOTE if environment.get(_PROTOCOL) in ("TCP", "TCP6") else _SYSTEMD
    address, port = (environment.get(name, "") for name in names)
    return clean_address(address), _clean_port(port)


def find_service(argument: ServiceClass | None, environment: Mapping[str, str]) -> ServiceClass | None:
    """Return the service that was decided on before us: by an argument, else by the environment.

    Raises: ValueError, for a level that is none: to guess could be to relay for everyone.
    """
    if argument is not None:
        return argument
    if (level := environment.get(ACCESS_VARIABLE)) is not None:
        try:
            return parse_service_class(level)
        except ValueError as error:
            raise ValueError(f"{ACCESS_VARIABLE}: {error}") from None
    return ServiceClass.PRIVILEGED if PRIVILEGED_VARIABLE in environment else None


def describe_connection(
    environment: Mapping[str, str], local: Address, remote: Address, level: int | None
) -> dict[str, str]:
    """Return an environment that describes a connection, and nothing of what we were told of one ourselves.

    `level`: of access; `None`: that is for the program to decide.
    """
    (local_address, local_port), (address, port) = local, remote
    described = {name: value for name, value in environment.items() if name not in _OURS}
    described[_PROTOCOL] = "TCP6" if ":" in address else "TCP"
    described |= dict(zip(_LOCAL, (local_address, str(local_port)), strict=True))
    described |= dict(zip(_REMOTE, (address, str(port)), strict=True))
    if level is not None:
        described[ACCESS_VARIABLE] = str(level)
        if level == ServiceClass.PRIVILEGED.level:
            described[PRIVILEGED_VARIABLE] = ""
    return described


def clean_address(text: str) -> str:
    """Return an IP address as it is written everywhere, IPv4 as IPv4; empty for what is none.

    A zone, which may be any text, is left out: it says something to one host only.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _clean_port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
    return port if port < 2**16 else 0
