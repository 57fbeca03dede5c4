"""The tables of the ways in: [relay], [submission], and [canonical], which says how people's mail is mended.

Like tables.py, whose `Configuration` holds them.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from paperpath.config.client_list import CLIENT_LIST_EXPECTED
from paperpath.config.domain import DOMAIN_EXPECTED, FULL_DOMAIN_EXPECTED, HOST_EXPECTED
from paperpath.config.endpoint import ENDPOINT_EXPECTED, Endpoint
from paperpath.config.fields import (
    AcceptedDomainField,
    ClientListField,
    EndpointField,
    FileField,
    FullDomainField,
    HostField,
    NetworkField,
    PrefixField,
    Table,
)
from paperpath.config.limit_tables import LimitsTable, TarpitTable
from paperpath.config.network import NETWORK_EXPECTED, Network
from paperpath.config.octets import OCTETS_EXPECTED, parse_octets
from paperpath.config.places import FILE_EXPECTED

SMALLEST_SIZE = 64 * 2**10  # octets, RFC 5321 §4.5.3.1.7
FEWEST_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8
MOST_PROCESSES = 64
MOST_LISTS = 32
LONGEST_GREETING_WAIT_S = 60  # of five minutes in which it must have come (RFC 5321 §4.5.3.2.1)
LONGEST_LOOKUP_S = 110  # whoever submits is answered within two minutes (RFC 6409 §5.3)

ENDPOINTS_EXPECTED = f"an array of {ENDPOINT_EXPECTED}"
DOMAINS_EXPECTED = f"an array of {DOMAIN_EXPECTED}"
WHEN_DOWN_EXPECTED = '"fail" or "drop"'
ACCESS_EXPECTED = "an array of tables, each with clients or hosts, and service"


def _refuse_everybody(proxies: tuple[Network, ...]) -> tuple[Network, ...]:
    if any(network.prefixlen == 0 for network in proxies):
        raise ValueError("expected the networks of proxies, and not everybody, who could then be anybody")
    return proxies


def _require_some(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    if not endpoints:
        raise ValueError(f"expected at least one {ENDPOINT_EXPECTED}")
    return endpoints


class AccessEntry(Table):
    """[[relay.access]] and [[submission.access]]: which clients, by address or name, get which service."""

    clients: Annotated[tuple[PrefixField, ...], Strict(False)] = Field(
        default=(), description=f"an array of {NETWORK_EXPECTED}"
    )
    hosts: Annotated[tuple[HostField, ...], Strict(False)] = Field(
        default=(), description=f"an array of {HOST_EXPECTED}"
    )
    service: Literal["deny", "null", "normal", "privileged"] = Field(
        description='"deny", "null", "normal" or "privileged"'
    )

    @model_validator(mode="after")
    def _name_somebody(self) -> Self:
        if not self.clients and not self.hosts:
            raise ValueError("expected clients, hosts, or both")
        return self


class IntakeTable(Table):
    """What [relay] and [submission] have in common: how much they take, from whom, in how many processes."""

    size: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=50 * 2**20, ge=SMALLEST_SIZE, description=f"{OCTETS_EXPECTED}, at least 64 KiB"
    )
    """Octets that one message may have."""
    most_recipients: int = Field(
        default=1000, ge=FEWEST_RECIPIENTS, description=f"a whole number, at least {FEWEST_RECIPIENTS}"
    )
    """Recipients that one transaction may have."""
    most_connections: int = Field(default=1000, ge=1, description="a whole number, at least 1")
    """Connections at once, in each process."""
    most_connections_per_client: int = Field(default=50, ge=1, description="a whole number, at least 1")
    """Connections of one address, or one /64 of IPv6, at once, in each process; privileged clients aside."""
    spool: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=2**30, ge=SMALLEST_SIZE, description=f"{OCTETS_EXPECTED}, at least 64 KiB"
    )
    """Octets of all messages on their way in at once, in each process; one of `size` always has room."""
    least_free: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=64 * 2**20, ge=0, description=OCTETS_EXPECTED
    )
    """Octets that must stay free on the maildrop's file system; with less, no new message is begun."""
    listen_null: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """Where nobody gets service, but a greeting that says so (554)."""
    access: Annotated[tuple[AccessEntry, ...], Strict(False)] = Field(default=(), description=ACCESS_EXPECTED)
    listen_proxy: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """Where proxies connect, which say for whom by the PROXY protocol; otherwise as at `listen`."""
    proxies: Annotated[tuple[NetworkField, ...], Strict(False), AfterValidator(_refuse_everybody)] = Field(
        default=(), description=f"an array of {NETWORK_EXPECTED}"
    )
    """Who may say so."""
    greeting_wait_s: float = Field(
        default=0.0,
        ge=0,
        le=LONGEST_GREETING_WAIT_S,
        description=f"a number of seconds, at most {LONGEST_GREETING_WAIT_S}",
    )
    """Seconds before the greeting; who does not wait for it is refused."""
    access_file: FileField | None = Field(default=None, description=FILE_EXPECTED)
    """More such rules, which hold as soon as the file has them."""
    open_relay: bool = Field(default=False, description="true or false")
    """Whether the rules may grant any recipient to about everybody (promise P7)."""
    lists: Annotated[tuple[ClientListField, ...], Strict(False)] = Field(
        default=(),
        max_length=MOST_LISTS,
        description=f"an array of at most {MOST_LISTS} {CLIENT_LIST_EXPECTED}",
    )
    """Lists in the DNS that are asked about each client, in this order; the first that has it decides."""
    lists_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=LONGEST_LOOKUP_S,
        description=f"a number of seconds, more than 0, at most {LONGEST_LOOKUP_S}",
    )
    """Seconds that asking all of them may take."""
    tarpit: TarpitTable | None = Field(default=None, description="a table")
    """`None`: no reply is ever held back."""
    limits: LimitsTable = Field(default=LimitsTable(), description="a table")
    idle_timeout_s: float = Field(
        default=300.0, gt=0, allow_inf_nan=False, description="a number of seconds, more than 0"
    )
    """Seconds that a client may be silent."""
    processes: int | None = Field(
        default=None, ge=1, le=MOST_PROCESSES, description=f"a whole number from 1 to {MOST_PROCESSES}"
    )
    """Processes that share the work; `None`: one for each processor, at most 8."""


