"""Lists of clients in front of the real smtprd and smtpsd (C-11 to C-13, C-16 to C-24, B-4, X-10; S-6)."""

import json
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.config.loader import load_document
from paperpath.dns.lists import POINTS, name_entry, parse_client
from paperpath.service.control import ask, control_folder
from paperpath.testing.nameserver import Nameserver
from tests.support import activator
from tests.support.installation import NO_DNS, Installation, program_path, wait_until
from tests.support.submission import ACCOUNT, PASSWORD, Submission
from tests.support.tls import make_client_context
from tests.support.wire import Wire

pytestmark = pytest.mark.slow

NORMAL, LISTED = "127.0.0.10", "127.0.0.11"
PRIVILEGED, PRIVILEGED_LISTED = "127.0.0.20", "127.0.0.21"
ACCESS = f'access = [{{ clients = ["{PRIVILEGED}", "{PRIVILEGED_LISTED}"], service = "privileged" }}]'
BLACK = 'lists = ["black:bad.example"]'
REASON = "Dynamic address, see http://bad.example"
REFUSED = "550 5.7.1 Mail from "
NOT_RELAYED = "550 5.7.1 Mail for this domain"


def entry(client: str, zone: str = "bad.example") -> str:
    address = parse_client(client)
    assert address is not None
    return name_entry(address, zone)


def script(*entries: str, zones: tuple[str, ...] = ("bad.example", "good.example")) -> str:
    """Write a script in which these zones are lists, and other lines."""
    points = [
        f"{name_entry(family.listed, zone)} A 127.0.0.2" for zone in zones for family in POINTS.values()
    ]
    return "\n".join([*points, *entries])


def listed(client: str, zone: str = "bad.example", reason: str = REASON) -> str:
    return f'{entry(client, zone)} A 127.0.0.2\n{entry(client, zone)} TXT "{reason}"'


def ask_dns(installation: Installation, server: Nameserver, timeout_s: int = 5) -> None:
    """Have an installation ask this server."""
    text = installation.file.read_text()
    assert NO_DNS in text
    dns = f'\n[dns]\nservers = ["{server.endpoint}"]\ntimeout_s = {timeout_s}\n'
    installation.file.write_text(text.replace(NO_DNS, dns))


def relay(folder: Path, server: Nameserver, lists: str = BLACK, *, timeout_s: int = 5) -> Installation:
    # However busy the machine is, no list is asked before the one before it has answered.
    installation = Installation(folder, more_relay=f"{lists}\nlists_head_start_s = 100\n{ACCESS}")
    ask_dns(installation, server, timeout_s)
    return installation


def begin(wire: Wire) -> None:
    assert wire.reply().startswith(b"220 ")
    assert wire.ask(b"EHLO client.example").startswith(b"250")
    assert wire.ask(b"MAIL FROM:<a@else.example>").startswith(b"250")


def name(installation: Installation, client: str, recipient: str = "u@here.example") -> str:
    """Name a recipient as a client with this address; return the reply."""
    with Wire(installation.port, source=client) as wire:
        begin(wire)
        return wire.ask(b"RCPT TO:<" + recipient.encode() + b">").decode()


