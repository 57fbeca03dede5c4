"""smtprc by hand: delivers without a queue, shows the dialogue, and says by its exit code what came of it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from paperpath.config.endpoint import Endpoint
from paperpath.remote import smtprc
from paperpath.testing.nameserver import Nameserver
from paperpath.testing.sink import sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import find_free_port, program_path
from tests.support.tls import AUTHORITY, write_certificate

pytestmark = pytest.mark.slow
CLICK_USAGE = 2  # as of every command of ours
LETTER = b"Subject: x\n\n.Hi\n"


def run(*arguments: str, letter: bytes = LETTER) -> subprocess.CompletedProcess[bytes]:
    command = [program_path("smtprc"), "--hello", "client.example", *arguments]
    return subprocess.run(command, input=letter, capture_output=True, check=False, timeout=30)


def test_it_delivers_and_shows_the_dialogue() -> None:
    with sink_in_thread() as sink:
        done = run("--port", str(sink.port), "--verbose", "127.0.0.1", "a@b.example", "joe@x.example")
    assert (done.returncode, done.stdout) == (
        0,
        b"delivered joe@x.example by 127.0.0.1: '250 2.0.0 Taken as 1'\n",
    )
    assert sink.taken[0].content == LETTER.replace(b"\n", b"\r\n")
    assert sink.violations == []
    shown = done.stderr.decode().splitlines()
    assert shown[0].startswith("< 220 ")
    assert "> EHLO client.example" in shown
    assert [line.split()[1] for line in shown if line[0] == ">"] == [
        "EHLO",
        "MAIL",
        "RCPT",
        "DATA",
        ".",
        "QUIT",
    ]


def test_F14_it_speaks_LMTP_over_a_UNIX_socket_and_tells_of_each_recipient(tmp_path: Path) -> None:
    recipients = ("joe@x.example", "slow-100ms-at-dot@x.example", "550-at-dot@x.example")
    with sink_in_thread(SinkOptions(lmtp=True, socket=tmp_path / "lmtp")) as sink:
        done = run("--lmtp", str(tmp_path / "lmtp"), "a@b.example", *recipients)
    assert done.returncode == os.EX_UNAVAILABLE
    lines = done.stdout.decode().splitlines()
    assert [line.split(" by ")[0] for line in lines] == [
        f"{what} {recipient}"
        for what, recipient in zip(("delivered", "delivered", "failed"), recipients, strict=True)
    ]
    assert f" by unix:{tmp_path}/lmtp: " in lines[0]
    assert sink.violations == []


def test_F14_it_speaks_no_LMTP_to_port_25() -> None:
    done = CliRunner().invoke(
        smtprc.by_hand, ["--lmtp", "127.0.0.1", "a@b.example", "joe@x.example"], input=""
    )
    assert done.exit_code == CLICK_USAGE
    assert "25 is for SMTP alone" in done.output


@pytest.mark.parametrize(
    ("recipients", "code"),
    [
        (("joe", "mary"), os.EX_OK),
        (("joe", "tempfail"), os.EX_TEMPFAIL),
        (("joe", "permfail", "tempfail"), os.EX_UNAVAILABLE),
    ],
)
def test_the_exit_code_and_json_say_what_came_of_it(recipients: tuple[str, ...], code: int) -> None:
    addresses = [f"{name}@x.example" for name in recipients]
    with sink_in_thread() as sink:
        done = run("--port", str(sink.port), "--json", "127.0.0.1", "", *addresses)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == code
    assert [one["recipient"] for one in found] == addresses
    wanted = {"tempfail": "deferred", "permfail": "failed"}
    assert [one["outcome"] for one in found] == [wanted.get(name, "delivered") for name in recipients]
    assert sink.taken[0].sender == ""


def test_a_host_that_is_not_there_is_for_later() -> None:
    done = run("--port", str(find_free_port()), "127.0.0.1", "a@b.example", "joe@x.example")
    assert done.returncode == os.EX_TEMPFAIL
    assert b"deferred joe@x.example: '451 4.4.1 " in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("127.0.0.1",),
        ("127.0.0.1", "a@b.example"),
        ("127.0.0.1", "not an address", "joe@x.example"),
        ("127.0.0.1", "a@b.example", "joe"),
        ("--port", "0", "127.0.0.1", "a@b.example", "joe@x.example"),
        ("--tls", "maybe", "127.0.0.1", "a@b.example", "joe@x.example"),
        ("--user", "joe", "127.0.0.1", "a@b.example", "joe@x.example"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (CLICK_USAGE, b"")
    assert done.stderr.startswith(b"Usage: ")


def test_the_null_address_can_be_a_sender_only() -> None:
    done = run("127.0.0.1", "a@b.example", "")
    assert done.returncode == CLICK_USAGE
    assert b"Traceback" not in done.stderr


def test_G34_it_logs_in_and_shows_no_secret(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path, "localhost")
    authorities, password = tmp_path / "ca.pem", tmp_path / "password"
    AUTHORITY.cert_pem.write_to_path(str(authorities))
    password.write_text("geheim-geheim\n")
    options = SinkOptions(
        tls_at_once=True,
        certificate=chain,
        key=key,
        user="joe",
        password="geheim-geheim",
        listen=(Endpoint("127.0.0.1", 0),),
    )
    with (
        sink_in_thread(options) as sink,
        Nameserver("localhost A 127.0.0.1") as nameserver,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(smtprc, "find_servers", lambda _: lambda: (_to_endpoint(nameserver),))
        words = ["--port", str(sink.port), "--tls-first", "--verbose", "--hello", "client.example"]
        words += ["--ca-file", str(authorities), "--user", "joe", "--password-file", str(password)]
        done = CliRunner().invoke(
            smtprc.by_hand, [*words, "localhost", "a@b.example", "joe@x.example"], input=LETTER
        )
    assert done.exit_code == 0, done.output
    assert sink.taken[0].user == "joe"
    assert "AUTH PLAIN ***" in done.output
    assert "geheim" not in done.output


def test_G1_it_asks_for_mail_exchangers() -> None:
    with sink_in_thread() as sink:
        script = "x.example MX 10 mx.x.example.\nmx.x.example A 127.0.0.1"
        with Nameserver(script) as nameserver, pytest.MonkeyPatch.context() as patch:
            patch.setattr(smtprc, "find_servers", lambda _: lambda: (_to_endpoint(nameserver),))
            words = ["--port", str(sink.port), "--mx", "--hello", "client.example"]
            done = CliRunner().invoke(
                smtprc.by_hand, [*words, "x.example", "a@b.example", "joe@x.example"], input=LETTER
            )
    assert done.exit_code == 0, done.output
    assert done.output == "delivered joe@x.example by mx.x.example: '250 2.0.0 Taken as 1'\n"


def _to_endpoint(nameserver: Nameserver) -> Endpoint:
    return Endpoint(nameserver.address, nameserver.port)
