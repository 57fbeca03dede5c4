"""What aliases and accounts may say and most likely should not: pure. Called by `paperpath check`."""

from collections.abc import Iterator

from paperpath.accounts.file import Accounts
from paperpath.config.agent_name import find_agent_name
from paperpath.config.command_line import SHELL_DOUBT, hands_to_shell
from paperpath.config.tables import Configuration, PostOfficeTable
from paperpath.config.via import LOCAL
from paperpath.mail.place import is_program, split_command
from paperpath.routing.aliases import Aliases
from paperpath.routing.own_targets import find_agent_way


def find_alias_warnings(configuration: Configuration, aliases: Aliases) -> Iterator[str]:
    """Give one sentence for each doubt."""
    table = configuration.post_office
    for alias in aliases:
        for name in filter(None, map(find_agent_name, map(find_agent_way, alias.targets))):
            if name not in configuration.agents:
                yield f"{table.aliases}:{alias.line}: there is no table [agents.{name}]"
        if any(hands_to_shell(split_command(one.local)) for one in alias.targets if is_program(one)):
            yield f"{table.aliases}:{alias.line}: {SHELL_DOUBT}"
        if alias.trouble:
            yield f"{table.aliases}:{alias.line}: mail for {alias.key} waits: {alias.trouble}"
        if alias.domain and not _is_local(table, alias.domain):
            yield (
                f"{table.aliases}:{alias.line}: {alias.key} is never asked for: "
                f'the route of "{alias.domain}" is not "local"'
            )


def find_account_warnings(configuration: Configuration, accounts: Accounts) -> Iterator[str]:
    """Give one sentence for each agent of an account that is not there: mail for it waits."""
    for account in accounts:
        settings = account.settings
        for agent in filter(None, (settings.deliver, *settings.agents)):
            if agent not in configuration.agents:
                yield f"{configuration.accounts_file}: {account.address}: there is no table [agents.{agent}]"


def _is_local(table: PostOfficeTable, domain: str) -> bool:
    route = table.find_route(domain)
    return route is not None and route.via == LOCAL
