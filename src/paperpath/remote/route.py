"""How to get to a destination: its hosts, whether TLS is needed, who we are there. Pure.

A destination is a domain, whose mail exchangers are to be asked for, or the hosts of a route. What a route
says of TLS and logins stands in the configuration alone, never in the maildrop.
"""

from dataclasses import dataclass
from pathlib import Path

from paperpath.config.tables import Configuration, RouteEntry, TlsPolicy
from paperpath.config.via import MX, NextHost, NextSocket, split_via
from paperpath.remote.tlsa import Pins


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a smart host; the password is in the file."""

    user: str
    password_file: Path


@dataclass(frozen=True, slots=True)
class Security:
    """Whether to use TLS. `verifies`: the certificate must be the host's, by whoever `ca_file` trusts.

    `ca_file`: `None` is whom this system trusts. `pins`: what the certificate must be by the host's own word.
    `because`: who asks for all this, where that is not the configuration. `otherwise`: how the host is spoken
    with where that fails; `None`: not at all.
    """

    policy: TlsPolicy
    verifies: bool = False
    ca_file: Path | None = None
    pins: Pins | None = None
    because: str = ""
    otherwise: "Security | None" = None


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a destination. No hosts: the mail exchangers of `domain`."""

    domain: str
    hosts: tuple[NextHost | NextSocket, ...]
    security: Security
    login: Login | None = None


def find_route(destination: str, configuration: Configuration) -> Route:
    """Return the way to a destination, as the configuration has it now."""
    hosts = split_via(destination)
    entry = _find_entry(destination, configuration, is_domain=not hosts)
    if entry is None:
        return Route(destination, hosts, Security(configuration.remote.tls))
    login = None
    if entry.user is not None and entry.password_file is not None:
        login = Login(entry.user, entry.password_file)
    security = choose_security(entry.tls or configuration.remote.tls, login, entry.ca_file)
    return Route(destination, hosts, security, login)


def choose_security(policy: TlsPolicy, login: Login | None, ca_file: Path | None) -> Security:
    """Return how a host is spoken with; one that is to be verified is never spoken with in the clear."""
    verifies = login is not None or ca_file is not None
    return Security("require" if verifies else policy, verifies, ca_file)


def _find_entry(destination: str, configuration: Configuration, *, is_domain: bool) -> RouteEntry | None:
    table = configuration.post_office
    if is_domain:
        entry = table.find_route(destination)
        return entry if entry is not None and entry.via == MX else None
    return next((entry for entry in table.route if entry.via == destination), None)
