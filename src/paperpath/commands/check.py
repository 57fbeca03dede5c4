"""`paperpath check`: reads configuration and accounts as the programs would, and says what is wrong."""

import json
import os
from pathlib import Path

import click

from paperpath.accounts.file import AccountsError, load_accounts
from paperpath.config.advice import find_warnings
from paperpath.config.loader import ConfigurationError, load_configuration
from paperpath.service.program import config_option


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def check(file: Path, as_json: bool) -> None:
    """Check the configuration; exit 78 if a program would refuse it, 0 otherwise.

    Example: paperpath check --config /etc/paperpath/paperpath.toml
    """
    errors: list[str] = []
    warnings: list[str] = []
    try:
        configuration = load_configuration(file)
        warnings = find_warnings(configuration)
        load_accounts(configuration.accounts_file)
    except ConfigurationError as error:
        errors = [str(problem) for problem in error.problems]
    except AccountsError as error:
        errors = [str(error)]
    if as_json:
        click.echo(json.dumps({"errors": errors, "warnings": warnings}, indent=2))
    else:
        _print(file, errors, warnings)
    raise SystemExit(os.EX_CONFIG if errors else os.EX_OK)


def _print(file: Path, errors: list[str], warnings: list[str]) -> None:
    for error in errors:
        click.echo(error, err=True)
    for warning in warnings:
        click.echo(f"{file}: warning: {warning}", err=True)
    if not errors:
        click.echo(f"{file}: good")
