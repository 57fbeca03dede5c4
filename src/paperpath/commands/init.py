"""`paperpath init`: makes an installation to try in a folder of its own."""

import os
import socket
from functools import partial
from pathlib import Path

import click

from paperpath.accounts.passwords import prepare_password
from paperpath.commands.account import add_mailbox
from paperpath.commands.account_standing import set_password
from paperpath.commands.options import fail, load
from paperpath.commands.password_input import make_up_password
from paperpath.config.endpoint import Endpoint, parse_endpoint
from paperpath.mail.address import AddressError, parse_mailbox
from paperpath.maildrop.drop.place import make_drop
from paperpath.maildrop.opening import create_maildrop
from paperpath.service.errors import ServiceError
from paperpath.service.interfaces import read_own_addresses
from paperpath.service.privileges import Identity, become, find_identity, make_owned_folder

_TEMPLATE = """\
# Paperpath's configuration; docs/configuration.md explains every key.
# After a change: paperpath check --config {file}

hostname = "{hostname}"
data = "data"
{user}
[relay]
listen = ["{listen}"]
domains = ["{domain}"]
{submission}{imap}
[post_office]
postmaster = "{mailbox}@{domain}"

[[post_office.route]]
domain = "{domain}"
via = "local"
"""

_SUBMISSION = """
[submission]
listen = [{listen}]
listen_tls = [{listen_tls}]
"""

_IMAP = """
[imap]
listen = [{listen}]
listen_tls = [{listen_tls}]
"""

_port = partial(click.option, type=click.IntRange(0, 65535), show_default=True)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--domain", default="example.test", show_default=True, help="The domain to take mail for.")
@click.option("--mailbox", default="me", show_default=True, help="Who has the first mailbox there.")
@click.option("--user", help="Who is to own the data and run the programs, where root starts them.")
@click.option("--listen", default="127.0.0.1:2525", show_default=True, help="Where smtprd listens.")
@_port("--submission-port", default=2587, help="Where smtpsd listens, for STARTTLS; 0: nowhere.")
@_port("--submission-tls-port", default=2465, help="Where it does with TLS from the start; 0: nowhere.")
@_port("--imap-port", default=2143, help="Where imapd listens, for STARTTLS; 0: nowhere.")
@_port("--imap-tls-port", default=2993, help="Where it does with TLS from the start; 0: nowhere.")
def init(
    folder: Path,
    domain: str,
    mailbox: str,
    user: str | None,
    listen: str,
    submission_port: int,
    submission_tls_port: int,
    imap_port: int,
    imap_tls_port: int,
) -> None:
    """Make an installation in FOLDER: a configuration, a maildrop, one account whose password is told once.

    Example: paperpath init var && paperpath up --config var/paperpath.toml
    """
    file = folder / "paperpath.toml"
    if file.exists():
        fail(f"{file} is there already; it was left as it is", os.EX_CANTCREAT)
    try:
        address = parse_mailbox(f"{mailbox}@{domain}")
        endpoint = parse_endpoint(listen)
    except AddressError as error:
        fail(f"{mailbox}@{domain}: {error}", os.EX_USAGE)
    except ValueError as error:
        fail(f"--listen: {error}", os.EX_USAGE)
    try:
        identity = find_identity(user)
    except ServiceError as error:
        fail(error, error.exit_code)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(
        _TEMPLATE.format(
            file=file,
            hostname=f"mail.{domain}",
            user="" if user is None else f'user = "{user}"\n',
            listen=endpoint,
            submission=_describe_ports(_SUBMISSION, submission_port, submission_tls_port),
            imap=_describe_ports(_IMAP, imap_port, imap_tls_port),
            domain=domain,
            mailbox=mailbox,
        ),
        encoding="utf-8",
    )
    configuration = load(file)
    try:
        if identity is not None:
            _let_in(identity, folder, file)
        make_owned_folder(configuration.data, identity)
        become(identity)
        create_maildrop(configuration)
        make_drop(configuration)
        configuration.data.chmod(0o711)  # everybody may pass to the drop directory; the rest shuts itself
    except ServiceError as error:
        fail(error, error.exit_code)
    account = add_mailbox(configuration, address)
    password = make_up_password()
    set_password(configuration, address, prepare_password(password))
    click.echo(
        f"{file}: written; mail for {address} will lie in {configuration.mailbox_root / account.folder}"
    )
    click.echo(f"{address} logs in with the password {password}, which is told only now")
    if not _is_free(endpoint):
        click.echo(f"warning: {endpoint} is busy just now", err=True)


def _describe_ports(table: str, port: int, tls_port: int) -> str:
    """Write the table of smtpsd, or of imapd, on this host's loopback alone (requirement B-1)."""
    if not port and not tls_port:
        return ""
    hosts = ["127.0.0.1", *(["::1"] if "::1" in read_own_addresses() else [])]

    def write(number: int) -> str:
        return ", ".join(f'"{Endpoint(host, number)}"' for host in hosts if number)

    return table.format(listen=write(port), listen_tls=write(tls_port))


def _let_in(identity: Identity, folder: Path, file: Path) -> None:
    """Let the service user read what root owns: it may not say itself whom the programs become.

    Others may pass the folder, to the drop directory, and read the file, by which their commands find it.
    """
    for path, mode in ((folder, 0o751), (file, 0o644)):
        os.chown(path, -1, identity.gid)
        path.chmod(mode)


def _is_free(endpoint: Endpoint) -> bool:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
        except OSError:
            return False
    return True
