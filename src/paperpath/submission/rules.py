"""The rules of the canonical form, made of the table [canonical] and of who is known here."""

import os
import pwd

from paperpath.config.tables import Configuration
from paperpath.mail.address import Mailbox
from paperpath.maildrop.values import Transport
from paperpath.routing.files import RoutingFiles
from paperpath.routing.steps import Delivery, Expansion
from paperpath.service.errors import ServiceError
from paperpath.submission.canonical.values import CanonicalRules, Masquerade
from paperpath.submission.masquerade_file import MasqueradeFileError, load_masquerade


def make_rules(configuration: Configuration, files: RoutingFiles) -> CanonicalRules:
    """Make the rules. Raises: ServiceError, where the file of users cannot be used."""
    table, domain = configuration.canonical, configuration.default_domain

    def is_known(local: str) -> bool:
        """Tell whether a name is an alias or a mailbox here, or a user of this host (requirement B-19)."""
        step, _ = files.read().find(Mailbox(local, domain))
        return (
            isinstance(step, Expansion)
            or (isinstance(step, Delivery) and step.transport is Transport.LOCAL)
            or _is_login(local)  # cron and monitors write as root, which need have no mailbox
        )

    return CanonicalRules(
        hostname=configuration.hostname,
        domain=domain,
        is_known=is_known,
        parent=table.parent or "",
        is_strict=table.strict,
        masquerade=read_masquerade(configuration),
        encode_8bit=table.encode_8bit,
    )


def _is_login(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def read_masquerade(configuration: Configuration) -> Masquerade:
    """Read under which names addresses go out. Raises: ServiceError, with a line for each mistake."""
    table, name = configuration.canonical, configuration.canonical.shown or configuration.default_domain
    if table.users is None:
        return Masquerade(table.hidden, name)
    try:
        return load_masquerade(table.users, table.hidden, name)
    except MasqueradeFileError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error
