"""smtpsd, the submission daemon: takes people's mail, completes it, and puts it into the maildrop.

Started by the supervisor or by hand. People log in, with TLS; users of this host have a socket, on which the
kernel says who they are. Meets the post office only in the maildrop.
"""

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from paperpath.accounts.opening import open_verifier
from paperpath.accounts.verifier import Verifier
from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.intake.guest import Door
from paperpath.intake.judge import Judge
from paperpath.intake.serving import (
    Means,
    Services,
    allow_connections,
    make_service,
    open_keys,
    open_means,
    serve,
)
from paperpath.intake.stdio import Visit, run_stdio, serve_visit, stdio_options
from paperpath.service.program import Life, config_option, run_errand, run_program
from paperpath.smtp.sasl import MECHANISMS
from paperpath.smtp.settings import Settings
from paperpath.submission.assembly import find_table, make_way_in
from paperpath.submission.batch.program import STANDARD_INPUT, open_batch, process_batch
from paperpath.submission.doors import list_doors
from paperpath.submission.logins import SubmissionLogins

NAME = "smtpsd"


def open_ports(life: Life) -> None:
    """Listen and read the keys, with the privileges that are dropped then. Raises: ServiceError."""
    table = find_table(life.configuration)
    life.listen([place for place, _ in list_doors(life.configuration)])
    open_keys(life, asks_clients=True)
    allow_connections(life, table)


async def submit(life: Life) -> None:
    """Serve until the end is asked for."""
    async with open_means(life, NAME, asks_clients=True) as means:
        with closing(open_verifier(life.configuration)) as verifier:

            def make_services(configuration: Configuration) -> Services:
                return _make_services(configuration, means, verifier)

            await serve(life, means, list_doors(life.configuration), make_services)


async def submit_for_one(life: Life, visit: Visit) -> None:
    """Serve one client on standard input and output."""
    async with open_means(life, NAME, asks_clients=True) as means:
        with closing(open_verifier(life.configuration)) as verifier:
            services = _make_services(life.configuration, means, verifier)
            await serve_visit(life, services[Door.CLEAR], visit)


def _make_services(configuration: Configuration, means: Means, verifier: Verifier) -> Services:
    """Put together what there is behind each door. Raises: ServiceError."""
    table = find_table(configuration)
    way_in = make_way_in(configuration, table, means.maildrop, means.budget, verifier, means.log)
    settings = Settings(
        configuration.hostname,
        table.size,
        table.most_recipients,
        errors=table.limits.errors,
        tls=True,
        dsn=True,
        submission=True,
        mechanisms=MECHANISMS,
        auth_required=True,
    )
    logins = SubmissionLogins(Judge(verifier, means.log))
    service = make_service(configuration, table, means, settings, way_in, logins)
    local = replace(service, settings=replace(settings, tls=False, auth_in_clear=True))
    return {door: local if door is Door.LOCAL else service for door in Door}


@click.command(NAME)
@config_option
@stdio_options
@click.option(
    "--batch",
    is_flag=False,
    flag_value=STANDARD_INPUT,
    metavar="[FILE]",
    help="Process a batch of SMTP commands from a file, or from standard input, and end.",
)
def main(file: Path, stdio: bool, access: ServiceClass | None, batch: str | None) -> None:
    """The submission daemon: takes mail of people who log in.

    Example: smtpsd --config paperpath.toml
    """
    if stdio and batch is not None:
        raise click.UsageError("expected --stdio or --batch, and not both")
    if stdio:
        raise SystemExit(run_stdio(NAME, file, access, submit_for_one, asks_clients=True))
    if batch is None:
        raise SystemExit(run_program(NAME, file, submit, open_ports))
    descriptor, uid = open_batch(batch), os.getuid()
    raise SystemExit(run_errand(NAME, file, lambda life: process_batch(life, descriptor, uid)))


if __name__ == "__main__":
    main()
