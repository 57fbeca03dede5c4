import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from paperpath.config.agent_tables import AGENT_KINDS
from paperpath.config.dnslistd_table import DnslistdTable, ZoneEntry
from paperpath.config.domain import DomainPattern
from paperpath.config.endpoint import Endpoint
from paperpath.config.intake_tables import AccessEntry, CanonicalTable, RelayTable, SubmissionTable
from paperpath.config.limit_tables import LimitsTable, TarpitTable
from paperpath.config.tables import (
    CertificateEntry,
    Configuration,
    DeliveryTable,
    DestinationEntry,
    DropTable,
    JournalTable,
    LocalTable,
    MetricsTable,
    PostOfficeTable,
    RemoteTable,
    RouteEntry,
    ScheduleTable,
    ServiceTable,
    TimeoutsTable,
    TlsTable,
)
from tests.unit.config.example import RIGHT, complain, configure

WHOLE = """\
hostname = "mail.example.org"
data = "/srv/mail"
maildrop = "sqlite:queue"
user = "mail-1"
log = "json"

[relay]
listen = ["127.0.0.1:25", "[::1]:25"]
domains = ["Example.org", ".example.net"]
size = "10 MB"
most_recipients = 100
most_connections = 200
most_connections_per_client = 20
idle_timeout_s = 60
processes = 3

[post_office]
postmaster = "me@example.org"

[[post_office.route]]
domain = "example.org"
via = "local"

[[post_office.route]]
domain = "*"
via = "mx"

[local]
root = "boxes"
threads = 64

[drop]
size = "64 KiB"
group = "mail"

[[tls.certificate]]
chain = "/etc/ssl/mail.pem"
key = "mail.key"

[journal]
keep_days = 7
most_octets = "64 MiB"

[metrics]
listen = "[::1]:9925"

[service]
watchdog_s = 5
lock_s = 2.5
"""

# RIGHT has its top level on line 1, [relay] to line 4 and [post_office] to line 7.
TOP, RELAY, END = 1, 4, 7

