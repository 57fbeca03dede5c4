"""The routing rules as configuration and files have them now, for the programs that route.

Each `read` notices a replaced file, and gives the same router while nothing changed.
"""

import hashlib
import json
import os

from paperpath.accounts.file import AccountsError, AccountsFile
from paperpath.accounts.users import NumberedUsers, RememberedEntries, Users
from paperpath.config.tables import Configuration, LocalTable, PostOfficeTable
from paperpath.routing.aliases import Aliases
from paperpath.routing.aliases_file import AliasesError, AliasesFile
from paperpath.routing.router import Router
from paperpath.service.errors import ServiceError

_NO_ALIASES = Aliases()


class RoutingFiles:
    """Where the rules come from."""

    def __init__(self, configuration: Configuration) -> None:
        """Read the files. Raises: ServiceError."""
        self._table = configuration.post_office
        try:
            self._accounts = AccountsFile(configuration.accounts_file)
            self._aliases = None if self._table.aliases is None else AliasesFile(self._table.aliases)
        except (AccountsError, AliasesError) as error:
            raise ServiceError(str(error), os.EX_CONFIG) from error
        self._users = _find_users(configuration.local)
        self._router = Router(self._table, self._read_aliases(), self._accounts.read(), self._users)

    def read(self) -> Router:
        """Return the rules of this moment."""
        aliases, accounts = self._read_aliases(), self._accounts.read()
        if aliases is not self._router.aliases or accounts is not self._router.accounts:
            self._router = Router(self._table, aliases, accounts, self._users)
        return self._router

    def take_troubles(self) -> list[str]:
        """Return, once, why files as they are now could not be read."""
        troubles = [file.take_trouble() for file in (self._accounts, self._aliases) if file is not None]
        return [trouble for trouble in troubles if trouble is not None]

    def _read_aliases(self) -> Aliases:
        return _NO_ALIASES if self._aliases is None else self._aliases.read()


def _find_users(table: LocalTable) -> Users | None:
    """Return the users of this host, where they have mailboxes."""
    if not table.system_users:
        return None
    return NumberedUsers(RememberedEntries().look_up, table.system_first_uid, table.system_last_uid)


def fingerprint(table: PostOfficeTable, aliases: Aliases) -> str:
    """Return what differs when a route or an alias does; accounts make no difference."""
    routes = sorted((str(entry.domain), entry.via) for entry in table.route)
    digest = hashlib.sha256(json.dumps([table.postmaster, table.separator, routes]).encode())
    digest.update(aliases.digest)
    return digest.hexdigest()
