"""What the commands have in common: the configuration they are given, and how they say that it is wrong."""

import os
from pathlib import Path
from typing import NoReturn

import click

from paperpath.config.loader import ConfigurationError, Document, load_document
from paperpath.config.tables import Configuration
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import become, find_identity


def load(file: Path) -> Configuration:
    """Load a configuration; print every problem and exit with 78 where there are any."""
    return load_with_text(file).configuration


def load_with_text(file: Path) -> Document:
    """Load a configuration as `load` does, and keep its text."""
    try:
        return load_document(file)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise SystemExit(os.EX_CONFIG) from None


def load_as_owner(file: Path) -> Configuration:
    """Load a configuration, and be the service user from now on: what is made in its folders is its own."""
    configuration = load(file)
    become_owner(configuration)
    return configuration


def become_owner(configuration: Configuration) -> None:
    """Be the service user from now on; exit where that cannot be."""
    try:
        become(find_identity(configuration.user))
    except ServiceError as error:
        fail(error, error.exit_code)


def fail(reason: object, code: int) -> NoReturn:
    """Print why a command cannot do its work, and exit."""
    click.echo(reason, err=True)
    raise SystemExit(code)
