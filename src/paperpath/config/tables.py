"""What the configuration may hold: one frozen model for each table of the file.

Made by the loader; every program takes its own table. Types are strict: 5 is no string and true no
number. Each field's description is what the loader says was expected there.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict

from paperpath.config.agent_tables import AGENTS_EXPECTED, AgentNameField, AgentTable
from paperpath.config.dkim_table import DkimTable
from paperpath.config.dnslistd_table import DnslistdTable
from paperpath.config.domain import HOSTNAME_EXPECTED, POSTMASTER_EXPECTED, ROUTE_DOMAIN_EXPECTED
from paperpath.config.domain_table import DomainTable
from paperpath.config.endpoint import ENDPOINT_EXPECTED
from paperpath.config.fields import (
    AddressField,
    EndpointField,
    FileField,
    FolderField,
    GroupField,
    HostnameField,
    InnerFolderField,
    MaildropField,
    PostmasterField,
    QuotaField,
    RefusalField,
    RouteDomainField,
    Table,
    UserField,
    UserPlaceField,
    ViaField,
)
from paperpath.config.imap_table import ImapTable
from paperpath.config.intake_tables import (
    MOST_PROCESSES,
    SMALLEST_SIZE,
    CanonicalTable,
    RelayTable,
    SendmailTable,
    SubmissionTable,
)
from paperpath.config.network import ADDRESS_EXPECTED
from paperpath.config.octets import OCTETS_EXPECTED, parse_octets
from paperpath.config.places import (
    ACCOUNTS_NAME,
    BATCHES_NAME,
    DAMAGED_NAME,
    DATA_EXPECTED,
    DKIM_NAME,
    DROP_NAME,
    FILE_EXPECTED,
    GROUP_EXPECTED,
    INNER_FOLDER_EXPECTED,
    JOURNAL_NAME,
    MAILDROP_EXPECTED,
    MTA_STS_NAME,
    RUN_NAME,
    SECRETS_NAME,
    SUBMISSION_NAME,
    TLS_NAME,
    USAGE_NAME,
    USER_EXPECTED,
    find_maildrop_folder,
)
from paperpath.config.quota import NO_QUOTA, QUOTA_EXPECTED
from paperpath.config.user_place import HOME_MAILDIR, USER_PLACE_EXPECTED
from paperpath.config.via import REFUSAL_EXPECTED, VIA_EXPECTED

SMALLEST_JOURNAL = 64 * 2**20  # octets: some parts for each program
MOST_DAYS = 3650
MOST_THREADS = 64
MOST_PROGRAMS = 1000
MOST_TRANSACTIONS = 10_000
MOST_PAUSE_S = 86_400.0  # what is put off for longer is taken for due: see maildrop.values
MOST_SERVERS = 8
LONGEST_DNS_S = 120
MOST_REPORTS = 10_000
MOST_UID = 2**32 - 2  # the one above says that nobody is meant
MOST_CERTIFICATES = 100  # two files of each are handed over at once

SEPARATOR_EXPECTED = 'one of the characters + - = _ . # !, or "" for none'

SECONDS_EXPECTED = "a number of seconds, more than 0"
UID_EXPECTED = f"the number of a user, from 1 to {MOST_UID}"
PAUSE_EXPECTED = "a number of seconds, more than 0, at most a day"
TLS_POLICY_EXPECTED = '"opportunistic", "require" or "never"'
TlsPolicy = Literal["opportunistic", "require", "never"]

DEFAULT_MAILDROP = "sqlite:maildrop"
DEFAULT_MAILBOX_ROOT = Path("mailboxes")


class RouteEntry(Table):
    """[[post_office.route]]: which domains go which way."""

    domain: RouteDomainField = Field(description=ROUTE_DOMAIN_EXPECTED)
    via: ViaField = Field(description=VIA_EXPECTED)
    reply: RefusalField | None = Field(default=None, description=REFUSAL_EXPECTED)
    """What recipients are refused with; the loader wants it nowhere but with "refuse"."""
    tls: TlsPolicy | None = Field(default=None, description=TLS_POLICY_EXPECTED)
    """`None`: as [remote] says, or, where there is a user to log in, with a certificate that is verified."""
    user: str | None = Field(default=None, min_length=1, description="a name to log in with")
    password_file: FileField | None = Field(default=None, description=FILE_EXPECTED)
    ca_file: FileField | None = Field(default=None, description=FILE_EXPECTED)
    """Who may vouch for the hosts, instead of those whom this system trusts."""


class PostOfficeTable(Table):
    """[post_office], for smtppd: where mail goes. The loader refuses two routes for one domain."""

    postmaster: PostmasterField = Field(description=POSTMASTER_EXPECTED)
    """Where mail for a postmaster goes who has no mailbox."""
    route: Annotated[tuple[RouteEntry, ...], Strict(False)] = Field(
        default=(), description="tables [[post_office.route]]"
    )

    aliases: FileField | None = Field(default=None, description=FILE_EXPECTED)
    """The file of the aliases, if there is one."""
    separator: Literal["+", "-", "=", "_", ".", "#", "!", ""] = Field(
        default="+", description=SEPARATOR_EXPECTED
    )
    """What stands between a mailbox's name and the detail behind it; empty where there is no detail."""

    @cached_property
    def routes(self) -> DomainTable[RouteEntry]:
        """The routes by domain."""
        return DomainTable((entry.domain, entry) for entry in self.route)

    def find_route(self, domain: str) -> RouteEntry | None:
        """Return the route of a domain, or of all that a pattern's text stands for.

        The domain itself goes before the longest of the patterns with a dot, and those before "*".
        """
        return self.routes.find(domain)


