"""`paperpath`, the administrator's command: make an installation, check it, run it, say who has a mailbox."""

import os

import click

from paperpath import __version__
from paperpath.commands.access import access
from paperpath.commands.account import account
from paperpath.commands.check import check
from paperpath.commands.domain import domain
from paperpath.commands.explain import explain
from paperpath.commands.init import init
from paperpath.commands.lists import lists
from paperpath.commands.queue import queue
from paperpath.commands.reload import reload
from paperpath.commands.selftest import selftest
from paperpath.commands.sink import sink
from paperpath.commands.status import status
from paperpath.commands.up import up
from paperpath.commands.upgrade import upgrade
from paperpath.commands.why import why


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="paperpath")
def main() -> None:
    """Run and look after Paperpath, a mail transfer system.

    Example: paperpath init mail && paperpath up --config mail/paperpath.toml
    """
    os.umask(0o077)  # mail, and whatever says who gets it, is nobody else's business


for command in (
    init,
    check,
    up,
    upgrade,
    status,
    reload,
    account,
    domain,
    access,
    queue,
    explain,
    lists,
    selftest,
    why,
    sink,
):
    main.add_command(command)