# Each case: where in RIGHT, what is put in there, and how the message begins.
PUT_IN = {
    "data is a string": (TOP, "data = 5", "2: data: expected a folder, such as"),
    "data is not empty": (TOP, 'data = ""', "2: data: expected a folder, such as"),
    "a maildrop has a known scheme": (TOP, 'maildrop = "a:x"', '2: maildrop: expected "sqlite:FOLDER"'),
    "a log has a known form": (TOP, 'log = "xml"', '2: log: expected "text" or "json", got "xml"'),
    "a user has a name": (TOP, 'user = "0 0"', "2: user: expected the name of a user of this host"),
    "local is a table": (TOP, "local = 1", "2: local: expected a table [local], got 1"),
    "domains is an array": (RELAY, 'domains = "a"', "5: relay.domains: expected an array of a domain"),
    "a domain is a string": (RELAY, "domains = [5]", "5: relay.domains[0]: expected a domain such as"),
    "not every domain is accepted": (RELAY, 'domains = ["*"]', "5: relay.domains[0]: expected a domain"),
    "size is 64 KiB at least": (RELAY, 'size = "63 KiB"', "5: relay.size: expected a number of octets"),
    "size has a known unit": (RELAY, 'size = "50 TB"', "5: relay.size: expected a number of octets"),
    "recipients are 100 at least": (
        RELAY,
        "most_recipients = 99",
        "5: relay.most_recipients: expected a whole number, at least 100, got 99",
    ),
    "recipients are a whole number": (
        RELAY,
        "most_recipients = 100.0",
        "5: relay.most_recipients: expected a whole number, at least 100, got 100.0",
    ),
    "somebody may connect": (
        RELAY,
        "most_connections_per_client = 0",
        "5: relay.most_connections_per_client: expected a whole number, at least 1, got 0",
    ),
    "a timeout is more than nothing": (
        RELAY,
        "idle_timeout_s = 0",
        "5: relay.idle_timeout_s: expected a number of seconds, more than 0, got 0",
    ),
    "a timeout ends": (RELAY, "idle_timeout_s = inf", "5: relay.idle_timeout_s: expected a number of"),
    "a timeout is a number": (RELAY, "idle_timeout_s = true", "5: relay.idle_timeout_s: expected a number"),
    "there is a process": (RELAY, "processes = 0", "5: relay.processes: expected a whole number from 1"),
    "relay has no other key": (
        RELAY,
        "sizes = 1",
        "5: relay.sizes: unknown key; expected one of size, most_recipients, "
        "most_connections, most_connections_per_client, spool, least_free, listen_null, access, "
        "listen_proxy, proxies, greeting_wait_s, access_file, open_relay, lists, lists_timeout_s, "
        "lists_head_start_s, tarpit, limits, idle_timeout_s, processes, listen, domains, binarymime, "
        "check_recipients, dsn_success",
    ),
    "not everybody is a proxy": (
        RELAY,
        'proxies = ["10.0.0.0/8", "::/0"]',
        "5: relay.proxies: expected the networks of proxies, and not everybody, who could then be anybody",
    ),
    "the greeting comes in time": (
        RELAY,
        "greeting_wait_s = 61",
        "5: relay.greeting_wait_s: expected a number of seconds, at most 60, got 61",
    ),
    "a domain to complete with is a full one": (
        END,
        '[canonical]\ndomain = "here"',
        "9: canonical.domain: expected a domain of at least two labels, such as",
    ),
    "submission listens somewhere": (
        END,
        '[submission]\nlisten = ["here"]',
        '9: submission.listen[0]: expected "ADDRESS:PORT", such as',
    ),
    "a network has no bits behind its mask": (
        RELAY,
        'access = [{ clients = ["192.0.2.1/24"], service = "normal" }]',
        '5: relay.access[0].clients[0]: expected no bits behind the first 24, as in "192.0.2.0/24",'
        ' got "192.0.2.1/24"',
    ),
    "access has four services": (
        RELAY,
        'access = [{ clients = ["192.0.2.0/24"], service = "open" }]',
        '5: relay.access[0].service: expected "deny", "null", "normal" or "privileged", got "open"',
    ),
    "a list has a colour": (
        RELAY,
        'lists = ["zen.example.com"]',
        '5: relay.lists[0]: expected "black:" or "white:" and the domain of a list',
    ),
    "a list's values are those of the loopback network": (
        RELAY,
        'lists = ["black:zen.example.com=192.0.2.1"]',
        "5: relay.lists[0]: expected values in 127.0.0.0/8",
    ),
    "lists are an array": (RELAY, 'lists = "black:zen.example.com"', "5: relay.lists: expected an array of"),
    "lists take some time": (
        RELAY,
        "lists_timeout_s = 0",
        "5: relay.lists_timeout_s: expected a number of seconds, more than 0, at most 110, got 0",
    ),
    "no delay is longer than clients wait": (
        RELAY,
        "tarpit = { most_s = 121 }",
        "5: relay.tarpit.most_s: expected a number of seconds, more than 0, at most 120, got 121",
    ),
    "a delay is one": (
        RELAY,
        "tarpit = { first_s = 0 }",
        "5: relay.tarpit.first_s: expected a number of seconds, more than 0, at most 120, got 0",
    ),
    "delays do not shrink": (
        RELAY,
        "tarpit = { step_s = -1 }",
        "5: relay.tarpit.step_s: expected a number of seconds, at least 0, at most 120, got -1",
    ),
    "a tarpit has no other key": (
        RELAY,
        "tarpit = { afer = 1 }",
        "5: relay.tarpit.afer: unknown key; expected one of after, first_s, step_s, most_s, count_refused",
    ),
    "somebody may come": (
        RELAY,
        "limits = { connections_per_minute = 0 }",
        "5: relay.limits.connections_per_minute: expected a whole number, at least 1, got 0",
    ),
    "who errs once is served": (
        RELAY,
        "limits = { errors = 0 }",
        "5: relay.limits.errors: expected a whole number from 1 to 1000, got 0",
    ),
    "not all of the world is one network": (
        RELAY,
        "limits = { ipv4_bits = 0 }",
        "5: relay.limits.ipv4_bits: expected a whole number from 8 to 32, got 0",
    ),
    "routes are an array": (
        END,
        "route = {}",
        "8: post_office.route: expected tables [[post_office.route]], got a table",
    ),
    "a route is a table": (
        END,
        "route = [\n5]",
        "9: post_office.route[0]: expected tables [[post_office.route]], got 5",
    ),
    "a route has a domain": (
        END,
        '\n[[post_office.route]]\nvia = "mx"',
        "9: post_office.route[0].domain: missing; expected a domain",
    ),
    "a route has a way": (
        END,
        '\n[[post_office.route]]\ndomain = "*"',
        '9: post_office.route[0].via: missing; expected "local", "mx", "refuse", or a host',
    ),
    "a route goes a known way": (
        END,
        '[[post_office.route]]\ndomain = "*"\nvia = "pigeon"',
        '10: post_office.route[0].via: expected "local", "mx", "refuse", or a host such as "smtp://mail.example.org:25",'
        ' "smtps://[2001:db8::1]:465", "lmtp://localhost:24" or "lmtp://unix:/run/lmtp",'
        ' or an array of at most 10 such hosts, or an agent such as "agent:archive", got "pigeon"',
    ),
    "a route has no other key": (
        END,
        '[[post_office.route]]\ndomain = "*"\nvia = "mx"\nto = 1',
        "11: post_office.route[0].to: unknown key; expected one of domain, via, reply",
    ),
    "metrics are for this host": (
        END,
        '[metrics]\nlisten = "0.0.0.0:9925"',
        "9: metrics.listen: expected an address of this host alone",
    ),
    "a dropped message may have some octets": (
        END,
        "[drop]\nsize = 5",
        '9: drop.size: expected a number of octets, such as 1048576, "50 MiB" or "10 MB", at least',
    ),
    "a group has a name": (
        END,
        '[drop]\ngroup = "a:b"',
        '9: drop.group: expected the name of a group of this host, such as "mail", got "a:b"',
    ),
    "a watchdog sleeps a moment": (
        END,
        "[service]\nwatchdog_s = 0",
        "9: service.watchdog_s: expected a number of seconds, at least 0.1, got 0",
    ),
    "a lock is held for a moment": (
        END,
        "[service]\nlock_s = 0",
        "9: service.lock_s: expected a number of seconds, at least 0.1, got 0",
    ),
    "remote is true or false": (
        END,
        '[metrics]\nlisten = "127.0.0.1:9925"\nremote = 1',
        "10: metrics.remote: expected true or false, got 1",
    ),
    "a root is inside data": (
        END,
        '[local]\nroot = "/x"',
        "9: local.root: expected a folder inside the data",
    ),
    "there is a thread": (END, "[local]\nthreads = 0", "9: local.threads: expected a whole number from 1"),
    "there are 64 threads at most": (
        END,
        "[local]\nthreads = 65",
        "9: local.threads: expected a whole number from 1 to 64, got 65",
    ),
    "a number has 64 bits": (
        END,
        f"[local]\nthreads = 0x{'f' * 5000}",
        "9: local.threads: expected a whole number from 1 to 64, got an integer beyond 64 bits",
    ),
    "local has no other key": (
        END,
        "[local]\nthread = 1",
        "9: local.thread: unknown key; expected one of root, threads",
    ),
    "certificates are an array": (
        END,
        "[tls]\ncertificate = {}",
        "9: tls.certificate: expected at most 100 tables [[tls.certificate]], got a table",
    ),
    "certificates have a limit": (
        END,
        '[[tls.certificate]]\nchain = "a"\nkey = "b"\n' * 101,
        "8: tls.certificate: expected at most 100 tables [[tls.certificate]], got an array",
    ),
    "a certificate has a key": (
        END,
        '[[tls.certificate]]\nchain = "a"',
        "8: tls.certificate[0].key: missing; expected a file, such as",
    ),
    "a chain is a file": (
        END,
        '[[tls.certificate]]\nchain = ""\nkey = "a"',
        "9: tls.certificate[0].chain: expected a file, such as",
    ),
    "a certificate has no other key": (
        END,
        '[[tls.certificate]]\nchain = "a"\nkey = "a"\nname = "a"',
        "11: tls.certificate[0].name: unknown key; expected one of chain, key",
    ),
    "the folder tls is taken": (END, '[local]\nroot = "tls/x"', "9: local.root: expected a folder inside"),
}