class LocalTable(Table):
    """[local], for smtpld: where the mailboxes are, and how many are written at once."""

    root: InnerFolderField = Field(default=DEFAULT_MAILBOX_ROOT, description=INNER_FOLDER_EXPECTED)
    """Relative to the data folder; `Configuration.mailbox_root` is the whole path."""
    threads: int = Field(
        default=8, ge=1, le=MOST_THREADS, description=f"a whole number from 1 to {MOST_THREADS}"
    )
    per_mailbox: int = Field(
        default=4, ge=1, le=MOST_THREADS, description=f"a whole number from 1 to {MOST_THREADS}"
    )
    """Threads that one mailbox may have of those at most; one that has a quota has one."""
    programs: int = Field(
        default=20, ge=1, le=MOST_PROGRAMS, description=f"a whole number from 1 to {MOST_PROGRAMS}"
    )
    """Programs at once, and whatever else may have to wait for somebody, such as for an mbox file."""
    create: bool = Field(default=False, description="true or false")
    """Whether a mailbox whose folder is missing gets a new one; else its mail waits."""
    quota: QuotaField = Field(default=NO_QUOTA, description=QUOTA_EXPECTED)
    """How much the mailbox of an account may hold that has no quota of its own."""
    over_quota: Literal["defer", "fail"] = Field(default="defer", description='"defer" or "fail"')
    """What becomes of mail that a mailbox has no room for: it waits for room, or goes back at once."""
    system_users: bool = Field(default=False, description="true or false")
    """Whether users of this host have mailboxes; the loader wants a service user then."""
    system_deliver: UserPlaceField = Field(default=HOME_MAILDIR, description=USER_PLACE_EXPECTED)
    system_first_uid: int = Field(default=1000, ge=1, le=MOST_UID, description=UID_EXPECTED)
    system_last_uid: int = Field(default=60_000, ge=1, le=MOST_UID, description=UID_EXPECTED)
    """Who has a number from the first to the last is a user; the defaults are those of login.defs(5)."""
    system_limit_s: float = Field(default=120.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    """Seconds that one delivery to a user may take."""
    authentication_results: bool = Field(default=False, description="true or false")
    """Whether signatures are verified, and what came of it stands on top of what is delivered."""
    authserv_id: HostnameField | None = Field(default=None, description=HOSTNAME_EXPECTED)
    """In whose name that is said (RFC 8601 §2.5); `None`: the host's."""


class ScheduleTable(Table):
    """[remote] schedule: the pauses between attempts, which grow from the first to the longest."""

    first_s: float = Field(default=300.0, gt=0, le=MOST_PAUSE_S, description=PAUSE_EXPECTED)
    factor: float = Field(default=2.0, ge=1, le=10, description="a number from 1 to 10")
    most_s: float = Field(default=14_400.0, gt=0, le=MOST_PAUSE_S, description=PAUSE_EXPECTED)


class TimeoutsTable(Table):
    """[remote] timeouts: how long a host may take, in seconds (RFC 5321 §4.5.3.2, requirement G-20)."""

    connect_s: float = Field(default=30.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    greeting_s: float = Field(default=300.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    hello_s: float = Field(default=300.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    tls_s: float = Field(default=60.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    mail_s: float = Field(default=300.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    rcpt_s: float = Field(default=300.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    data_s: float = Field(default=120.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    write_s: float = Field(default=180.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    end_s: float = Field(default=600.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)
    quit_s: float = Field(default=5.0, gt=0, allow_inf_nan=False, description=SECONDS_EXPECTED)


class DestinationEntry(Table):
    """[[remote.destination]]: what is special about mail to one destination.

    That is a domain, or the hosts of a route as they stand there.
    """

    name: str = Field(min_length=1, description='a domain, or the hosts of a route as its "via" has them')
    most_connections: int | None = Field(default=None, ge=1, description="a whole number, at least 1")
    most_per_minute: int | None = Field(default=None, ge=1, description="a whole number, at least 1")


class RemoteTable(Table):
    """[remote], for smtprcd and its relay clients: how mail goes to other hosts."""

    clients: int = Field(
        default=2, ge=1, le=MOST_PROCESSES, description=f"a whole number from 1 to {MOST_PROCESSES}"
    )
    """Processes of smtprc."""
    most_connections: int = Field(default=20, ge=1, description="a whole number, at least 1")
    """Connections to one destination at once."""
    most_transactions: int = Field(
        default=1000, ge=1, le=MOST_TRANSACTIONS, description=f"a whole number from 1 to {MOST_TRANSACTIONS}"
    )
    """Messages on their way out at once, to all destinations."""
    most_per_minute: int | None = Field(default=None, ge=1, description="a whole number, at least 1")
    """Messages to one destination in any minute; `None`: as many as it takes."""
    messages_per_connection: int = Field(default=100, ge=1, description="a whole number, at least 1")
    idle_s: float = Field(default=5.0, ge=0, allow_inf_nan=False, description="a number of seconds")
    """Seconds that a connection is kept for another message."""
    port: int = Field(default=25, ge=1, le=65535, description="a port from 1 to 65535")
    """The port of mail exchangers."""
    bind: Annotated[tuple[AddressField, ...], Strict(False)] = Field(
        default=(), max_length=2, description=f"at most one {ADDRESS_EXPECTED} of each family"
    )
    """The addresses that connections come from."""
    families: Annotated[tuple[Literal["ipv6", "ipv4"], ...], Strict(False)] = Field(
        default=("ipv6", "ipv4"), min_length=1, max_length=2, description='an array of "ipv6" and "ipv4"'
    )
    """Which addresses are tried, in which order."""
    hello: HostnameField | None = Field(default=None, description=HOSTNAME_EXPECTED)
    """The name that is said with EHLO; `None`: the host's."""
    own_addresses: Annotated[tuple[AddressField, ...], Strict(False)] = Field(
        default=(), description=f"an array of {ADDRESS_EXPECTED}"
    )
    """Addresses by which others reach this host, beside those of its interfaces (requirement G-8)."""
    loopback: bool = Field(default=False, description="true or false")
    """Whether mail exchangers may have addresses of this host's loopback, and such."""
    tls: TlsPolicy = Field(default="opportunistic", description=TLS_POLICY_EXPECTED)
    dane: bool = Field(default=True, description="true or false")
    """Whether TLSA records of mail exchangers count, where a resolver on this host vouches for them."""
    mta_sts: bool = Field(default=True, description="true or false")
    """Whether the MTA-STS policies of domains count."""
    mta_sts_ca_file: FileField | None = Field(default=None, description=FILE_EXPECTED)
    """Who vouches for hosts where such a policy wants that; `None`: whom this system trusts."""
    schedule: ScheduleTable = Field(default=ScheduleTable(), description="a table of pauses")
    timeouts: TimeoutsTable = Field(default=TimeoutsTable(), description="a table of seconds")
    destination: Annotated[tuple[DestinationEntry, ...], Strict(False)] = Field(
        default=(), description="tables [[remote.destination]]"
    )


class DeliveryTable(Table):
    """[delivery], for whatever delivers: when to give up, and what reports bring back."""

    give_up_after_s: float = Field(
        default=432_000.0, gt=0, allow_inf_nan=False, description="a number of seconds, more than 0"
    )
    """Seconds after which a message that cannot be delivered goes back, unless it has its own deadline."""
    most_attempts: int | None = Field(default=None, ge=1, description="a whole number, at least 1")
    """Attempts after which it goes back even before; `None`: as many as there is time for."""
    report_size: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=50 * 2**10, ge=0, description=OCTETS_EXPECTED
    )
    """Octets that a message may have to come back whole in a report; of a longer one the header does."""
    warn_after_s: float = Field(
        default=14_400.0, ge=0, allow_inf_nan=False, description="a number of seconds, at least 0"
    )
    """Seconds after which the sender of a message that waits is told so; 0: never."""
    most_reports_per_minute: int = Field(
        default=100, ge=1, le=MOST_REPORTS, description=f"a whole number from 1 to {MOST_REPORTS}"
    )
    """Reports that go to one address in any minute; more of them wait."""


class DnsTable(Table):
    """[dns], for whatever asks the DNS: which servers, and how long an answer may take."""

    servers: Annotated[tuple[EndpointField, ...], Strict(False)] = Field(
        default=(),
        max_length=MOST_SERVERS,
        description=f"an array of at most {MOST_SERVERS} {ENDPOINT_EXPECTED}",
    )
    """Asked in turn; none: those of this host's resolv.conf."""
    timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=LONGEST_DNS_S,
        description=f"a number of seconds, more than 0, at most {LONGEST_DNS_S}",
    )
    """Seconds that one question may take, all servers and all aliases included."""


class DropTable(Table):
    """[drop], for smtppd, which takes what people of this host leave in the drop directory."""

    size: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=50 * 2**20, ge=SMALLEST_SIZE, description=f"{OCTETS_EXPECTED}, at least 64 KiB"
    )
    """Octets that one message may have."""
    group: GroupField | None = Field(default=None, description=GROUP_EXPECTED)
    """Whose members alone may write there, the service user among them; `None`: every user of this host."""


class CertificateEntry(Table):
    """[[tls.certificate]]: a certificate with those that vouch for it, and its key."""

    chain: FileField = Field(description=FILE_EXPECTED)
    key: FileField = Field(description=FILE_EXPECTED)


class TlsTable(Table):
    """[tls], for every program that serves over TLS: who it is there."""

    certificate: Annotated[tuple[CertificateEntry, ...], Strict(False)] = Field(
        default=(),
        max_length=MOST_CERTIFICATES,
        description=f"at most {MOST_CERTIFICATES} tables [[tls.certificate]]",
    )
    """The first is for whoever names no host or an unknown one; none: the programs make one themselves."""


class JournalTable(Table):
    """[journal]: how much of what happened is kept. smtppd sees to it."""

    keep_days: int = Field(
        default=30, ge=1, le=MOST_DAYS, description=f"a whole number of days from 1 to {MOST_DAYS}"
    )
    most_octets: Annotated[int, BeforeValidator(parse_octets)] = Field(
        default=2**30, ge=SMALLEST_JOURNAL, description=f"{OCTETS_EXPECTED}, at least 64 MiB"
    )


class MetricsTable(Table):
    """[metrics], for metricsd: where it serves Prometheus. The loader wants `remote` for an open address."""

    listen: EndpointField = Field(description=ENDPOINT_EXPECTED)
    remote: bool = Field(default=False, description="true or false")
    """Whether others than this host may read."""


class ServiceTable(Table):
    """[service], for the supervisor: how it looks after the programs."""

    watchdog_s: float = Field(
        default=30.0, ge=0.1, allow_inf_nan=False, description="a number of seconds, at least 0.1"
    )
    """Seconds that a program may be silent before it is killed and started anew."""
    lock_s: float = Field(
        default=10.0, ge=0.1, allow_inf_nan=False, description="a number of seconds, at least 0.1"
    )
    """Seconds that a program may hold the maildrop's write lock and get nothing done."""


class Configuration(Table):
    """The whole file. From the loader, `data` and the paths of the certificates are absolute."""

    hostname: HostnameField = Field(description=HOSTNAME_EXPECTED)
    data: FolderField = Field(default=Path("data"), description=DATA_EXPECTED)
    maildrop: MaildropField = Field(default=DEFAULT_MAILDROP, description=MAILDROP_EXPECTED)
    user: UserField | None = Field(default=None, description=USER_EXPECTED)
    """Whom programs started by root become."""
    log: Literal["text", "json"] = Field(default="text", description='"text" or "json"')
    """The form of the log's lines."""
    relay: RelayTable = Field(description="a table [relay]")
    submission: SubmissionTable | None = Field(default=None, description="a table [submission]")
    imap: ImapTable | None = Field(default=None, description="a table [imap]")
    canonical: CanonicalTable = Field(default=CanonicalTable(), description="a table [canonical]")
    sendmail: SendmailTable = Field(default=SendmailTable(), description="a table [sendmail]")
    post_office: PostOfficeTable = Field(description="a table [post_office]")
    local: LocalTable = Field(default=LocalTable(), description="a table [local]")
    agents: dict[AgentNameField, AgentTable] = Field(default={}, description=AGENTS_EXPECTED)
    remote: RemoteTable = Field(default=RemoteTable(), description="a table [remote]")
    delivery: DeliveryTable = Field(default=DeliveryTable(), description="a table [delivery]")
    dns: DnsTable = Field(default=DnsTable(), description="a table [dns]")
    drop: DropTable = Field(default=DropTable(), description="a table [drop]")
    tls: TlsTable = Field(default=TlsTable(), description="a table [tls]")

    dkim: DkimTable = Field(default=DkimTable(), description="a table [dkim]")

    journal: JournalTable = Field(default=JournalTable(), description="a table [journal]")

    dnslistd: DnslistdTable | None = Field(default=None, description="a table [dnslistd]")

    metrics: MetricsTable | None = Field(default=None, description="a table [metrics]")

    service: ServiceTable = Field(default=ServiceTable(), description="a table [service]")

    @property
    def default_domain(self) -> str:
        """What completes an address without a domain, and is the domain of this host's users."""
        return self.canonical.domain or self.post_office.postmaster.rpartition("@")[2]

    @property
    def maildrop_folder(self) -> Path:
        """The folder of the maildrop's database."""
        return self.data / find_maildrop_folder(self.maildrop)

    @property
    def run_folder(self) -> Path:
        """The folder of the sockets and locks."""
        return self.data / RUN_NAME

    @property
    def submission_socket(self) -> Path:
        """Where users of this host hand in their mail, whether or not somebody listens."""
        return self.run_folder / SUBMISSION_NAME

    @property
    def accounts_file(self) -> Path:
        """The file of the accounts."""
        return self.data / ACCOUNTS_NAME

    @property
    def secrets_file(self) -> Path:
        """The file of how accounts prove who they are."""
        return self.data / SECRETS_NAME

    @property
    def usage_folder(self) -> Path:
        """The folder of how much of its limits each account has used."""
        return self.data / USAGE_NAME

    @property
    def batches_folder(self) -> Path:
        """The folder of the batches that were begun and not ended."""
        return self.data / BATCHES_NAME

    @property
    def drop_folder(self) -> Path:
        """The directory where people of this host leave mail for the maildrop."""
        return self.data / DROP_NAME

    @property
    def damaged_folder(self) -> Path:
        """The folder of what was left there and is no message."""
        return self.data / DAMAGED_NAME

    @property
    def journal_folder(self) -> Path:
        """The folder of what happened."""
        return self.data / JOURNAL_NAME

    @property
    def tls_folder(self) -> Path:
        """The folder of the certificate that the programs made themselves."""
        return self.data / TLS_NAME

    @property
    def mta_sts_folder(self) -> Path:
        """The folder of the policies of MTA-STS that were fetched."""
        return self.data / MTA_STS_NAME

    @property
    def dkim_folder(self) -> Path:
        """The folder of the keys that `paperpath dkim` made."""
        return self.data / DKIM_NAME

    @property
    def mailbox_root(self) -> Path:
        """The folder that has one folder for each mailbox."""
        return self.data / self.local.root
