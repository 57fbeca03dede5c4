"""What the commands have in common: the configuration they are given, and how they say that it is wrong."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from paperpath.config.loader import ConfigurationError, load_configuration
from paperpath.config.tables import Configuration

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=Path("paperpath.toml"),
    show_default=True,
    help="The configuration.",
)


def load(file: Path) -> Configuration:
    """Load a configuration; print every problem and exit with 78 where there are any."""
    try:
        return load_configuration(file)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise SystemExit(os.EX_CONFIG) from None


def fail(reason: object, code: int) -> NoReturn:
    """Print why a command cannot do its work, and exit."""
    click.echo(reason, err=True)
    raise SystemExit(code)
