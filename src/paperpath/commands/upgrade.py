"""`paperpath upgrade`: brings a maildrop that an older Paperpath made up to date."""

from pathlib import Path

import click

from paperpath.commands.options import fail, load_as_owner
from paperpath.maildrop.opening import upgrade_maildrop
from paperpath.service.errors import ServiceError
from paperpath.service.program import config_option


@click.command()
@config_option
def upgrade(file: Path) -> None:
    """Bring the maildrop up to the version of this program, once the programs have ended.

    It happens whole or not at all. `paperpath up` does the same before it starts anything.

    Example: paperpath upgrade --config /etc/paperpath/paperpath.toml
    """
    configuration = load_as_owner(file)
    try:
        before, now = upgrade_maildrop(configuration)
    except ServiceError as error:
        fail(error, error.exit_code)
    if before == now:
        click.echo(f"{configuration.maildrop_folder}: has version {now} already")
    else:
        click.echo(f"{configuration.maildrop_folder}: brought from version {before} to {now}")
