"""An installation that hands mail for some domains to real programs of others, on ports of loopback."""

import re
import smtplib
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from typing import cast

from tests.support.installation import FEW_CLIENTS, Installation, run_command, wait_until

SENDER = "u@here.example"
POSTMASTER = "admin@here.example"


class RoutedInstallation(Installation):
    """Mail for `NAME.wild.example` goes to 127.0.0.1 on the port that `ports` has for the name.

    `options` are lines for the route of a name. DSN is announced.
    """

    def __init__(
        self, folder: Path, ports: Mapping[str, int], options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            folder,
            accounts=(SENDER, POSTMASTER, "joe@here.example", "jörg@here.example"),
            more_relay="dsn_success = true",
            size=10_000_000,
        )
        self.ports = ports
        routes = "".join(
            f"""
[[post_office.route]]
domain = "{name}.wild.example"
via = "smtp://127.0.0.1:{port}"
{(options or {}).get(name, "")}
"""
            for name, port in ports.items()
        )
        rest = """
[remote]
idle_s = 0.2
schedule = { first_s = 0.3, factor = 1.0, most_s = 0.3 }
"""
        self.file.write_text(self.file.read_text().replace(FEW_CLIENTS, "") + routes + rest)

    def send(
        self,
        *recipients: str,
        content: bytes = b"Subject: x\r\n\r\nHi\r\n",
        sender: str = SENDER,
        mail: Sequence[str] = (),
        rcpt: Sequence[str] = (),
    ) -> None:
        """Send a message to ourselves, with these parameters of MAIL and RCPT."""
        submit(self.port, *recipients, content=content, sender=sender, mail=mail, rcpt=rcpt)

    def wait_for_report(self, action: str, recipient: str, account: str = SENDER) -> EmailMessage:
        """Wait for a report that says this of a recipient, and return it."""
        found: list[EmailMessage] = []

        def is_there() -> bool:
            found[:] = [
                report for report in self.reports(account) if (action, recipient) in list_actions(report)
            ]
            return bool(found)

        wait_until(is_there, f"a report: {action} for {recipient}")
        return found[0]

    def reports(self, account: str = SENDER) -> list[EmailMessage]:
        """List the reports in a mailbox."""
        messages = [read_message(file.read_bytes()) for file in self.delivered(account)]
        return [message for message in messages if message.get_content_type() == "multipart/report"]

    def wait_for_rest(self) -> None:
        """Wait until nothing is open any more, and see that the books balance."""
        wait_until(lambda: self.books().open == 0, "all mail to be settled")
        assert self.books().balance

    def has_failed(self, name: str) -> bool:
        """Tell whether an attempt for a domain has failed, for a recipient or with its whole destination."""
        away = rf" away destination=smtp://127\.0\.0\.1:{self.ports[name]} "
        return (
            re.search(rf"{away}| deferred .* recipient=\S+@{name}\.wild\.example ", self.output()) is not None
        )

    def ask(self, *words: str) -> str:
        """Run a `paperpath` command on this installation; return what it printed."""
        return run_command(*words, "--config", str(self.file))


def submit(
    port: int,
    *recipients: str,
    content: bytes,
    sender: str = SENDER,
    mail: Sequence[str] = (),
    rcpt: Sequence[str] = (),
) -> None:
    """Send a message to a server on loopback, octet for octet."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example") as client:
        refused = client.sendmail(sender, list(recipients), content, list(mail), list(rcpt))
    assert refused == {}


def read_message(octets: bytes) -> EmailMessage:
    """Parse a message by Python's `email`."""
    return message_from_bytes(octets, policy=SMTP if octets.isascii() else SMTPUTF8)


def list_actions(report: EmailMessage) -> list[tuple[str, str]]:
    """List what a report says of which recipients."""
    return [
        (str(block["Action"]), str(block["Final-Recipient"]).partition(";")[2].strip())
        for block in status_blocks(report)[1:]
    ]


def status_blocks(report: EmailMessage) -> list[EmailMessage]:
    """Return the blocks of fields of a delivery status: of the message, then of each recipient."""
    status = next(part for part in report.iter_parts() if "delivery-status" in part.get_content_type())
    return cast("list[EmailMessage]", status.get_payload())