# Each case: what stands in RIGHT, what stands there instead, and how the message begins.
REPLACED = {
    "hostname is required": (
        'hostname = "mail.example.org"',
        "",
        "1: hostname: missing; expected the full name",
    ),
    "hostname is a string": ('"mail.example.org"', "5", "1: hostname: expected the full name of this host"),
    "relay is required": ("[relay]\nlisten", "[local]\nroot", "1: relay: missing; expected a table [relay]"),
    "relay is a table": ("[relay]\nlisten", "relay", "3: relay: expected a table [relay], got an array"),
    "listen is required": (
        "listen",
        "domains",
        '3: relay.listen: missing; expected an array of "ADDRESS:PORT"',
    ),
    "listen is an array": (
        '["127.0.0.1:2525"]',
        '"[::1]:25"',
        '4: relay.listen: expected an array of "ADDRESS',
    ),
    "listen is not empty": (
        '["127.0.0.1:2525"]',
        "[]",
        '4: relay.listen: expected at least one "ADDRESS:PORT"',
    ),
    "an endpoint is a string": ('["127.0.0.1:2525"]', "[25]", '4: relay.listen[0]: expected "ADDRESS:PORT"'),
    "post_office is required": (
        "[post_office]",
        "[p]",
        "1: post_office: missing; expected a table [post_office]",
    ),
    "postmaster is required": (
        'postmaster = "me@example.org"',
        "",
        '6: post_office.postmaster: missing; expected an address such as "me@example.org"',
    ),
    "postmaster is an address": (
        '"me@example.org"',
        '"me"',
        '7: post_office.postmaster: expected an address such as "me@example.org", got "me"',
    ),
}


