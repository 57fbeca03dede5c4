"""Sockets from systemd: for one program alone, and for the supervisor."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import activator
from tests.support.installation import Installation, program_path, wait_until
from tests.support.submission import Submission
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path, processes=2)


@pytest.fixture
def given(installation: Installation) -> Iterator[socket.socket]:
    """Return a socket that was opened before any program ran, with a client in waiting."""
    with socket.create_server(("127.0.0.1", installation.port)) as listener:
        yield listener


def launcher(names: str, *listeners: socket.socket) -> list[str]:
    descriptors = ":".join(str(listener.fileno()) for listener in listeners)
    return [sys.executable, activator.__file__, names, descriptors]


@pytest.mark.parametrize("name", ["smtprd", "smtprd.socket"])
def test_a_program_alone_serves_clients_that_came_before_it(
    installation: Installation, given: socket.socket, name: str
) -> None:
    with Wire(installation.port) as wire:  # nobody accepts yet
        command = launcher(name, given)
        with installation.start("smtprd", launcher=command, descriptors=[given.fileno()]):
            assert wire.reply().startswith(b"220 ")


def test_the_supervisor_gives_the_sockets_to_all_processes(
    installation: Installation, given: socket.socket
) -> None:
    with installation.up(launcher=launcher("smtprd", given), descriptors=[given.fileno()]):
        assert len(installation.pids("smtprd")) == 2
        with Wire(installation.port) as wire:
            wire.open_transaction()
            wire.send(stuffed(b"Subject: given\r\n"))
            assert wire.reply().startswith(b"250 ")
        installation.wait_for_deliveries(1)


def test_sockets_other_than_configured_are_refused(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as deaf:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        configured = f"127.0.0.1:{installation.port}"
        refused = {
            (
                "smtprd",
                other,
            ): f"smtprd was given {address} to listen on, and the configuration says {configured}",
            ("imapd", other): "sockets were given for imapd, which does not listen here",
            ("smtprd", deaf): "descriptor 3, given as smtprd, is no listening TCP or UNIX socket",
        }
        for (name, listener), reason in refused.items():
            done = subprocess.run(
                [*launcher(name, listener), program_path("smtprd"), "--config", str(installation.file)],
                capture_output=True,
                text=True,
                check=False,
                pass_fds=[listener.fileno()],
            )
            assert done.returncode == 78
            assert reason in done.stderr
            assert "Traceback" not in done.stderr


def test_sockets_meant_for_another_process_are_not_ours(installation: Installation) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LISTEN_PID", "1")
        patch.setenv("LISTEN_FDS", "1")
        with installation.start("smtprd"):
            wait_until(lambda: " info ready " in installation.output(), "smtprd to be ready")
            with Wire(installation.port) as wire:
                assert wire.reply().startswith(b"220 ")


@pytest.mark.parametrize("program", ["smtpsd", "paperpath"])
def test_submission_takes_its_ports_and_its_socket_from_systemd(tmp_path: Path, program: str) -> None:
    submission = Submission(tmp_path, processes=2)
    submission.socket.parent.mkdir(mode=0o711)
    with ExitStack() as stack:
        ports = [submission.submission_port, submission.tls_port]
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", port))) for port in ports]
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(submission.socket))
        local.listen()
        listeners.insert(1, local)  # in whatever order
        command = launcher(":".join(["smtpsd"] * 3), *listeners)
        descriptors = [listener.fileno() for listener in listeners]
        if program == "paperpath":
            stack.enter_context(submission.up(launcher=command, descriptors=descriptors))
        else:
            stack.enter_context(submission.start(program, launcher=command, descriptors=descriptors))
        for client in (submission.connect(), submission.connect_tls(), submission.connect_local()):
            with client:
                assert client.ehlo()[0] == 250
