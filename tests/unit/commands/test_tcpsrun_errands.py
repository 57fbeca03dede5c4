"""What tcpsrun runs for whom: by rules and run file as they are at the moment."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paperpath.commands.tcpsrun_errands import Errands, Source
from paperpath.dns.answer import Answer, Status
from paperpath.dns.records import PTR, A, RecordType
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log
from paperpath.service.spawner import Errand

RULES = """
127.0.0.2 null
127.0.0.3 deny
127.0.0.4 privileged
.dyn.example.net deny
"""


class Dns:
    """Knows one host, 127.0.0.9."""

    async def resolve(self, name: str, kind: RecordType[Any]) -> Answer[Any]:
        if kind is PTR and name == "9.0.0.127.in-addr.arpa":
            return Answer(Status.FOUND, ("a.dyn.example.net",))
        if kind is A and name == "a.dyn.example.net":
            return Answer(Status.FOUND, ("127.0.0.9",))
        return Answer(Status.NXDOMAIN)

    def find_known(self, name: str, kind: RecordType[Any]) -> Answer[Any] | None:
        return None


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules"
    file.write_text(RULES)
    return file


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def choose(errands: Errands, listener: socket.socket, client: str = "127.0.0.1") -> Errand | None:
    """Connect from an address, and see what is to be run."""
    with socket.create_connection(listener.getsockname(), source_address=(client, 0)):
        connection, _ = listener.accept()
        with connection:
            return asyncio.run(errands.choose(connection, open_log("tcpsrun")))


@pytest.mark.parametrize(
    ("client", "level", "relay_client"),
    [("127.0.0.1", "1", None), ("127.0.0.2", "0", None), ("127.0.0.4", "2", "")],
)
def test_L12_L17_a_client_gets_its_level_as_argument_and_in_the_environment(
    rules: Path, listener: socket.socket, client: str, level: str, relay_client: str | None
) -> None:
    errand = choose(
        Errands(Source(("a", "%4", "%1"), rules=rules), Dns(), open_log("tcpsrun")), listener, client
    )
    assert errand is not None
    port = str(listener.getsockname()[1])
    assert errand.command == ("a", level, port)
    assert errand.environment["ACCESSLEVEL"] == level
    assert errand.environment.get("RELAYCLIENT") == relay_client
    assert errand.environment["TCPREMOTEIP"] == client
    assert errand.environment["TCPLOCALPORT"] == port


@pytest.mark.parametrize("client", ["127.0.0.3", "127.0.0.9"])
def test_L16_who_is_denied_gets_nothing_run(rules: Path, listener: socket.socket, client: str) -> None:
    assert choose(Errands(Source(("a",), rules=rules), Dns(), open_log("tcpsrun")), listener, client) is None


def test_L12_without_rules_the_program_decides(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RELAYCLIENT", "ACCESSLEVEL", "NOTIFY_SOCKET", "WATCHDOG_USEC"):
        monkeypatch.setenv(name, "2")  # meant for us, or left by somebody else
    errand = choose(Errands(Source(("a",)), Dns(), open_log("tcpsrun")), listener)
    assert errand is not None
    assert not {"RELAYCLIENT", "ACCESSLEVEL", "NOTIFY_SOCKET", "WATCHDOG_USEC"} & errand.environment.keys()


def test_L12_files_are_read_for_each_client_and_a_bad_one_changes_nothing(
    rules: Path, listener: socket.socket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_file = tmp_path / "run"
    run_file.write_text("a %2")
    errands = Errands(Source((), run_file, rules), Dns(), open_log("tcpsrun"))
    for text, command in (("b b", ("b", "b")), ("c 'c", ("b", "b")), ("d %5", None), ("e", ("e",))):
        run_file.write_text(text)
        errand = choose(errands, listener)
        assert (errand and errand.command) == command
    for text, is_let_in in (("127.0.0.1 deny", False), ("127.0.0.1", False), ("127.0.0.1 1", True)):
        rules.write_text(text)
        assert (choose(errands, listener) is not None) == is_let_in
    errors = capsys.readouterr().err
    assert errors.count("what it said before stays in force") == 2
    assert "%5 stands for nothing" in errors


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (Source(("a", "%4")), "no rules are given"),
        (Source(("a", "%9")), "%9 stands for nothing"),
        (Source((), Path("none")), "none: cannot be read"),
        (Source(("a",), rules=Path("none")), "cannot be read"),
    ],
)
def test_L12_what_cannot_be_run_is_said_at_the_start(source: Source, reason: str) -> None:
    with pytest.raises(ServiceError, match=reason) as caught:
        Errands(source, Dns(), open_log("tcpsrun"))
    assert caught.value.exit_code == 78


def test_P7_rules_that_make_everybody_privileged_are_refused(rules: Path) -> None:
    rules.write_text("# all\n0.0.0.0/0 2\n")
    with pytest.raises(ServiceError, match=r"rules:2: .*nearly everyone privileged"):
        Errands(Source(("a",), rules=rules), Dns(), open_log("tcpsrun"))


def test_a_client_that_is_gone_gets_nothing_run(listener: socket.socket) -> None:
    with socket.socket() as never_connected:
        errands = Errands(Source(("a",)), Dns(), open_log("tcpsrun"))
        assert asyncio.run(errands.choose(never_connected, open_log("tcpsrun"))) is None
