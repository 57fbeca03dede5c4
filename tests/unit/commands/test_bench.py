"""`paperpath bench`: what is wrong use, whom it never floods, and how it says the same again."""

import os
import socket
from pathlib import Path
from typing import Any

import click
import pytest

from paperpath.commands.bench import bench
from paperpath.commands.bench_options import MESSAGES_UNASKED, spell_again
from paperpath.commands.bench_running import describe_durability, find_maildir, find_roots
from paperpath.commands.bench_send import send
from paperpath.commands.bench_target import find_server
from paperpath.config.loader import load_configuration
from paperpath.maildrop.sqlite import filesystem
from paperpath.service.errors import ServiceError
from tests.unit.commands.test_commands import file as file
from tests.unit.commands.test_commands import run

HERE = ("127.0.0.1:2525", "--to", "me@here.example")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("127.0.0.1:2525",), "--to is missing"),
        (("127.0.0.1", "--to", "me@here.example"), "expected HOST:PORT"),
        (("127.0.0.1:0", "--to", "me@here.example"), "expected HOST:PORT"),
        (("127.0.0.1:70000", "--to", "me@here.example"), "expected HOST:PORT"),
        (("--to", "me@here.example"), "HOST:PORT is missing"),
        (("--lmtp",), "HOST:PORT is missing"),
        ((*HERE, "--dir", "x"), "where there is no HOST:PORT"),
        ((*HERE, "--messages", "5", "--duration", "5"), "give one"),
        ((*HERE, "--messages", "0"), "--messages"),
        ((*HERE, "--rate", "0"), "--rate"),
        ((*HERE, "--size", "1GiB"), "--size: expected"),
        ((*HERE, "--starttls", "--smtps"), "give one"),
        ((*HERE, "--lmtp", "--smtps"), "no port for LMTP"),
        ((*HERE, "--user", "me"), "belong together"),
        ((*HERE, "--user", "me", "--password-file", "x"), "takes --starttls or --smtps"),
        ((*HERE, "--maildir", "x", "--sink", "127.0.0.1:1"), "give one"),
        ((*HERE, "--sink", "127.0.0.1"), "--sink 127.0.0.1: expected HOST:PORT"),
        (("127.0.0.1:2525", "--to", "me>\r\nRSET\r\n@here.example"), "--to:"),
        (("127.0.0.1:2525", "--to", "postmaster"), "with a domain"),
        ((*HERE, "--from", "grüße@here.example"), "in ASCII"),
        (("--dir", "x", "--keep", "y"), "give one"),
        (("sink", "--listen", "127.0.0.1"), "--listen: expected"),
        (("sink", "--listen", "192.0.2.1:2525"), "--remote allows it"),
    ],
)
def test_wrong_use_is_told_and_nothing_is_sent(arguments: tuple[str, ...], complaint: str) -> None:
    result = run("bench", *arguments)
    assert (result.exit_code, complaint in result.stderr) == (
        os.EX_USAGE if "'--" not in result.stderr else 2,
        True,
    )
    assert result.stdout == ""


def resolve(address: str) -> Any:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (address, 25))]


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "0.0.0.0"])
def test_another_host_must_be_named_twice(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolve(address))
    for again in ((), ("--yes-this-host", "other.example"), ("--yes-this-host", "mx.here.exampl")):
        result = run("bench", "mx.here.example:25", "--to", "me@here.example", *again)
        assert (result.exit_code, result.stdout) == (os.EX_USAGE, "")
        assert "--yes-this-host mx.here.example" in result.stderr
    server = find_server("mx.here.example:25", allowed="mx.here.example", secure=True)
    assert server.address == (address, 25)
    assert server.context is not None
    assert server.context.check_hostname  # a password is for nobody else


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_host_needs_no_leave(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolve(address))
    assert find_server("localhost:25", allowed="", secure=False).address == (address, 25)


def test_a_host_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    result = run("bench", "no.example:25", "--to", "me@here.example")
    assert (result.exit_code, result.stderr) == (os.EX_NOHOST, "no.example: Name or service not known\n")


def test_a_server_that_is_not_there_is_reported() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        result = run("bench", f"127.0.0.1:{port}", "--to", "me@here.example", "--connections", "2")
    assert result.exit_code == os.EX_UNAVAILABLE
    assert "[durability unknown]" in result.stdout
    assert "Connection refused" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "again"),
    [
        ([], f"paperpath bench --messages {MESSAGES_UNASKED} --connections 20 --size 4KiB"),
        (["--duration", "2.5"], "paperpath bench --duration 2.5 --connections 20 --size 4KiB"),
        (
            [
                "--no-pipelining",
                "127.0.0.1:25",
                "--to",
                "a@b",
                "--to",
                '"c d"@e',
                "--lmtp",
                "--size",
                "1KiB:2,1MB:3",
            ],
            f"paperpath bench 127.0.0.1:25 --to a@b --to '\"c d\"@e' --messages {MESSAGES_UNASKED}"
            " --connections 20 --size 1KiB:2,1MB:3 --no-pipelining --lmtp",
        ),
    ],
)
def test_the_same_again_can_be_typed(arguments: list[str], again: str) -> None:
    assert spell_again(send.make_context("send", list(arguments))) == again


def test_what_names_no_command_is_for_send() -> None:
    context = bench.make_context("bench", ["127.0.0.1:25", "--to", "a@b"])
    assert context._protected_args == ["send"]
    assert bench.make_context("bench", ["sink", "--remote"])._protected_args == ["sink"]
    with pytest.raises(click.exceptions.Exit):
        bench.make_context("bench", ["--help"])


def test_an_account_has_its_maildir_and_what_does_not_run_is_told(file: Path) -> None:
    configuration = load_configuration(file)
    assert find_maildir(configuration, ["me@example.test"]) == configuration.mailbox_root / "example.test/me"
    assert find_maildir(configuration, ["you@example.test"]) is None
    assert find_maildir(configuration, ["me@example.test", "you@example.test"]) is None
    with pytest.raises(ServiceError, match="nothing is running"):
        find_roots(configuration)
    result = run("bench", "127.0.0.1:1", "--to", "me@example.test", "--config", file)
    assert (result.exit_code, result.stdout) == (os.EX_UNAVAILABLE, "")


@pytest.mark.parametrize(
    ("kind", "told"), [("ext4", "flush"), ("tmpfs", "flush, but tmpfs keeps nothing of it"), ("", "flush")]
)
def test_a_flush_into_memory_is_none(
    kind: str, told: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = filesystem.Mount(kind, "8:1", ("rw",)) if kind else None
    monkeypatch.setattr("paperpath.commands.bench_running.read_mount", lambda _: mount)
    assert describe_durability(load_configuration(file)) == told
