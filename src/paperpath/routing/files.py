"""The routing rules as configuration and files have them now, for the programs that route.

Each `read` notices a replaced file, and gives the same router while nothing changed.
"""

import hashlib
import json
import os

from paperpath.accounts.file import Accounts, AccountsError, AccountsFile
from paperpath.accounts.settings import NO_SETTINGS, format_settings
from paperpath.accounts.users import RememberedEntries, Users
from paperpath.config.tables import Configuration, LocalTable
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
        self._agents = configuration.agents
        try:
            self._accounts = AccountsFile(configuration.accounts_file)
            self._aliases = None if self._table.aliases is None else AliasesFile(self._table.aliases)
        except (AccountsError, AliasesError) as error:
            raise ServiceError(str(error), os.EX_CONFIG) from error
        self._users = _find_users(configuration.local)
        self._router = self._make_router(self._read_aliases(), self._accounts.read())

    def read(self) -> Router:
        """Return the rules of this moment."""
        aliases, accounts = self._read_aliases(), self._accounts.read()
        if aliases is not self._router.aliases or accounts is not self._router.accounts:
            self._router = self._make_router(aliases, accounts)
        return self._router

    def take_troubles(self) -> list[str]:
        """Return, once, why files as they are now could not be read."""
        troubles = [file.take_trouble() for file in (self._accounts, self._aliases) if file is not None]
        return [trouble for trouble in troubles if trouble is not None]

    def _make_router(self, aliases: Aliases, accounts: Accounts) -> Router:
        return Router(self._table, aliases, accounts, self._agents, self._users)

    def _read_aliases(self) -> Aliases:
        return _NO_ALIASES if self._aliases is None else self._aliases.read()


def _find_users(table: LocalTable) -> Users | None:
    """Return the users of this host, where they have mailboxes."""
    if not table.system_users:
        return None
    return Users(RememberedEntries().look_up, table.system_first_uid, table.system_last_uid)


def fingerprint(router: Router) -> str:
    """Return what differs when a route, an alias or an agent does, or what makes a user of this host one.

    Of accounts, only what is set for some.
    """
    table = router.table
    routes = sorted((str(entry.domain), entry.via) for entry in table.route)
    agents = sorted((name, agent.model_dump_json()) for name, agent in router.agents.items())
    settings = sorted(
        (str(account.address), *format_settings(account.settings))
        for account in router.accounts
        if account.settings is not NO_SETTINGS
    )
    numbers = None if router.users is None else (router.users.first_uid, router.users.last_uid)
    rules = [table.postmaster, table.separator, routes, agents, settings, numbers]
    digest = hashlib.sha256(json.dumps(rules).encode())
    digest.update(router.aliases.digest)
    return digest.hexdigest()