@pytest.mark.parametrize(("after", "text", "shown"), PUT_IN.values(), ids=PUT_IN.keys())
def test_a_wrong_value_is_refused_with_its_line_and_what_was_expected(after, text, shown):
    lines = RIGHT.splitlines()
    [message] = complain("\n".join([*lines[:after], text, *lines[after:]]))
    assert message.startswith(f"paperpath.toml:{shown}")


@pytest.mark.parametrize(("there", "instead", "shown"), REPLACED.values(), ids=REPLACED.keys())
def test_what_is_required_is_missed_and_what_is_wrong_there_refused(there, instead, shown):
    assert there in RIGHT
    messages = complain(RIGHT.replace(there, instead, 1))
    assert any(message.startswith(f"paperpath.toml:{shown}") for message in messages), messages


def test_every_key_is_read():
    configuration = configure(WHOLE)
    assert configuration.hostname == "mail.example.org"
    assert configuration.data == Path("/srv/mail")
    assert configuration.maildrop == "sqlite:queue"
    assert (configuration.user, configuration.log) == ("mail-1", "json")
    assert configuration.relay == RelayTable.model_construct(
        listen=(Endpoint("127.0.0.1", 25), Endpoint("::1", 25)),
        domains=(DomainPattern("example.org"), DomainPattern(".example.net")),
        size=10_000_000,
        most_recipients=100,
        most_connections=200,
        most_connections_per_client=20,
        idle_timeout_s=60.0,
        processes=3,
    )
    assert configuration.post_office.postmaster == "me@example.org"
    assert [(str(entry.domain), entry.via) for entry in configuration.post_office.route] == [
        ("example.org", "local"),
        ("*", "mx"),
    ]
    assert configuration.local == LocalTable.model_construct(root=Path("boxes"), threads=64)
    assert configuration.drop == DropTable.model_construct(size=65536, group="mail")
    (certificate,) = configuration.tls.certificate
    assert (certificate.chain, certificate.key) == (Path("/etc/ssl/mail.pem"), Path.cwd() / "mail.key")
    assert (configuration.service.watchdog_s, configuration.service.lock_s) == (5, 2.5)
    assert configuration.metrics == MetricsTable.model_construct(listen=Endpoint("::1", 9925), remote=False)