def why(installation: Installation, what: str) -> str:
    """Ask what the journal has of a client."""
    command = [program_path("paperpath"), "why", what, "--config", str(installation.file)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


WHITE_LISTED = "127.0.0.31"
ON_BOTH, ON_NEITHER = "127.0.0.32", "127.0.0.33"  # whom one test alone asks about
BOTH = 'lists = ["white:good.example", "black:bad.example"]'
NASTY = r'"first (\013\010250 2.0.0 mine\027[31m\233\000" " second' + 'x" "'.join(["y" * 200] * 10) + '"'
FAILING = {
    "127.0.0.41": f"{entry('127.0.0.41')} A 203.0.113.1",
    "127.0.0.42": f"{entry('127.0.0.42')} A 127.255.255.254",
    "127.0.0.43": f"{entry('127.0.0.43')} !servfail",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Nameserver]:
    """Return a server with both lists."""
    entries = [
        listed(LISTED),
        listed(PRIVILEGED_LISTED),
        listed(WHITE_LISTED),
        listed(WHITE_LISTED, "good.example"),
        listed(ON_BOTH),
        listed(ON_BOTH, "good.example"),
        listed("::1"),
        f"{entry('127.0.0.44')} A 127.0.0.6",
        f"{entry('127.0.0.45')} A 127.0.0.2\n{entry('127.0.0.45')} TXT {NASTY}",
        f"{entry('127.0.0.46', 'good.example')} !servfail\n{listed('127.0.0.46')}",
        *FAILING.values(),
    ]
    with Nameserver(script(*entries)) as server:
        yield server


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, server: Nameserver) -> Iterator[Installation]:
    """Return a relay that asks a white list, then a black one."""
    installation = relay(tmp_path_factory.mktemp("matrix"), server, BOTH)
    here = f'"127.0.0.1:{installation.port}"'
    text = installation.file.read_text()
    installation.file.write_text(text.replace(here, f'{here}, "[::1]:{installation.port}"'))
    with installation.up():
        yield installation


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        (NORMAL, "u@here.example", "250"),
        (NORMAL, "postmaster@here.example", "250"),
        (LISTED, "u@here.example", REFUSED),
        (LISTED, "postmaster@here.example", "250"),
        (PRIVILEGED, "u@else.example", "250"),
        (PRIVILEGED, "postmaster@here.example", "250"),
        (PRIVILEGED_LISTED, "u@here.example", REFUSED),
        (PRIVILEGED_LISTED, "postmaster@here.example", "250"),
        (PRIVILEGED_LISTED, "postmaster@else.example", "250"),
        (LISTED, "postmaster@else.example", NOT_RELAYED),
        (NORMAL, "postmaster@else.example", NOT_RELAYED),
        (LISTED, "POSTmaster", "250"),
        (LISTED, '"Post\\master"@here.example', "250"),
        (LISTED, "postmaster+x@here.example", REFUSED),
        (LISTED, "nobody@here.example", REFUSED),
    ],
)
def test_C11_X10_service_and_lists_must_agree(
    matrix: Installation, client: str, recipient: str, reply: str
) -> None:
    assert name(matrix, client, recipient).startswith(reply)


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        (WHITE_LISTED, "u@here.example", "250"),
        (WHITE_LISTED, "u@else.example", NOT_RELAYED),
        (WHITE_LISTED, "nobody@here.example", "550 5.1.1"),
    ],
)
def test_C12_a_whitelisted_client_gains_no_right(
    matrix: Installation, client: str, recipient: str, reply: str
) -> None:
    assert name(matrix, client, recipient).startswith(reply)


def test_C18_C20_the_first_list_decides_and_no_later_one_is_asked(
    matrix: Installation, server: Nameserver
) -> None:
    assert name(matrix, ON_BOTH).startswith("250")
    assert server.count(entry(ON_BOTH, "good.example"), "A") == 1
    assert server.count(entry(ON_BOTH), "A") == 0
    assert server.count(entry(ON_BOTH, "good.example"), "TXT") == 0
    assert name(matrix, ON_NEITHER).startswith("250")
    assert server.count(entry(ON_NEITHER), "A") == 1
    assert server.count(entry(ON_NEITHER), "TXT") == 0


def test_P9_the_log_and_the_journal_tell_which_list(matrix: Installation) -> None:
    assert REASON in name(matrix, LISTED, "joe@here.example")
    wait_until(lambda: f"client={LISTED} list=black:bad.example" in matrix.output(), "the log to tell it")
    story = why(matrix, LISTED)
    assert f"black:bad.example decided about {LISTED}" in story
    assert f"refused RCPT TO:<joe@here.example> from {LISTED}" in story


@pytest.mark.parametrize("recipient", ["postmaster@[127.0.0.1]", "u@[127.0.0.1]"])
def test_C13_X4_our_address_is_no_domain_of_ours(matrix: Installation, recipient: str) -> None:
    assert name(matrix, NORMAL, recipient).startswith(NOT_RELAYED)


@pytest.mark.parametrize("client", FAILING)
def test_C19_C21_a_black_list_that_fails_has_nobody_and_is_logged(matrix: Installation, client: str) -> None:
    assert name(matrix, client).startswith("250")
    told = f"client={client} list=black:bad.example reason="
    wait_until(lambda: told in matrix.output(), "the failure to be told")


def test_C21_a_white_list_that_fails_has_everybody(matrix: Installation, server: Nameserver) -> None:
    assert name(matrix, "127.0.0.46").startswith("250")
    assert server.count(entry("127.0.0.46"), "A") == 0


def test_C20_without_a_reason_there_is_a_general_one(matrix: Installation) -> None:
    assert "postmaster" in name(matrix, "127.0.0.44")


