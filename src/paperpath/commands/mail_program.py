"""The four lines by which a mail program is set up for an account: `paperpath account show`, and `up`."""

from collections.abc import Iterator

from paperpath.config.endpoint import Endpoint
from paperpath.config.tables import Configuration
from paperpath.mail.address import Mailbox


def describe_mail_program(configuration: Configuration, address: Mailbox) -> list[str]:
    """Return the lines; none where imapd or smtpsd cannot be reached.

    TLS from the start comes before STARTTLS (RFC 8314 §3). The password is not among them: only its hash is
    kept.
    """
    imap, submission = configuration.imap, configuration.submission
    if imap is None or submission is None:
        return []
    incoming = _find_server(configuration, imap.listen_tls, imap.listen)
    outgoing = _find_server(configuration, submission.listen_tls, submission.listen)
    if incoming is None or outgoing is None:
        return []
    return [
        f"incoming server IMAP {incoming}",
        f"outgoing server SMTP {outgoing}",
        f"user name       {address}",
        "authentication  password, over TLS; paperpath account password sets another",
    ]


def _find_server(
    configuration: Configuration, by_tls: tuple[Endpoint, ...], by_starttls: tuple[Endpoint, ...]
) -> str | None:
    """Return host, port and security of the place that people connect to."""
    for endpoint, security in _list_places(by_tls, by_starttls):
        host = endpoint.host if endpoint.is_loopback else configuration.hostname
        return f"{host} port {endpoint.port} {security}"
    return None


def _list_places(
    by_tls: tuple[Endpoint, ...], by_starttls: tuple[Endpoint, ...]
) -> Iterator[tuple[Endpoint, str]]:
    yield from ((endpoint, "SSL/TLS") for endpoint in by_tls)
    yield from ((endpoint, "STARTTLS") for endpoint in by_starttls)