def test_what_is_left_out_has_its_default():
    configuration = configure(RIGHT)
    assert configuration.data == Path.cwd() / "data"
    assert configuration.maildrop == "sqlite:maildrop"
    assert (configuration.user, configuration.log) == (None, "text")
    assert configuration.relay == RelayTable.model_construct(
        listen=(Endpoint("127.0.0.1", 2525),),
        domains=(),
        size=50 * 1024 * 1024,
        most_recipients=1000,
        most_connections=1000,
        most_connections_per_client=50,
        idle_timeout_s=300.0,
        processes=None,
    )
    assert configuration.relay.tarpit is None
    assert configuration.relay.limits == LimitsTable.model_construct(
        connections_per_minute=None,
        messages_per_minute=None,
        recipients_per_minute=None,
        errors=20,
        ipv4_bits=32,
        ipv6_bits=64,
    )
    assert configuration.post_office.route == ()
    assert configuration.local == LocalTable.model_construct(root=Path("mailboxes"), threads=8)
    assert configuration.drop == DropTable.model_construct(size=50 * 1024 * 1024, group=None)
    assert configuration.tls.certificate == ()
    assert configuration.metrics is None
    assert (configuration.service.watchdog_s, configuration.service.lock_s) == (30, 10)


def test_both_ways_in_have_a_tarpit_and_limits_of_their_own():
    tables = (
        "[relay.tarpit]\n[submission.tarpit]\nafter = 5\n[submission.limits]\nerrors = 3\nipv4_bits = 24\n"
    )
    configuration = configure(RIGHT + tables)
    relay, submission = configuration.relay, configuration.submission
    assert relay.tarpit == TarpitTable.model_construct(
        after=20, first_s=1.0, step_s=0.5, most_s=60.0, count_refused=False
    )
    assert submission is not None
    assert submission.tarpit == TarpitTable(after=5)
    assert (relay.limits.errors, submission.limits.errors) == (20, 3)
    assert (relay.limits.ipv4_bits, submission.limits.ipv4_bits) == (32, 24)


def test_the_least_values_are_taken():
    least = 'size = "64 KiB"\nmost_recipients = 100\nidle_timeout_s = 0.5'
    configuration = configure(RIGHT.replace("\n\n[p", f"\n{least}\n[p") + "[local]\nthreads = 1")
    relay = configuration.relay
    assert (relay.size, relay.most_recipients, relay.idle_timeout_s) == (65536, 100, 0.5)
    assert configuration.local.threads == 1


def test_all_that_the_programs_write_is_in_the_data_folder():
    configuration = configure(WHOLE)
    assert configuration.maildrop_folder == Path("/srv/mail/queue")
    assert configuration.run_folder == Path("/srv/mail/run")
    assert configuration.accounts_file == Path("/srv/mail/accounts")
    assert configuration.tls_folder == Path("/srv/mail/tls")
    assert configuration.mailbox_root == Path("/srv/mail/boxes")