def test_C20_S6_a_reason_is_one_clean_line(matrix: Installation) -> None:
    with Wire(matrix.port, source="127.0.0.45") as wire:
        begin(wire)
        reply = wire.ask(b"RCPT TO:<u@here.example>")
        assert reply.startswith(b"550 5.7.1 Mail from 127.0.0.45 is refused: first [ 250 2.0.0 mine?[31m??")
        assert b" second" in reply
        assert len(reply) <= 512
        assert all(32 <= octet < 127 for octet in reply.removesuffix(b"\r\n"))
        assert wire.ask(b"NOOP").startswith(b"250")


def test_C16_C23_the_servers_of_the_configuration_are_asked_to_recurse(
    matrix: Installation, server: Nameserver
) -> None:
    assert name(matrix, "127.2.3.99").startswith("250")
    with Wire(matrix.port, host="::1") as wire:
        begin(wire)
        assert wire.ask(b"RCPT TO:<u@here.example>").startswith(REFUSED.encode())
    assert server.count("99.3.2.127.bad.example", "A") == 1
    assert server.count("1." + "0." * 31 + "bad.example", "A") == 1
    assert all(query.is_recursive for query in server.queries)


def test_what_lists_say_is_counted(matrix: Installation) -> None:
    name(matrix, LISTED)
    folder = control_folder(load_document(matrix.file).configuration)
    families = ask(folder, "smtprd", "metrics")["families"]
    samples = {family["name"]: family["samples"] for family in families}
    said = [sample["labels"] for sample in samples["paperpath_client_list_lookups"] if sample["value"] > 0]
    assert {"list": "black:bad.example", "said": "listed"} in said
    assert samples["paperpath_client_list_seconds"]


def lists_check(installation: Installation, *arguments: str) -> str:
    return installation.run("lists", "check", "--config", str(installation.file), *arguments)


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (
            LISTED,
            ["white:good.example: not listed", f"black:bad.example: listed 127.0.0.2 '{REASON}'"],
        ),
        (
            WHITE_LISTED,
            [
                f"white:good.example: listed 127.0.0.2 '{REASON}'",
                f"black:bad.example: listed 127.0.0.2 '{REASON}'",
                "decision by white:good.example: as if there were no lists",
            ],
        ),
        (
            "::ffff:127.0.0.30",
            [
                "white:good.example: not listed",
                "black:bad.example: not listed",
                "decision: no list has it",
            ],
        ),
    ],
)
def test_an_operator_is_told_what_each_list_says(matrix: Installation, client: str, told: list[str]) -> None:
    lines = [line.strip() for line in lists_check(matrix, client).splitlines()]
    assert lines[0] == "relay"
    assert lines[1 : len(told) + 1] == told


def test_the_same_as_json(matrix: Installation) -> None:
    told = json.loads(lists_check(matrix, "--json", LISTED))["relay"]
    assert [entry["said"] for entry in told["lists"]] == ["not listed", "listed"]
    assert told["decided_by"] == "black:bad.example"
    assert told["reply"] == name(matrix, LISTED).rstrip()


def test_S6_what_a_list_says_reaches_no_terminal_raw(matrix: Installation) -> None:
    assert lists_check(matrix, "127.0.0.45").replace("\n", "").isprintable()


