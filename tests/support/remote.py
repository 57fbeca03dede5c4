"""An installation that delivers to other hosts: all of them sinks on loopback, found by a scripted DNS."""

import json
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from paperpath.config.endpoint import Endpoint
from paperpath.testing.nameserver import Nameserver
from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import (
    FEW_CLIENTS,
    NO_DNS,
    Installation,
    find_free_port,
    program_path,
    wait_until,
)

SENDER = "u@here.example"


class RemoteInstallation(Installation):
    """Mail for `.wild.example` goes to exchangers on `remote_port`; the DNS is what `zone` says."""

    def __init__(
        self, folder: Path, nameserver: Nameserver, *, remote: str = "", routes: str = "", more: str = ""
    ) -> None:
        super().__init__(folder, accounts=(SENDER,))
        self.nameserver = nameserver
        self.remote_port = find_free_port()
        self._zone = ""
        self._base = self.file.read_text().removesuffix(NO_DNS + FEW_CLIENTS)
        self.configure(remote=remote, routes=routes, more=more)

    def configure(self, *, remote: str = "", routes: str = "", more: str = "") -> None:
        """Write the configuration anew."""
        schedule = "" if "schedule" in remote else "schedule = { first_s = 0.3, factor = 1.0, most_s = 0.3 }"
        self.file.write_text(f"""{self._base}
{routes}

[dns]
servers = ["{self.nameserver.endpoint}"]
timeout_s = 1.0

{more}

[remote]
port = {self.remote_port}
loopback = true
idle_s = 0.2
{schedule}
{remote}
""")

    def publish(self, lines: str) -> None:
        """Add lines to what the DNS answers."""
        self._zone += lines + "\n"
        self.nameserver.play(self._zone)

    def publish_host(self, domain: str, *addresses: str) -> None:
        """Give a domain one exchanger, at some addresses of loopback."""
        self.publish(f"{domain} MX 10 mx.{domain}.")
        for address in addresses:
            self.publish(f"mx.{domain} A {address}")

    @contextmanager
    def host(self, address: str, options: SinkOptions | None = None) -> Iterator[Sink]:
        """Run a sink where exchangers with this address are."""
        listen = (Endpoint(address, self.remote_port),)
        with sink_in_thread(replace(options or SinkOptions(), listen=listen)) as sink:
            yield sink

    def send(self, *recipients: str, content: str = "Subject: x\r\n\r\nHi\r\n", sender: str = SENDER) -> None:
        """Send one message, to all at once."""
        self.send_each([recipients], content=content, sender=sender)

    def send_each(
        self,
        messages: list[tuple[str, ...]],
        *,
        content: str = "Subject: x\r\n\r\nHi\r\n",
        sender: str = SENDER,
    ) -> None:
        """Send messages over one connection; `%d` in the content is the number of the message."""
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            for number, recipients in enumerate(messages):
                client.sendmail(sender, list(recipients), content.replace("%d", str(number)))

    def rows(self, domain: str) -> list[dict[str, Any]]:
        """List the recipients of a domain that are in the queue."""
        return [
            json.loads(line) for line in self.ask("queue", "list", "--json", "--domain", domain).splitlines()
        ]

    def summary(self, destination: str) -> list[dict[str, Any]]:
        """Summarise what waits for a destination."""
        lines = map(json.loads, self.ask("queue", "summary", "--json").splitlines())
        return [line for line in lines if line["destination"] == destination]

    def ask(self, *words: str) -> str:
        """Run a `paperpath` command on this installation, which may find nothing; return what it printed."""
        command = [program_path("paperpath"), *words, "--config", str(self.file)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode in (0, 1), result.stderr
        return result.stdout

    def remove(self, *which: str) -> None:
        """Remove what waits, as soon as nothing of it is on its way."""
        command = [program_path("paperpath"), "queue", "remove", *which, "--config", str(self.file)]
        wait_until(
            lambda: subprocess.run(command, capture_output=True, check=False).returncode in (0, 1),
            "nothing to be on its way",
        )

    def wait_for_bounce(self, recipient: str) -> str:
        """Wait for the report that a recipient has failed; return it."""
        found: list[str] = []

        def is_there() -> bool:
            texts = [file.read_text(errors="replace") for file in self.delivered(SENDER)]
            found[:] = [text for text in texts if f"Final-Recipient: rfc822; {recipient}\n" in text]
            return bool(found)

        wait_until(is_there, f"a report that {recipient} failed")
        return found[0]

    def relay_clients(self) -> list[int]:
        """Return the process ids of the relay clients of this installation."""
        smtprcd = self.pid("smtprcd")
        return [] if smtprcd is None else [pid for pid, parent in list_relay_clients() if parent == smtprcd]


def list_relay_clients() -> list[tuple[int, int]]:
    """Return the process id, and the parent's, of every relay client there is."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
            if entry.name.isdigit() and b"paperpath.remote.smtprc\0" in command:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                found.append((int(entry.name), int(parent)))
        except OSError:
            continue
    return found
