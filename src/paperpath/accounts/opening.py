"""Opening what tells who somebody is; called by the programs that people log in to."""

import os

from paperpath.accounts.file import AccountsError, AccountsFile
from paperpath.accounts.secrets import SecretsFile
from paperpath.accounts.verifier import Verifier
from paperpath.config.tables import Configuration
from paperpath.service.errors import ServiceError


def open_accounts(configuration: Configuration) -> AccountsFile:
    """Read the accounts. Raises: ServiceError."""
    try:
        return AccountsFile(configuration.accounts_file)
    except AccountsError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error


def open_verifier(configuration: Configuration) -> Verifier:
    """Have who judges names and passwords. Raises: ServiceError."""
    try:
        secrets = SecretsFile(configuration.secrets_file)
    except AccountsError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
    return Verifier(secrets, open_accounts(configuration), configuration.default_domain)