def test_a_configuration_does_not_change():
    with pytest.raises(ValidationError):
        configure(RIGHT).relay.size = 5


ROUTES = [
    ("*", "mx"),
    (".org", "mx"),
    (".a.example.org", "local"),
    (".example.org", "mx"),
    ("x.example.org", "mx"),
]


@pytest.mark.parametrize(
    ("domain", "routed"),
    [
        ("X.example.org.", "x.example.org"),
        ("y.example.org", ".example.org"),
        ("y.a.example.org", ".a.example.org"),
        (".a.example.org", ".a.example.org"),
        ("a.example.org", ".example.org"),
        ("example.org", ".org"),
        ("example.net", "*"),
    ],
)
@pytest.mark.parametrize("routes", [ROUTES, ROUTES[::-1]], ids=["order", "reverse"])
def test_the_closest_route_is_found_in_any_order(routes, domain, routed):
    tables = "".join(f'[[post_office.route]]\ndomain = "{name}"\nvia = "{via}"\n' for name, via in routes)
    route = configure(RIGHT + tables).post_office.find_route(domain)
    assert route == RouteEntry.model_construct(domain=DomainPattern(routed), via=dict(routes)[routed])


def test_a_domain_without_a_route_has_none():
    assert configure(RIGHT).post_office.find_route("example.org") is None


DOCUMENT = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "example", re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL), ids=["least", "every key"]
)
def test_the_examples_of_the_document_are_right(example):
    assert configure(example).hostname == "mail.example.org"


def test_the_document_names_every_key():
    fields = [
        table.model_fields
        for table in (
            Configuration,
            RelayTable,
            SubmissionTable,
            CanonicalTable,
            AccessEntry,
            PostOfficeTable,
            RouteEntry,
            LocalTable,
            RemoteTable,
            DestinationEntry,
            ScheduleTable,
            TimeoutsTable,
            DeliveryTable,
            JournalTable,
            TlsTable,
            CertificateEntry,
            MetricsTable,
            DnslistdTable,
            ZoneEntry,
            ServiceTable,
            TarpitTable,
            LimitsTable,
        )
    ]
    fields += [kind.model_fields for kind in AGENT_KINDS.values()]
    assert {
        key
        for keys in fields
        for key in keys
        if not re.search(rf"`(\[*(post_office|tls|remote|dnslistd)\.|\[)?{key}(\.NAME)?\]*`", DOCUMENT)
    } == set()


def test_files_of_submission_and_canonical_form_lie_beside_the_configuration():
    text = '[submission]\nclient_ca = "ca.pem"\n[canonical]\nusers = "masquerade"\n'
    configuration = configure(RIGHT + text)
    assert configuration.submission is not None
    assert configuration.submission.client_ca == Path.cwd() / "ca.pem"
    assert configuration.canonical.users == Path.cwd() / "masquerade"
    assert configuration.submission_socket == Path.cwd() / "data" / "run" / "submission.sock"


@pytest.mark.parametrize("table", ["relay", "submission"])
def test_B7_no_lists_keep_a_client_waiting_for_two_minutes(table):
    text = f"{RIGHT}[submission]\n" if table == "submission" else RIGHT
    for seconds, is_taken in ((110, True), (111, False), (120, False)):
        asked = text.replace(f"[{table}]\n", f"[{table}]\nlists_timeout_s = {seconds}\n")
        if is_taken:
            configure(asked)
        else:
            assert f"{table}.lists_timeout_s: expected" in complain(asked)[0]


def test_B9_names_are_completed_with_the_postmasters_domain_unless_another_is_named():
    assert configure(RIGHT).default_domain == "example.org"
    assert (
        configure(RIGHT + '[canonical]\ndomain = "Bücher.example"\n').default_domain
        == "xn--bcher-kva.example"
    )