def test_C13_X4_our_address_is_one_if_it_is_configured_to_be(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    text = installation.file.read_text().replace("domains = [", 'domains = ["[127.0.0.1]", ')
    route = '[[post_office.route]]\ndomain = "[127.0.0.1]"\nvia = "local"\n'
    installation.file.write_text(text + route)
    with installation.up():
        assert name(installation, NORMAL, "postmaster@[127.0.0.1]").startswith("250")
        assert name(installation, NORMAL, "joe@[127.0.0.1]").startswith("550 5.1.1")


def test_C18_C19_other_lists_are_in_force_after_a_reload(tmp_path: Path, server: Nameserver) -> None:
    first, second = (
        'lists = ["black:bad.example", "white:good.example"]',
        'lists = ["black:bad.example=127.0.0.4"]',
    )
    installation = relay(tmp_path, server, first)
    before = server.count(entry(WHITE_LISTED, "good.example"), "A")
    with installation.up():
        assert name(installation, WHITE_LISTED).startswith(REFUSED)
        assert server.count(entry(WHITE_LISTED, "good.example"), "A") == before
        installation.file.write_text(installation.file.read_text().replace(first, second))
        installation.run("reload", "--config", str(installation.file))
        assert name(installation, WHITE_LISTED).startswith("250")  # by a value that does not count


def test_C21_all_lists_together_take_no_longer_than_was_configured(tmp_path: Path) -> None:
    # The resolver would wait for 100 seconds, which is more than a test waits for a reply.
    with Nameserver(script(f"{entry(LISTED)} !timeout")) as server:
        installation = relay(tmp_path, server, f"{BLACK}\nlists_timeout_s = 1", timeout_s=100)
        with installation.up():
            assert name(installation, LISTED).startswith("250")
            assert "client list failed" in installation.output()
            assert name(installation, LISTED).startswith("250")  # and did not wait again
            assert "no answer a while ago" in installation.output()


def test_C24_neither_greeting_nor_hello_nor_sender_waits(tmp_path: Path) -> None:
    with Nameserver(script(f"{entry(LISTED)} !timeout")) as server:
        installation = relay(tmp_path, server, f"{BLACK}\nlists_timeout_s = 100", timeout_s=100)
        with installation.up():
            wire = Wire(installation.port, source=LISTED)
            begin(wire)
            wire.send(b"RCPT TO:<u@here.example>\r\n")
            wait_until(lambda: server.count(entry(LISTED), "A"), "the list to be asked")
            assert name(installation, NORMAL).startswith("250")  # nobody else waits
            wire.reset()
            wait_until(lambda: "the client left" in why(installation, LISTED), "the session to end")


def test_C22_a_list_that_has_everybody_is_ignored(tmp_path: Path) -> None:
    wild = [f"{name_entry(points.unlisted, 'bad.example')} A 127.0.0.2" for points in POINTS.values()]
    with Nameserver(script(*wild, listed(LISTED))) as server:
        installation = relay(tmp_path, server)
        with installation.up():
            assert name(installation, LISTED).startswith("250")
            assert "warning client list tested list=bad.example" in installation.output()
            assert server.count(entry(LISTED), "A") == 0


def test_C17_a_client_of_ipv4_is_one_on_a_socket_for_both(tmp_path: Path, server: Nameserver) -> None:
    installation = relay(tmp_path, server)
    here = f'"127.0.0.1:{installation.port}"'
    text = installation.file.read_text()
    installation.file.write_text(text.replace(here, f'"[::]:{installation.port}"'))
    both = ("::", installation.port)
    with socket.create_server(both, family=socket.AF_INET6, dualstack_ipv6=True) as given:
        launcher = [sys.executable, activator.__file__, "smtprd", str(given.fileno())]
        with installation.up(launcher=launcher, descriptors=[given.fileno()]):
            assert REASON in name(installation, LISTED)
            assert name(installation, PRIVILEGED, "u@else.example").startswith("250")


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory, server: Nameserver) -> Iterator[Submission]:
    submission = Submission(tmp_path_factory.mktemp("submission"), more_submission=BLACK)
    ask_dns(submission, server)
    with submission.up():
        yield submission


def log_in(submission: Submission, client: str) -> smtplib.SMTP:
    smtp = smtplib.SMTP(
        "127.0.0.1", submission.submission_port, "client.example", timeout=20, source_address=(client, 0)
    )
    smtp.starttls(context=make_client_context())
    smtp.login(ACCOUNT, PASSWORD)
    smtp.ehlo_or_helo_if_needed()
    assert smtp.mail(ACCOUNT)[0] == 250
    return smtp


def test_B4_C11_a_blacklisted_client_submits_to_postmasters_alone(submission: Submission) -> None:
    with log_in(submission, LISTED) as smtp:
        assert smtp.rcpt("postmaster@here.example")[0] == 250
        assert smtp.rcpt("Postmaster@else.example")[0] == 250
        for recipient in ("u@here.example", "someone@else.example"):
            code, text = smtp.rcpt(recipient)
            assert code == 550
            assert REASON.encode() in text


def test_B4_any_other_client_submits_to_anybody(submission: Submission) -> None:
    with log_in(submission, NORMAL) as smtp:
        assert smtp.rcpt("someone@else.example")[0] == 250


def test_B4_a_user_of_this_host_is_on_no_list(submission: Submission) -> None:
    with submission.connect_local() as smtp:
        smtp.ehlo()
        assert smtp.mail(ACCOUNT)[0] == 250
        assert smtp.rcpt("u@here.example")[0] == 250