class RelayTable(IntakeTable):
    """[relay], for smtprd: where it listens, and what it takes."""

    listen: Annotated[tuple[EndpointField, ...], Strict(False), AfterValidator(_require_some)] = Field(
        description=ENDPOINTS_EXPECTED
    )
    domains: Annotated[tuple[AcceptedDomainField, ...], Strict(False)] = Field(
        default=(), description=DOMAINS_EXPECTED
    )
    binarymime: bool = Field(default=False, description="true or false")
    """Whether BODY=BINARYMIME is taken: such mail can go on only to hosts that take it too (RFC 3030)."""
    check_recipients: bool = Field(default=True, description="true or false")
    """Whether recipients at local domains must be known; those that are not would be bounced later."""
    dsn_success: bool = Field(default=False, description="true or false")
    """Whether DSN is announced, and with it reports of success, which strangers could ask us to send."""


class SubmissionTable(IntakeTable):
    """[submission], for smtpsd: where people hand in their mail, and how they prove who they are."""

    listen: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """Where it speaks SMTP with STARTTLS, port 587 (RFC 6409)."""
    listen_tls: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """Where it speaks TLS from the start, port 465 (RFC 8314 §3.3)."""
    listen_tls_proxy: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(), description=ENDPOINTS_EXPECTED
    )
    """As `listen_tls`, for the proxies of `listen_proxy`; TLS is between their clients and us."""
    listen_local: bool = Field(default=True, description="true or false")
    """Whether users of this host may hand in mail through a socket, which the kernel tells us is theirs."""
    hide_client_address: bool = Field(default=False, description="true or false")
    """Whether the Received field says nothing of where a client is."""
    client_ca: FileField | None = Field(default=None, description=FILE_EXPECTED)
    """Who may vouch for clients' certificates, which then prove who they are (EXTERNAL)."""
    own_senders: bool = Field(default=False, description="true or false")
    """Whether the envelope's sender must be the account's own address (RFC 6409 §6.1)."""


class CanonicalTable(Table):
    """[canonical]: how mail of people is put into its canonical form, whichever way it comes in."""

    domain: FullDomainField | None = Field(default=None, description=FULL_DOMAIN_EXPECTED)
    """What completes an address without a domain; `None`: the postmaster's."""
    parent: FullDomainField | None = Field(default=None, description=FULL_DOMAIN_EXPECTED)
    """What completes a domain of one label; `None`: such domains are refused."""
    strict: bool = Field(default=True, description="true or false")
    """Whether a name without a domain must be known here, in a header, to be completed."""
    hidden: Annotated[tuple[AcceptedDomainField, ...], Strict(False)] = Field(
        default=(), description=DOMAINS_EXPECTED
    )
    """Domains that senders' addresses are not to show; `shown` stands in their place."""
    shown: FullDomainField | None = Field(default=None, description=FULL_DOMAIN_EXPECTED)
    """`None`: `domain`."""
    users: FileField | None = Field(default=None, description=FILE_EXPECTED)
    """The file of local parts and the addresses that are shown for them."""
    encode_8bit: bool = Field(default=False, description="true or false")
    """Whether 8-bit content is encoded for hosts that take 7 bits (RFC 6152 §3)."""


class SendmailTable(Table):
    """[sendmail], for the command of that name."""

    when_down: Literal["fail", "drop"] = Field(default="fail", description=WHEN_DOWN_EXPECTED)
    """What becomes of mail while smtpsd is away: it is refused for now, or left in the drop directory."""
