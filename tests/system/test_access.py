"""Who gets which service of the real smtprd and smtpsd, as it is changed while they run (A-101 to L-16)."""

import re
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperpath.testing.nameserver import Nameserver
from paperpath.testing.sink import sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import NO_DNS, configuration_text, find_free_port, program_path, wait_until
from tests.support.strace import traced
from tests.support.submission import Submission
from tests.support.tls import make_client_context
from tests.support.wire import Wire

pytestmark = pytest.mark.slow

NORMAL, NULL, PRIVILEGED, CHANGING = "127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.0.13"
NAMED, FORGED = "127.0.0.21", "127.0.0.22"
SCRIPT = """
21.0.0.127.in-addr.arpa PTR a.dyn.example.net.
22.0.0.127.in-addr.arpa PTR a.dyn.example.net.
a.dyn.example.net A 127.0.0.21
2.0.0.127.bad.example A 127.0.0.2
"""
RULES = f"{NULL} null\n{PRIVILEGED} privileged\n.dyn.example.net deny\n"


@dataclass
class Site:
    """Both servers, their null listeners, and the DNS that they ask."""

    installation: Submission
    null_ports: dict[str, int]
    dns: Nameserver

    @property
    def rules(self) -> Path:
        return self.installation.folder / "relay.access"

    def greet(self, client: str, port: int | None = None) -> bytes:
        """Connect from an address; return the greeting, or what there is in its place."""
        with Wire(port or self.installation.port, source=client) as wire:
            return wire.reply()

    def change(self, *arguments: str) -> str:
        command = [program_path("paperpath"), "access", *arguments, "--config", str(self.installation.file)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, ports = (
        tmp_path_factory.mktemp("access"),
        {"smtprd": find_free_port(), "smtpsd": find_free_port()},
    )
    installation = Submission(
        folder, more_submission=f'access_file = "relay.access"\nlisten_null = ["127.0.0.1:{ports["smtpsd"]}"]'
    )
    (folder / "relay.access").write_text(RULES)
    (folder / "relay.access").chmod(0o644)
    with Nameserver(SCRIPT) as server:
        text = installation.file.read_text().replace(NO_DNS, f'\n[dns]\nservers = ["{server.endpoint}"]\n')
        relay = (
            f'access_file = "relay.access"\nlisten_null = ["127.0.0.1:{ports["smtprd"]}"]\n'
            'lists = ["black:bad.example"]'
        )
        installation.file.write_text(text.replace("[relay]", f"[relay]\n{relay}"))
        with installation.up():
            yield Site(installation, ports, server)


def talk(wire: Wire) -> list[bytes]:
    """Try everything on a server that gives no service, then leave; the codes of the replies."""
    lines = [
        b"EHLO c",
        b"MAIL FROM:<a@b.example>",
        b"NOOP",
        b"RSET",
        b"FOO",
        b"DATA",
        b"Subject: x",
        b".",
        b"QUIT",
    ]
    codes = [wire.reply()[:3], *(wire.ask(line)[:3] for line in lines)]
    assert wire.reply() == b""
    return codes


NOTHING = [b"554", *[b"503"] * 8, b"221"]


def test_A101_null_clients_and_null_listeners_of_both_servers(site: Site) -> None:
    ports = [site.installation.port, site.installation.submission_port, *site.null_ports.values()]
    for port in ports:
        with Wire(port, source=NULL) as wire:
            assert talk(wire) == NOTHING
    for port in site.null_ports.values():
        assert site.greet(PRIVILEGED, port).startswith(b"554 mx.here.example ")
    with Wire(site.installation.tls_port, source=NULL) as wire:
        wire.start_tls(make_client_context())
        assert talk(wire) == NOTHING


def test_A102_for_a_null_client_nothing_is_written_and_nobody_is_asked(site: Site, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    site.greet(NULL)
    with traced(site.installation.pid("smtprd"), trace, "-e", "trace=%file,sendto,sendmsg,connect"):
        with Wire(site.installation.port, source=NULL) as wire:
            assert talk(wire) == NOTHING
        with Wire(site.null_ports["smtprd"], source=NORMAL) as wire:
            assert talk(wire) == NOTHING
    calls = trace.read_text()
    assert "relay.access" in calls  # it was looked at
    written = [line for line in calls.splitlines() if re.search(r"O_WRONLY|O_RDWR|O_CREAT", line)]
    assert all("/data/journal/" in line for line in written), written  # which tells of such clients
    assert f"htons({site.dns.endpoint.rpartition(':')[2]})" not in calls
    assert site.dns.count("11.0.0.127.bad.example", "A") == 0
    assert site.dns.count("11.0.0.127.in-addr.arpa", "PTR") == 0


def test_C8_C9_normal_and_privileged_clients_of_both_servers(site: Site) -> None:
    for port, normal in (
        (site.installation.port, b"550 5.7.1"),
        (site.installation.submission_port, b"530 5.7.0"),
    ):
        for client, reply in ((NORMAL, normal), (PRIVILEGED, b"250 ")):
            with Wire(port, source=client) as wire:
                assert wire.reply().startswith(b"220 ")
                wire.ask(b"EHLO c.example")
                wire.ask(b"MAIL FROM:<a@else.example>")
                assert wire.ask(b"RCPT TO:<u@else.example>").startswith(reply)


def test_L13_L16_rules_change_while_the_servers_run(site: Site) -> None:
    assert site.greet(CHANGING).startswith(b"220 ")
    site.change("add", CHANGING, "deny")
    for port in (site.installation.port, site.installation.submission_port, site.null_ports["smtprd"]):
        assert site.greet(CHANGING, port) == b""
    with Wire(site.installation.tls_port, source=CHANGING) as wire, pytest.raises((ssl.SSLError, OSError)):
        wire.start_tls(make_client_context())
    command = [program_path("paperpath"), "why", CHANGING, "--config", str(site.installation.file)]

    def why() -> str:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout

    wait_until(
        lambda: f"turned away {CHANGING}: denied by the access rules" in why(), "the journal to tell it"
    )
    site.change("add", "127.0.0.13", "0")
    assert site.greet(CHANGING).startswith(b"554 ")
    site.change("delete", CHANGING)
    assert site.greet(CHANGING).startswith(b"220 ")


def test_a_broken_file_leaves_the_old_rules_in_force_and_the_log_says_which_line(site: Site) -> None:
    broken = site.rules.with_name("broken")
    broken.write_text(f"{RULES}192.0.2.1/24 deny\n")
    broken.chmod(0o644)
    broken.replace(site.rules)
    assert site.greet(NULL).startswith(b"554 ")
    wait_until(
        lambda: "relay.access:4: expected no bits behind the first 24" in site.installation.output(), "why"
    )
    site.rules.with_name("whole").write_text(RULES)
    site.rules.with_name("whole").chmod(0o644)
    site.rules.with_name("whole").replace(site.rules)
    assert site.greet(NULL).startswith(b"554 ")


def test_L16_a_host_is_known_by_a_name_that_leads_back_to_it(site: Site) -> None:
    assert site.greet(NAMED) == b""
    assert site.greet(FORGED).startswith(b"220 ")
    assert site.dns.count("21.0.0.127.in-addr.arpa", "PTR") == 1
    assert site.dns.count("12.0.0.127.in-addr.arpa", "PTR") == 0  # an address with a rule of its own


def test_P7_no_program_starts_that_would_relay_for_everyone(tmp_path: Path) -> None:
    installation = Submission(tmp_path, more_submission='access_file = "rules"')
    (tmp_path / "rules").write_text("0.0.0.0/0 privileged\n")
    (tmp_path / "rules").chmod(0o644)
    command = [program_path("paperpath"), "up", "--config", str(installation.file)]
    started = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (started.returncode, 'rules:1: "0.0.0.0/0" would relay for everyone' in started.stderr) == (
        78,
        True,
    )


def test_P7_the_running_relay_falls_for_no_trick(site: Site) -> None:
    command = [program_path("paperpath"), "selftest", "relay", "--config", str(site.installation.file)]
    before = site.installation.books()
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
    first, *tricks, last = found.stdout.splitlines()
    assert first == f"127.0.0.1:{site.installation.port}, from 127.0.0.1"
    assert last == f"  0 of {len(tricks)} tricks make it relay"
    assert len(tricks) > 100
    assert {trick.split()[0] for trick in tricks} == {"refused"}
    assert site.installation.books() == before


def test_P7_an_open_relay_is_found_out(tmp_path: Path) -> None:
    with sink_in_thread(SinkOptions()) as sink:
        file = tmp_path / "paperpath.toml"
        file.write_text(configuration_text(sink.port))
        command = [program_path("paperpath"), "selftest", "relay", "--config", str(file)]
        found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 1
    assert "  RELAYS         source route: " in found.stdout
    assert sink.books.messages == 0
