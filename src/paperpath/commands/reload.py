"""`paperpath reload`: has the running programs take what now stands in the configuration."""

import os
from pathlib import Path

import click

from paperpath.commands.options import fail, load
from paperpath.commands.up import list_programs
from paperpath.service import control
from paperpath.service.control import ask, control_folder
from paperpath.service.errors import ServiceError
from paperpath.service.program import config_option
from paperpath.service.supervisor import NAME as SUPERVISOR

_ASK_S = 120.0  # the supervisor asks one program after the other


@click.command()
@config_option
def reload(file: Path) -> None:
    """Put the changed configuration in force; exit 78 if it is refused, then the old one stays.

    Some keys wait for a restart; they are named.

    Example: paperpath reload --config /etc/paperpath/paperpath.toml
    """
    configuration = load(file)
    folder = control_folder(configuration)
    running = control.list_programs(folder)
    # The ways in come last, as when the supervisor passes it on.
    order = [SUPERVISOR] if SUPERVISOR in running else [spec.name for spec in list_programs(configuration)]
    waiting: set[str] = set()
    asked = [name for name in order if name in running]
    if not asked:
        fail("nothing is running", os.EX_UNAVAILABLE)
    for name in asked:
        try:
            waiting.update(ask(folder, name, "reload", _ASK_S)["waiting_for_restart"])
        except ServiceError as error:
            fail(error, error.exit_code)
    click.echo(f"{file}: in force")
    for key in sorted(waiting):
        click.echo(f"{key} waits for a restart", err=True)
