"""`paperpath check`: reads configuration, accounts and aliases as the programs would; says what is wrong."""

import json
import os
from pathlib import Path

import click

from paperpath.accounts.file import AccountsError, load_accounts
from paperpath.config.advice import find_warnings
from paperpath.config.loader import ConfigurationError, load_configuration
from paperpath.config.tables import Configuration
from paperpath.routing.advice import find_alias_warnings
from paperpath.routing.aliases_file import AliasesError, load_aliases
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
    except ConfigurationError as error:
        errors = [str(problem) for problem in error.problems]
    else:
        _check_files(configuration, errors, warnings)
    if as_json:
        click.echo(json.dumps({"errors": errors, "warnings": warnings}, indent=2))
    else:
        _print(file, errors, warnings)
    raise SystemExit(os.EX_CONFIG if errors else os.EX_OK)


def _check_files(configuration: Configuration, errors: list[str], warnings: list[str]) -> None:
    """Add what is to be said about accounts and aliases."""
    try:
        load_accounts(configuration.accounts_file)
    except AccountsError as error:
        errors.append(str(error))
    file = configuration.post_office.aliases
    if file is None:
        return
    try:
        warnings += find_alias_warnings(configuration.post_office, load_aliases(file))
    except AliasesError as error:
        errors += map(str, error.problems)


def _print(file: Path, errors: list[str], warnings: list[str]) -> None:
    for error in errors:
        click.echo(error, err=True)
    for warning in warnings:
        click.echo(f"{file}: warning: {warning}", err=True)
    if not errors:
        click.echo(f"{file}: good")
