"""`paperpath reload`: has the running programs take what now stands in the configuration."""

import os
from pathlib import Path

import click

from paperpath.commands.options import fail, load_with_text
from paperpath.commands.up import list_programs
from paperpath.config.loader import Document
from paperpath.service import control
from paperpath.service.control import SUPERVISOR, ask, control_folder
from paperpath.service.errors import ServiceError
from paperpath.service.program import config_option
from paperpath.service.supervisor import ProgramSpec
from paperpath.service.tls.key_files import list_key_files, open_key_files

_ASK_S = 120.0  # the supervisor asks one program after the other


@click.command()
@config_option
def reload(file: Path) -> None:
    """Put the changed configuration in force; exit 78 if it is refused, then the old one stays.

    Some keys wait for a restart; they are named.

    Example: paperpath reload --config /etc/paperpath/paperpath.toml
    """
    document = load_with_text(file)
    running = control.list_programs(control_folder(document.configuration))
    # The ways in come last, as when the supervisor passes it on.
    order = [ProgramSpec(SUPERVISOR, "")] if SUPERVISOR in running else list_programs(document.configuration)
    waiting: set[str] = set()
    asked = [spec for spec in order if spec.name in running]
    if not asked:
        fail("nothing is running", os.EX_UNAVAILABLE)
    for spec in asked:
        try:
            waiting.update(_reload(spec, document))
        except ServiceError as error:
            fail(error, error.exit_code)
    click.echo(f"{file}: in force")
    for key in sorted(waiting):
        click.echo(f"{key} waits for a restart", err=True)


def _reload(spec: ProgramSpec, document: Document) -> list[str]:
    """Ask one program; who serves TLS gets the keys opened, which its user may not be able to."""
    folder = control_folder(document.configuration)
    with open_key_files(list_key_files(document.configuration) if spec.takes_keys else ()) as keys:
        answer = ask(folder, spec.name, "reload", _ASK_S, keys, text=document.text)
    waiting: list[str] = answer["waiting_for_restart"]
    return waiting
