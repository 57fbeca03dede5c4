"""What aliases and accounts may say and most likely should not: pure. Called by `paperpath check`."""

from collections.abc import Iterator

from paperpath.accounts.file import Accounts
from paperpath.config.tables import Configuration, PostOfficeTable
from paperpath.config.via import LOCAL
from paperpath.routing.aliases import Aliases


def find_alias_warnings(table: PostOfficeTable, aliases: Aliases) -> Iterator[str]:
    """Give one sentence for each doubt."""
    for alias in aliases:
        if alias.trouble:
            yield f"{table.aliases}:{alias.line}: mail for {alias.key} waits: {alias.trouble}"
        if alias.domain and not _is_local(table, alias.domain):
            yield (
                f"{table.aliases}:{alias.line}: {alias.key} is never asked for: "
                f'the route of "{alias.domain}" is not "local"'
            )


def find_account_warnings(configuration: Configuration, accounts: Accounts) -> Iterator[str]:
    """Give one sentence for each account whose agent is not there: its mail waits."""
    for account in accounts:
        agent = account.settings.deliver
        if agent and agent not in configuration.agents:
            yield f"{configuration.accounts_file}: {account.address}: there is no table [agents.{agent}]"


def _is_local(table: PostOfficeTable, domain: str) -> bool:
    route = table.find_route(domain)
    return route is not None and route.via == LOCAL
