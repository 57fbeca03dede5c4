"""What submission is made of by one configuration: for smtpsd's sessions, and for batches."""

import os

from paperpath.accounts.usage import Usage
from paperpath.accounts.verifier import Verifier
from paperpath.config.intake_tables import SubmissionTable
from paperpath.config.tables import Configuration
from paperpath.intake.budget import SpoolBudget
from paperpath.maildrop.interface import Maildrop
from paperpath.routing.files import RoutingFiles
from paperpath.service.errors import ServiceError
from paperpath.service.log import Log
from paperpath.service.signing_keys import open_keyring
from paperpath.submission.reception import Site
from paperpath.submission.rules import make_rules
from paperpath.submission.way_in import SubmissionWayIn


def find_table(configuration: Configuration) -> SubmissionTable:
    """Return the table [submission]. Raises: ServiceError, where there is none."""
    if configuration.submission is None:
        raise ServiceError("smtpsd needs a table [submission] in the configuration", os.EX_CONFIG)
    return configuration.submission


def make_way_in(
    configuration: Configuration,
    table: SubmissionTable,
    maildrop: Maildrop,
    budget: SpoolBudget,
    verifier: Verifier,
    log: Log,
) -> SubmissionWayIn:
    """Put the way in together; the verifier knows the configuration's names from now on.

    Raises: ServiceError.
    """
    files = RoutingFiles(configuration)
    site = Site(
        maildrop,
        budget,
        Usage(configuration.usage_folder),
        make_rules(configuration, files),
        configuration.maildrop_folder,
        table.hide_client_address,
        open_keyring(configuration.dkim),
    )
    verifier.domain = configuration.default_domain
    return SubmissionWayIn(table, site, files, verifier, log)
