"""`paperpath check`: reads configuration, certificates and files that people edit as the programs would."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from paperpath.accounts.file import AccountsError, load_accounts
from paperpath.accounts.secrets import load_secrets
from paperpath.config.advice import find_warnings
from paperpath.config.loader import ConfigurationError, Document, Problem, load_document
from paperpath.dnslist.list_file import ListFileError, load_list
from paperpath.intake.access_file import open_all_access
from paperpath.routing.advice import find_account_warnings, find_alias_warnings
from paperpath.routing.aliases_file import AliasesError, load_aliases
from paperpath.service.errors import ServiceError
from paperpath.service.program import config_option
from paperpath.service.signing_keys import find_key_doubts
from paperpath.service.tls.advice import examine_authorities, examine_certificates
from paperpath.submission.rules import read_masquerade


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def check(file: Path, as_json: bool) -> None:
    """Check the configuration; exit 78 if a program would refuse it, 0 otherwise.

    Example: paperpath check --config /etc/paperpath/paperpath.toml
    """
    try:
        errors, warnings = examine(load_document(file))
    except ConfigurationError as error:
        errors, warnings = [str(problem) for problem in error.problems], []
    if as_json:
        told = [warning.message for warning in warnings]
        click.echo(json.dumps({"errors": errors, "warnings": told}, indent=2))
    else:
        _print(file, errors, warnings)
    raise SystemExit(os.EX_CONFIG if errors else os.EX_OK)


def examine(document: Document) -> tuple[list[str], list[Problem]]:
    """Return what is wrong, and what is doubtful, in a configuration that can be read."""
    configuration = document.configuration
    mistakes, doubts = examine_certificates(document, datetime.now(UTC))
    errors = [str(mistake) for mistake in [*mistakes, *examine_authorities(document)]]
    advice = find_warnings(configuration)
    refused, weak = find_key_doubts(configuration.dkim)
    errors += refused
    advice += weak
    try:
        advice += find_account_warnings(configuration, load_accounts(configuration.accounts_file))
        load_secrets(configuration.secrets_file)
    except AccountsError as error:
        errors.append(str(error))
    for read in (read_masquerade, open_all_access):
        try:
            read(configuration)
        except ServiceError as error:
            errors += str(error).splitlines()
    try:
        if configuration.post_office.aliases is not None:
            aliases = load_aliases(configuration.post_office.aliases)
            advice += find_alias_warnings(configuration, aliases)
    except AliasesError as error:
        errors += map(str, error.problems)
    for zone in () if configuration.dnslistd is None else configuration.dnslistd.zone:
        try:
            load_list(zone.file)
        except ListFileError as error:
            errors += map(str, error.problems)
    return errors, [Problem(document.path, None, text) for text in advice] + doubts


def _print(file: Path, errors: list[str], warnings: list[Problem]) -> None:
    for error in errors:
        click.echo(error, err=True)
    for warning in warnings:
        click.echo(f"{warning.place}: warning: {warning.message}", err=True)
    if not errors:
        click.echo(f"{file}: good")
